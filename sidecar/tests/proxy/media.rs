//! Images and documents at an address: sent on where the provider fetches them, fetched where the pool allows it, and what
//! no address gets.

mod files;
mod refused;

use std::net::IpAddr;
use std::sync::Arc;

use fkm_llm::Format;
use fkm_sidecar::network::{NetworkSettings, Resolver};
use fkm_upstream::{Step, Upstream};
use serde_json::{Value, json};

use self::files::{Files, Served};
use crate::formats::{of, streamed, whole};
use crate::harness::{KEY, Reply, Sidecar, send, snapshot};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
const PNG64: &str = "iVBORw0KGgoAAAANSUhEUg==";
const PDF: &[u8] = b"%PDF-1.7 ";
const PDF64: &str = "JVBERi0xLjcg";

/// `files.test` and the like are here; `evil.test` is where clouds keep metadata, `private.test` in a private network.
fn names() -> NetworkSettings {
    let look_up = |name: &str| -> Vec<IpAddr> {
        let address = match name {
            "evil.test" => "169.254.169.254",
            "mapped.test" => "::ffff:169.254.169.254",
            "nat.test" => "64:ff9b::a9fe:a9fe",
            "private.test" => "10.0.0.1",
            "nowhere.test" => return Vec::new(),
            _ => "127.0.0.1",
        };
        vec![address.parse().unwrap()]
    };
    NetworkSettings {
        resolver: Resolver::Function(Arc::new(look_up)),
        ..NetworkSettings::default()
    }
}

/// Fetches from `files.test` at this port, and from others without one.
fn rules(files: &Files) -> Value {
    json!({
        "hosts": [format!("files.test:{}", files.port()), "evil.test", "mapped.test", "nat.test", "nowhere.test"],
        "plainHttp": true, "addresses": "Local",
        "maxBytes": 1000, "maxTotalBytes": 1500, "maxItems": 3, "timeout": 2000,
    })
}

fn with(providers: &[Value], media: Value) -> Value {
    let mut snapshot = snapshot(providers);
    snapshot["pools"]["test/pool"]["media"] = media;
    snapshot
}

/// A provider that fetches nothing itself.
fn never(home: Format, base_url: &str) -> Value {
    let mut provider = of(home, base_url);
    if home != Format::BedrockConverse {
        provider["connection"]["http"]["dialect"]["mediaUrls"] = json!("never");
    }
    provider
}

fn image(url: &str) -> Value {
    json!({"type": "image_url", "image_url": {"url": url}})
}

fn asking(parts: &[Value], stream: bool) -> Value {
    json!({"model": "m", "stream": stream, "messages": [{"role": "user", "content": parts}]})
}

/// Serves the few files of most tests.
fn usual(path: &str) -> Served {
    let text = "HTTP/1.1 200 OK\r\n";
    match path {
        "/x" | "/x?sig=1" | "/y" => Served::whole("200 OK\r\ncontent-type: text/html", PNG),
        "/doc" => Served::whole("200 OK", PDF),
        "/large" => Served::whole("200 OK", &[PNG, &[0; 1000]].concat()),
        "/endless" => Served::until_close(&[PNG, &vec![0; 100_000]].concat()),
        "/800" | "/801" => Served::until_close(&[PNG, &[0; 800]].concat()),
        "/page" => Served::whole(
            "200 OK\r\ncontent-type: image/png",
            b"<!DOCTYPE html>secret",
        ),
        "/zipped" => Served::whole("200 OK\r\ncontent-encoding: gzip", PNG),
        "/short" => Served {
            bytes: format!("{text}content-length: 900\r\n\r\nabc").into(),
            hangs: false,
        },
        "/slow" => Served {
            bytes: format!("{text}content-length: 900\r\n\r\nabc").into(),
            hangs: true,
        },
        "/mute" => Served {
            bytes: Vec::new(),
            hangs: true,
        },
        "/relative" => Served::redirect("x"),
        "/loop" => Served::redirect("/loop"),
        "/to-evil" => Served::redirect("http://evil.test/latest/meta-data"),
        "/to-literal" => Served::redirect("http://169.254.169.254/"),
        "/to-elsewhere" => Served::redirect("http://elsewhere.test/"),
        "/to-file" => Served::redirect("file:///etc/passwd"),
        _ => Served::whole("404 Not Found", b"no such file"),
    }
}

struct Scene {
    files: Files,
    upstream: Upstream,
    sidecar: Sidecar,
}

