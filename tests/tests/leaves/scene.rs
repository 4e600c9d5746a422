//! Manifests, two providers, one pod and what it asks; played from the manifests to the answers.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use fkm_cli::manifests::{Manifests, Options};
use fkm_compile::{Compiled, Inputs, RouteInput, compile};
use fkm_sidecar::app::Running;
use fkm_sidecar::args::{Settings, Source};
use fkm_sidecar::network::NetworkSettings;
use fkm_snapshot::Secrets;
use fkm_tests::http::{Reply, get, post};
use fkm_upstream::Step;
use serde_json::{Value, json};

use crate::objects::{SHOP, surroundings};
use crate::providers::{Does, Providers};
use crate::transcript::{Transcript, answer};

/// How often [`Ask::Often`] asks.
const OFTEN: usize = 64;
/// Who answers less often is not told. One of two equal providers does so with a chance below 10^-14, one that has a
/// millionth of the weight does not with a chance below 10^-17.
const SELDOM: usize = 4;

/// The most that a weight may be.
pub(crate) const MOST: u32 = 1_000_000;

/// What is played.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    /// The pools and routes.
    pub(crate) objects: Vec<Value>,
    asks: Vec<Ask>,
    a_does: Does,
    handshake: Duration,
}

/// What the pod asks of its sidecar.
#[derive(Clone, Debug)]
pub(crate) enum Ask {
    /// One chat request with this body.
    Chat(Value),
    /// One request of Anthropic's format with this body.
    Messages(Value),
    /// One request with this body at this path.
    Post(&'static str, Value),
    /// The same many times; who answered more than a few of them is told.
    Often(Value),
    /// `GET /v1/models`.
    Models,
    /// The rules of which there are request metrics.
    Metrics,
    /// A part of the config dump.
    Config(&'static str),
}

/// A question for a model.
pub(crate) fn question(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "Hi"}]})
}

/// The same, to be answered as a stream.
pub(crate) fn stream(model: &str) -> Value {
    json!({"model": model, "stream": true, "messages": [{"role": "user", "content": "Hi"}]})
}

// === impl Scene ===

impl Scene {
    /// Pools and routes, and one question for `m`.
    pub(crate) fn new(objects: impl IntoIterator<Item = Value>) -> Self {
        Self {
            objects: objects.into_iter().collect(),
            asks: vec![Ask::Chat(question("m"))],
            a_does: Does::This(Step::answer("from a")),
            handshake: Duration::ZERO,
        }
    }

    /// Asks this instead.
    pub(crate) fn asking(mut self, asks: impl IntoIterator<Item = Ask>) -> Self {
        self.asks = asks.into_iter().collect();
        self
    }

    /// Upstream `a` does this with every request.
    pub(crate) fn a_does(mut self, does: Does) -> Self {
        self.a_does = does;
        self
    }

    /// The TLS front lets clients wait for its part of the handshake.
    pub(crate) fn handshake(mut self, after: Duration) -> Self {
        self.handshake = after;
        self
    }

    /// Plays it once, with providers and a sidecar of its own.
    pub(crate) async fn play(&self) -> Transcript {
        let mut transcript = Transcript::default();
        let providers = Providers::start(&self.a_does, self.handshake).await;
        let (payload, secrets) = self.compile(&providers, &mut transcript);
        let sidecar = start_sidecar(&providers).await;
        match sidecar.store().apply(&payload, &secrets) {
            Ok(_) => {
                for ask in &self.asks {
                    let ask = ask.filled(&providers);
                    ask.put(&sidecar, &mut transcript).await;
                }
            }
            Err(problems) => transcript.refuse(format!("the sidecar refused {problems:?}")),
        }
        providers.tell(&mut transcript);
        sidecar.shut_down().await;
        transcript
    }

    /// What the API server and the operator make of the manifests, for the pod.
    fn compile(&self, providers: &Providers, transcript: &mut Transcript) -> (Vec<u8>, Secrets) {
        let manifests = self.manifests(providers);
        for judged in manifests.judged() {
            for finding in &judged.findings {
                let (stage, path, message) =
                    (finding.stage.name(), &finding.path, &finding.message);
                transcript.refuse(format!(
                    "{}: refused by {stage}: {path}: {message}",
                    judged.origin.title()
                ));
            }
        }
        let mut routes = manifests.routes();
        routes.retain(is_for_the_pod);
        let world = manifests.world();
        let compiled = compile(&Inputs {
            routes,
            world: &world,
        });
        for (name, verdict) in &compiled.pools {
            transcript.verdict(&format!("ProviderPool {name}"), verdict);
        }
        for (name, verdict) in &compiled.routes {
            transcript.verdict(&format!("LLMRoute {name}"), verdict);
        }
        let secrets = secrets(&manifests, &compiled);
        (compiled.payload, secrets)
    }

