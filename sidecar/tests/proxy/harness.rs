//! A sidecar on free ports, a small HTTP client, and snapshots made by hand.

use std::time::Duration;

use bytes::Bytes;
use fkm_sidecar::app::Running;
use fkm_sidecar::args::{Settings, Source};
use fkm_sidecar::network::NetworkSettings;
use fkm_sidecar::signin::ambient::Ambient;
use fkm_snapshot::{Problem, SecretId, Secrets};
use fkm_upstream::Upstream;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

/// The key that every provider of [`provider`] has.
pub(crate) const KEY: &str = "sk-test-0123456789abcdef";

/// A sidecar that serves one snapshot.
pub(crate) struct Sidecar {
    pub(crate) running: Running,
}

/// An answer, whole.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

// === impl Sidecar ===

impl Sidecar {
    /// Starts on free ports with this snapshot.
    pub(crate) async fn start(snapshot: &Value) -> Self {
        Self::start_as(Ambient::default(), snapshot, &[]).await
    }

    /// The same in another environment.
    pub(crate) async fn start_in(network: NetworkSettings, snapshot: &Value) -> Self {
        Self::start_with(Ambient::default(), network, snapshot, &[]).await
    }

    /// The same in a pod of which the platform says this, and with further secrets.
    pub(crate) async fn start_as(
        ambient: Ambient,
        snapshot: &Value,
        secrets: &[(&str, &str)],
    ) -> Self {
        Self::start_with(ambient, NetworkSettings::default(), snapshot, secrets).await
    }

    async fn start_with(
        ambient: Ambient,
        network: NetworkSettings,
        snapshot: &Value,
        secrets: &[(&str, &str)],
    ) -> Self {
        let any = "127.0.0.1:0".parse().unwrap();
        let settings = Settings {
            listen: vec![any],
            admin_listen: vec![any],
            probe_listen: any,
            source: Source::Embedded,
            drain: Duration::from_secs(5),
            ambient,
            network,
        };
        let running = Running::start(&settings).await.unwrap();
        let sidecar = Self { running };
        sidecar.apply_with(snapshot, secrets);
        sidecar
    }

    /// Applies another snapshot.
    pub(crate) fn apply(&self, snapshot: &Value) {
        self.apply_with(snapshot, &[]);
    }

    /// Applies another snapshot with further secrets, by the names of their keys in `test/keys`, or in full.
    pub(crate) fn apply_with(&self, snapshot: &Value, further: &[(&str, &str)]) {
        self.try_apply(snapshot, further).unwrap();
    }

    /// The same; or why it is refused.
    pub(crate) fn try_apply(
        &self,
        snapshot: &Value,
        further: &[(&str, &str)],
    ) -> Result<(), Vec<Problem>> {
        let mut secrets = Secrets {
            version: "1".to_owned(),
            ..Secrets::default()
        };
        secrets
            .entries
            .insert(SecretId::new("test", "keys", "main"), KEY.into());
        secrets
            .entries
            .insert(SecretId::new("test", "keys", "spare"), "sk-spare".into());
        for (key, value) in further {
            let id = match key.contains('/') {
                true => SecretId((*key).to_owned()),
                false => SecretId::new("test", "keys", key),
            };
            secrets.entries.insert(id, (*value).into());
        }
        let payload = serde_json::to_vec(snapshot).unwrap();
        self.running.store().apply(&payload, &secrets).map(drop)
    }

    pub(crate) fn address(&self) -> std::net::SocketAddr {
        self.running.addresses().llm[0]
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    pub(crate) async fn chat(&self, body: &Value) -> Reply {
        self.post("/v1/chat/completions", serde_json::to_vec(body).unwrap())
            .await
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<Bytes>) -> Reply {
        send(Method::POST, &self.url(path), &[], body.into()).await
    }

    /// The page of metrics.
    pub(crate) async fn metrics(&self) -> String {
        let url = format!("http://{}/metrics", self.running.addresses().probe);
        let reply = send(Method::GET, &url, &[], Bytes::new()).await;
        String::from_utf8(reply.body.to_vec()).unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        send(Method::GET, &self.url(path), &[], Bytes::new()).await
    }
}

/// Sends one request and reads the whole answer; a broken answer body is a panic.
pub(crate) async fn send(
    method: Method,
    url: &str,
    headers: &[(&str, &str)],
    body: Bytes,
) -> Reply {
    let mut request = Request::builder().method(method).uri(url);
    if headers.iter().all(|(name, _)| *name != "content-type") {
        request = request.header("content-type", "application/json");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let response = client
        .request(request.body(Full::new(body)).unwrap())
        .await
        .unwrap();
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Reply {
        status: head.status,
        headers: head.headers,
        body,
    }
}

// === impl Reply ===

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The text of a whole answer in OpenAI's format.
    pub(crate) fn text(&self) -> String {
        self.json()["choices"][0]["message"]["content"]
            .as_str()
            .unwrap_or_else(|| panic!("{self:?}"))
            .to_owned()
    }

    /// What an error says.
    pub(crate) fn message(&self) -> String {
        let json = self.json();
        let message = json["error"]["message"].as_str();
        message.unwrap_or_else(|| panic!("{self:?}")).to_owned()
    }

    /// The data of the frames of a stream.
    pub(crate) fn frames(&self) -> Vec<String> {
        let text = String::from_utf8(self.body.to_vec()).unwrap();
        let frames = text.split("\n\n").filter(|frame| !frame.trim().is_empty());
        let data = |frame: &str| {
            let lines = frame.lines().filter_map(|line| line.strip_prefix("data:"));
            lines.map(str::trim).collect::<Vec<_>>().join("\n")
        };
        frames.map(data).filter(|data| !data.is_empty()).collect()
    }

    /// The text of a stream in OpenAI's format, and how it ended.
    pub(crate) fn streamed(&self) -> Streamed {
        let mut streamed = Streamed::default();
        for frame in self.frames() {
            if frame == "[DONE]" {
                streamed.done = true;
                continue;
            }
            let chunk: Value = serde_json::from_str(&frame).unwrap();
            streamed.error |= !chunk["error"].is_null();
            let choice = &chunk["choices"][0];
            streamed.text += choice["delta"]["content"].as_str().unwrap_or_default();
            streamed.finished |= choice["finish_reason"].is_string();
            streamed.usage |= chunk["usage"].is_object();
        }
        streamed
    }
}

/// What a client makes of a stream.
#[derive(Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four independent things that may be seen"
)]
pub(crate) struct Streamed {
    pub(crate) text: String,
    pub(crate) finished: bool,
    pub(crate) usage: bool,
    pub(crate) done: bool,
    pub(crate) error: bool,
}