/// A provider of OpenAI's format that fetches nothing, such as Ollama.
async fn scene() -> Scene {
    let files = Files::start(usual).await;
    let upstream = Upstream::start().await.unwrap();
    let provider = never(Format::OpenAiChat, &upstream.base_url());
    let sidecar = Sidecar::start_in(names(), &with(&[provider], rules(&files))).await;
    Scene {
        files,
        upstream,
        sidecar,
    }
}

// === impl Scene ===

impl Scene {
    fn url(&self, path: &str) -> String {
        format!("http://files.test:{}{path}", self.files.port())
    }

    async fn ask(&self, url: &str) -> Reply {
        self.sidecar.chat(&asking(&[image(url)], false)).await
    }

    async fn metrics(&self) -> String {
        let url = format!("http://{}/metrics", self.sidecar.running.addresses().probe);
        let reply = send(http::Method::GET, &url, &[], bytes::Bytes::new()).await;
        String::from_utf8(reply.body.to_vec()).unwrap()
    }
}

#[tokio::test]
async fn what_a_provider_does_not_fetch_is_fetched_for_it() {
    let files = Files::start(usual).await;
    let url = format!("http://files.test:{}/x?sig=1", files.port());
    for home in [
        Format::OpenAiChat,
        Format::OpenAiResponses,
        Format::AnthropicMessages,
        Format::BedrockConverse,
        Format::CohereChat,
        Format::GeminiGenerateContent,
    ] {
        let upstream = Upstream::start().await.unwrap();
        let provider = never(home, &upstream.base_url());
        let sidecar = Sidecar::start_in(names(), &with(&[provider], rules(&files))).await;
        for stream in [false, true] {
            upstream.script(vec![if stream { streamed(home) } else { whole(home) }]);
            let text = json!({"type": "text", "text": "What is this?"});
            let reply = sidecar.chat(&asking(&[text, image(&url)], stream)).await;
            assert_eq!(reply.status, 200, "{home}: {reply:?}");
        }
        let requests = upstream.requests();
        assert_eq!(requests.len(), 2, "{home}");
        for request in requests {
            let body = String::from_utf8(request.body.to_vec()).unwrap();
            assert!(
                body.contains(PNG64) && !body.contains("files.test"),
                "{home}: {body}"
            );
        }
    }
}

#[tokio::test]
async fn a_provider_that_fetches_itself_gets_the_address() {
    let files = Files::start(usual).await;
    let url = format!("http://files.test:{}/x.png", files.port());
    for home in [
        Format::OpenAiChat,
        Format::AnthropicMessages,
        Format::CohereChat,
        Format::GeminiGenerateContent,
    ] {
        let upstream = Upstream::start().await.unwrap();
        upstream.script(vec![whole(home)]);
        let provider = of(home, &upstream.base_url());
        let sidecar = Sidecar::start_in(names(), &with(&[provider], rules(&files))).await;
        let reply = sidecar.chat(&asking(&[image(&url)], false)).await;
        assert_eq!(reply.status, 200, "{home}: {reply:?}");
        let body = String::from_utf8(upstream.requests()[0].body.to_vec()).unwrap();
        assert!(body.contains(&url), "{home}: {body}");
    }
    assert!(files.asked().is_empty());
}

#[tokio::test]
async fn a_host_of_media_learns_nothing_but_the_address() {
    let scene = scene().await;
    let body = asking(&[image(&scene.url("/x?sig=1#part"))], false).to_string();
    let headers = [
        ("authorization", "Bearer client"),
        ("cookie", "a=b"),
        ("user-agent", "app"),
        ("openai-beta", "x"),
        (
            "traceparent",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ),
    ];
    let url = scene.sidecar.url("/v1/chat/completions");
    let reply = send(http::Method::POST, &url, &headers, body.into()).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let asked = scene.files.asked();
    let [head] = &asked[..] else {
        panic!("{asked:?}")
    };
    assert!(!head.contains(KEY) && !head.contains("client"), "{head}");
    let mut lines = head.trim_end().lines();
    assert_eq!(lines.next(), Some("GET /x?sig=1 HTTP/1.1"));
    let mut names: Vec<&str> = lines.map(|line| line.split(':').next().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["accept", "accept-encoding", "host", "user-agent"],
        "{head}"
    );
    assert!(head.contains("accept-encoding: identity"), "{head}");
    assert!(head.contains("user-agent: fkm-sidecar/"), "{head}");
}