    fn manifests(&self, providers: &Providers) -> Manifests {
        let mut manifests = Manifests::new(Options {
            namespace: "default".to_owned(),
            assume_secrets: false,
        });
        for mut object in surroundings().into_iter().chain(self.objects.clone()) {
            providers.fill(&mut object);
            manifests.add_text(Path::new("scene.json"), &object.to_string());
        }
        manifests
    }
}

/// Whether a route is for the pod: labels `app: shop` and `tier: web` in namespace `shop`.
fn is_for_the_pod(route: &RouteInput<'_>) -> bool {
    let labels =
        [("app", "shop"), ("tier", "web")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    let selector = route.live.workload_selector.as_ref();
    let labels = BTreeMap::from(labels);
    route.meta.namespace == SHOP && selector.is_none_or(|selector| selector.matches(&labels))
}

/// The keys that the snapshot names, as the operator delivers them.
fn secrets(manifests: &Manifests, compiled: &Compiled) -> Secrets {
    let mut entries = manifests.secret_values();
    entries.retain(|id, _| compiled.secrets.contains(id));
    Secrets {
        version: "1".to_owned(),
        entries,
    }
}

/// Its own roots are the CA of the providers.
async fn start_sidecar(providers: &Providers) -> Running {
    let folder = tempfile::tempdir().unwrap();
    let roots = folder.path().join("ca.pem");
    std::fs::write(&roots, providers.ca_pem()).unwrap();
    let any = "127.0.0.1:0".parse().unwrap();
    let settings = Settings {
        listen: vec![any],
        admin_listen: vec![any],
        probe_listen: any,
        source: Source::Embedded,
        drain: Duration::from_secs(1),
        ambient: providers.ambient(),
        network: NetworkSettings {
            roots: Some(roots),
            ..NetworkSettings::default()
        },
    };
    Running::start(&settings).await.unwrap()
}

// === impl Ask ===

impl Ask {
    /// With the addresses of the far side.
    fn filled(&self, providers: &Providers) -> Self {
        let mut ask = self.clone();
        if let Self::Chat(body) | Self::Messages(body) | Self::Post(_, body) | Self::Often(body) =
            &mut ask
        {
            providers.fill(body);
        }
        ask
    }

    async fn put(&self, sidecar: &Running, transcript: &mut Transcript) {
        match self {
            Self::Chat(body) => {
                let reply = chat(sidecar, body).await;
                transcript.add(format!("{} {}", body["model"], answer(&reply)));
            }
            Self::Messages(body) => {
                let url = format!("http://{}/v1/messages", sidecar.addresses().llm[0]);
                let reply = post(&url, body).await.unwrap();
                transcript.add(format!("{} {}", body["model"], answer(&reply)));
            }
            Self::Post(path, body) => {
                let url = format!("http://{}{path}", sidecar.addresses().llm[0]);
                let reply = post(&url, body).await.unwrap();
                transcript.add(format!("{path} {}", answer(&reply)));
            }
            Self::Often(body) => {
                let mut answers: BTreeMap<String, usize> = BTreeMap::new();
                for _ in 0..OFTEN {
                    let reply = chat(sidecar, body).await;
                    *answers
                        .entry(reply.header("x-fkm-provider").to_owned())
                        .or_default() += 1;
                }
                answers.retain(|_, count| *count >= SELDOM);
                transcript.add(format!(
                    "answered by {:?}",
                    answers.keys().collect::<Vec<_>>()
                ));
            }
            Self::Models => {
                let listed = get(&format!("http://{}/v1/models", sidecar.addresses().llm[0])).await;
                transcript.add(format!("models {}", listed.unwrap()));
            }
            Self::Metrics => {
                let page = get(&format!("http://{}/metrics", sidecar.addresses().probe))
                    .await
                    .unwrap();
                let requests = page
                    .lines()
                    .filter(|line| line.starts_with("fkm_requests_total"));
                requests.for_each(|line| transcript.add(line.to_owned()));
            }
            Self::Config(pointer) => {
                let dump = get(&format!("http://{}/config", sidecar.addresses().admin[0]))
                    .await
                    .unwrap();
                let dump: Value = serde_json::from_str(&dump).unwrap();
                transcript.add(format!(
                    "config {pointer} {}",
                    dump.pointer(pointer).unwrap_or(&Value::Null)
                ));
            }
        }
    }
}

async fn chat(sidecar: &Running, body: &Value) -> Reply {
    let url = format!("http://{}/v1/chat/completions", sidecar.addresses().llm[0]);
    post(&url, body).await.unwrap()
}