/// A provider of OpenAI's format at `base_url`, with one key and the model `m`, which it calls `m-upstream`.
pub(crate) fn provider(name: &str, base_url: &str, priority: i32) -> Value {
    json!({
        "name": name, "system": "openai", "priority": priority,
        "connection": {"http": {
            "baseUrl": base_url, "locality": "Local",
            "dialect": {"format": "openai.chat", "path": "/chat/completions", "auth": "Bearer"},
            "credentials": [{"name": "main", "secret": "test/keys/main"}],
        }},
        "models": {"m": {"upstreamName": "m-upstream", "aliases": ["alias"]}},
    })
}

/// The same for Anthropic's format.
pub(crate) fn anthropic(name: &str, base_url: &str, priority: i32) -> Value {
    let mut provider = provider(name, base_url, priority);
    provider["system"] = json!("anthropic");
    provider["connection"]["http"]["dialect"] =
        json!({"format": "anthropic.messages", "path": "/messages", "auth": "XApiKey"});
    provider
}

/// One pool with these providers, one rule for everything.
pub(crate) fn snapshot(providers: &[Value]) -> Value {
    json!({
        "pools": {"test/pool": {"providers": providers}},
        "rules": [{"route": "test/route", "name": "all", "backends": [{"name": "pool", "pool": "test/pool"}]}],
    })
}

/// Two upstreams, `a` before `b`, and a sidecar in front of them.
pub(crate) async fn pair() -> (Upstream, Upstream, Sidecar) {
    let (a, b) = (
        Upstream::start().await.unwrap(),
        Upstream::start().await.unwrap(),
    );
    let providers = [
        provider("a", &a.base_url(), 0),
        provider("b", &b.base_url(), 1),
    ];
    let sidecar = Sidecar::start(&snapshot(&providers)).await;
    (a, b, sidecar)
}

/// A question, whole or streamed.
pub(crate) fn question(stream: bool) -> Value {
    json!({"model": "m", "stream": stream, "messages": [{"role": "user", "content": "Hi"}]})
}

/// A client of one format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaks {
    OpenAi,
    Anthropic,
}

/// What a client made of an answer, whole or streamed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) text: String,
    /// It came to the end that its format defines.
    pub(crate) complete: bool,
    /// It was told of an error.
    pub(crate) error: bool,
}

// === impl Speaks ===

impl Speaks {
    pub(crate) const BOTH: [Self; 2] = [Self::OpenAi, Self::Anthropic];

    /// A provider of this format.
    pub(crate) fn provider(self, name: &str, base_url: &str, priority: i32) -> Value {
        match self {
            Self::OpenAi => provider(name, base_url, priority),
            Self::Anthropic => anthropic(name, base_url, priority),
        }
    }

    /// Asks in this format.
    pub(crate) async fn ask(self, sidecar: &Sidecar, stream: bool) -> Reply {
        let mut body = question(stream);
        body["max_tokens"] = json!(50);
        let path = match self {
            Self::OpenAi => "/v1/chat/completions",
            Self::Anthropic => "/v1/messages",
        };
        sidecar.post(path, body.to_string()).await
    }

    /// Reads an answer as an SDK of this format does.
    pub(crate) fn read(self, reply: &Reply, stream: bool) -> Seen {
        match (self, stream) {
            (Self::OpenAi, false) => Seen {
                text: reply.text(),
                complete: true,
                error: false,
            },
            (Self::Anthropic, false) => {
                let text = reply.json()["content"][0]["text"]
                    .as_str()
                    .unwrap()
                    .to_owned();
                Seen {
                    text,
                    complete: true,
                    error: false,
                }
            }
            (Self::OpenAi, true) => {
                let Streamed {
                    text, done, error, ..
                } = reply.streamed();
                Seen {
                    text,
                    complete: done,
                    error,
                }
            }
            (Self::Anthropic, true) => read_events(reply),
        }
    }
}

fn read_events(reply: &Reply) -> Seen {
    let mut seen = Seen::default();
    for frame in reply.frames() {
        let event: Value = serde_json::from_str(&frame).unwrap();
        match event["type"].as_str().unwrap() {
            "content_block_delta" => {
                seen.text += event["delta"]["text"].as_str().unwrap_or_default();
            }
            "message_stop" => seen.complete = true,
            "error" => seen.error = true,
            _ => {}
        }
    }
    seen
}