#[tokio::test]
async fn another_provider_that_fetches_itself_answers_instead() {
    let files = Files::start(usual).await;
    let (a, b) = (
        Upstream::start().await.unwrap(),
        Upstream::start().await.unwrap(),
    );
    let mut taking = of(Format::OpenAiChat, &b.base_url());
    taking["name"] = json!("b");
    taking["priority"] = json!(1);
    let providers = [never(Format::OpenAiChat, &a.base_url()), taking];
    for snapshot in [snapshot(&providers), with(&providers, rules(&files))] {
        let sidecar = Sidecar::start_in(names(), &snapshot).await;
        let url = format!("http://files.test:{}/missing", files.port());
        let reply = sidecar.chat(&asking(&[image(&url)], false)).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        assert_eq!(reply.header("x-fkm-provider"), "b");
    }
    assert!(a.requests().is_empty());
    assert_eq!(b.requests().len(), 2);
}

#[tokio::test]
async fn a_request_has_only_so_many_and_each_address_is_asked_once() {
    let scene = scene().await;
    let three = [
        image(&scene.url("/x")),
        image(&scene.url("/y")),
        image(&scene.url("/x")),
    ];
    let reply = scene.sidecar.chat(&asking(&three, false)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(scene.files.asked().len(), 2);
    let body = String::from_utf8(scene.upstream.requests()[0].body.to_vec()).unwrap();
    assert_eq!(body.matches(PNG64).count(), 3);
    let metrics = scene.metrics().await;
    let fetched = format!("fkm_media_fetched_bytes_total {}", 2 * PNG.len());
    assert!(metrics.contains(&fetched), "{metrics}");

    let four: Vec<Value> = (0..4)
        .map(|i| image(&scene.url(&format!("/{i}"))))
        .collect();
    let reply = scene.sidecar.chat(&asking(&four, false)).await;
    assert_eq!(reply.status, 400);
    assert_eq!(
        reply.json()["error"]["param"],
        "messages[0].content[3].image_url"
    );
    assert!(reply.message().contains("the pool allows 3"), "{reply:?}");
    assert_eq!(scene.files.asked().len(), 2);
}

#[tokio::test]
async fn attempts_of_one_request_share_what_was_fetched() {
    let files = Files::start(usual).await;
    let (a, b) = (
        Upstream::start().await.unwrap(),
        Upstream::start().await.unwrap(),
    );
    a.script(vec![Step::status(503), Step::status(503)]);
    let mut second = never(Format::OpenAiChat, &b.base_url());
    second["name"] = json!("b");
    second["priority"] = json!(1);
    let providers = [never(Format::OpenAiChat, &a.base_url()), second];
    let sidecar = Sidecar::start_in(names(), &with(&providers, rules(&files))).await;
    let url = format!("http://files.test:{}/x", files.port());
    let reply = sidecar.chat(&asking(&[image(&url)], true)).await;
    assert_eq!(reply.header("x-fkm-provider"), "b", "{reply:?}");
    assert!(reply.streamed().done);
    assert_eq!(files.asked().len(), 1);
    for upstream in [&a, &b] {
        let body = String::from_utf8(upstream.requests()[0].body.to_vec()).unwrap();
        assert!(body.contains(PNG64), "{body}");
    }
}

#[tokio::test]
async fn documents_are_fetched_for_clients_of_other_formats() {
    let scene = scene().await;
    scene.upstream.set_default(whole(Format::OpenAiChat));
    let source = json!({"type": "url", "url": scene.url("/doc")});
    let parts = json!([{"type": "document", "source": source}]);
    let body =
        json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": parts}]});
    let reply = scene.sidecar.post("/v1/messages", body.to_string()).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let part = json!([{"type": "input_file", "file_url": scene.url("/doc")}]);
    let body = json!({"model": "m", "input": [{"role": "user", "content": part}]});
    let reply = scene.sidecar.post("/v1/responses", body.to_string()).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let data = json!({"fileUri": scene.url("/doc"), "mimeType": "application/pdf"});
    let body = json!({"contents": [{"role": "user", "parts": [{"fileData": data}]}]});
    let path = "/gemini/v1beta/models/m:generateContent";
    let reply = scene.sidecar.post(path, body.to_string()).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let requests = scene.upstream.requests();
    assert_eq!(requests.len(), 3);
    for request in requests {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let file = &body["messages"][0]["content"][0]["file"]["file_data"];
        assert_eq!(
            *file,
            json!(format!("data:application/pdf;base64,{PDF64}")),
            "{body}"
        );
    }
}
