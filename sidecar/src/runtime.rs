//! A snapshot made ready to serve: patterns parsed, names looked up, keys in header form, connection pools at hand.
//!
//! *Guarantees*: built completely or not at all, so a request never meets a half-applied snapshot; nothing on the request
//! path allocates, locks or resolves a name that was known when the snapshot came.

mod build;
mod endpoint;
mod kept;
mod listing;
mod ways;

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use fkm_llm::ProviderError;
use fkm_snapshot::{
    AnyFormat, Auth, Capabilities, Dialect, EmbeddingDialect, Format, ModelPattern, Policy, Price,
    RelayDialect, RerankDialect, Simulated, Strategy, ValidSnapshot,
};

pub(crate) use self::endpoint::Endpoint;
use self::endpoint::Paths;
use self::kept::KeptAt;
use crate::metrics::{OfferMetrics, RuleMetrics};
use crate::owner::Owner;
use crate::policy::order::{Weighted, order};
use crate::signin::SignIn;
use crate::upstream::client::HttpClient;
use crate::upstream::fetch::Fetcher;

/// One applied snapshot.
#[derive(Debug)]
pub(crate) struct Runtime {
    pub(crate) snapshot: ValidSnapshot,
    pub(crate) secrets_version: String,
    pub(crate) rules: Vec<RuleRuntime>,
    /// What `/v1/models` lists, sorted: name and who offers it.
    pub(crate) models: BTreeMap<String, String>,
}

/// One rule.
#[derive(Debug)]
pub(crate) struct RuleRuntime {
    pub(crate) route: Arc<str>,
    pub(crate) name: Arc<str>,
    /// Empty: every name.
    patterns: Vec<ModelPattern>,
    strategy: Strategy,
    backends: Vec<BackendRuntime>,
    pub(crate) policy: Policy,
    /// Why the rule has no backend; empty where it has.
    pub(crate) unavailable: String,
    pub(crate) metrics: RuleMetrics,
}

#[derive(Debug)]
struct BackendRuntime {
    name: Arc<str>,
    weight: u32,
    model: Option<String>,
    /// The offers of the pool by model name and alias.
    offers: Arc<HashMap<String, Vec<Offer>>>,
}

/// A model at a provider.
#[derive(Clone, Debug)]
pub(crate) struct Offer {
    pub(crate) provider: Arc<ProviderRuntime>,
    /// How it is asked: what the provider leads with first, at least one.
    ways: Arc<[Way]>,
    /// The name to send.
    pub(crate) upstream_model: Arc<str>,
    pub(crate) max_output_tokens: Option<u64>,
    pub(crate) capabilities: Arc<Capabilities>,
    /// `None`: not known.
    pub(crate) price: Option<Arc<Price>>,
    pub(crate) metrics: Arc<OfferMetrics>,
}

/// One way to ask for a model.
#[derive(Clone, Debug)]
pub(crate) struct Way {
    pub(crate) speaks: Speaks,
    /// Where requests go; `None` without a network.
    pub(crate) endpoint: Option<Arc<Endpoint>>,
}

/// How a provider speaks, in one format of one operation.
#[derive(Clone, Debug)]
pub(crate) enum Speaks {
    Chat(Arc<Dialect>),
    Embeddings(Arc<EmbeddingDialect>),
    Rerank(Arc<RerankDialect>),
    Relayed(Arc<RelayDialect>),
}

/// One provider, as one rule reaches it.
#[derive(Debug)]
pub(crate) struct ProviderRuntime {
    pub(crate) name: Arc<str>,
    /// `gen_ai.provider.name`.
    pub(crate) system: String,
    priority: i32,
    weight: u32,
    /// Its place in the pool.
    index: usize,
    pub(crate) link: Link,
    /// Fetches media for its clients; `None`: its pool does not allow that.
    pub(crate) media: Option<Arc<Fetcher>>,
}

/// How a provider is reached.
#[derive(Debug)]
pub(crate) enum Link {
    Http(HttpLink),
    Simulated(Simulated),
}

/// What the simulated provider speaks.
static SIMULATED: LazyLock<Arc<Dialect>> =
    LazyLock::new(|| Arc::new(Dialect::new(Format::OpenAiChat, "/", Auth::Bearer)));

/// A provider over HTTP.
#[derive(Debug)]
pub(crate) struct HttpLink {
    /// One per key, at least one.
    keys: Vec<Key>,
    keeps: Vec<KeptAt>,
    turn: AtomicUsize,
}

/// A credential of a provider with the connections that are used with it.
#[derive(Debug)]
pub(crate) struct Key {
    /// The credential's name; empty where there is none.
    pub(crate) name: Arc<str>,
    /// Who keeps what is made with it.
    pub(crate) owner: Owner,
    pub(crate) client: HttpClient,
    /// What is shown, and what takes it out of what a provider says.
    pub(crate) sign_in: SignIn,
}

/// One entry of a plan: an offer and which key of its provider is used.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    /// The backend that it comes from.
    pub(crate) backend: Arc<str>,
    pub(crate) offer: Offer,
    pub(crate) key: usize,
    way: usize,
}

// === impl RuleRuntime ===

impl RuleRuntime {
    /// Whether the name, as the client sent it, is this rule's.
    pub(crate) fn matches(&self, model: &str) -> bool {
        self.patterns.is_empty() || self.patterns.iter().any(|pattern| pattern.matches(model))
    }

    /// The candidates for a request in `format` that asked for `model`, in the order in which they are tried.
    pub(crate) fn plan(&self, model: &str, format: AnyFormat) -> Vec<Candidate> {
        let backends = match self.strategy {
            Strategy::Priority => (0..self.backends.len()).collect(),
            Strategy::Weighted => order(&self.backends, |n| fastrand::u64(0..n)),
        };
        let mut plan = Vec::with_capacity(backends.len() + 2);
        for backend in backends.into_iter().map(|index| &self.backends[index]) {
            let name = backend.model.as_deref().unwrap_or(model);
            let Some(offers) = backend.offers.get(name) else {
                continue;
            };
            for index in order(offers, |n| fastrand::u64(0..n)) {
                offers[index].push_candidates(&backend.name, format, &mut plan);
            }
        }
        plan
    }
}

impl Weighted for BackendRuntime {
    fn tier(&self) -> i32 {
        0
    }

    fn weight(&self) -> u32 {
        self.weight
    }
}

// === impl Offer ===

impl Offer {
    /// Whether it is the same model at the same provider.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.provider, &other.provider) && self.upstream_model == other.upstream_model
    }

    /// How a client of this format is served: in its own, or in the first of the same operation.
    fn way(&self, format: AnyFormat) -> Option<usize> {
        let mut ways = self.ways.iter();
        let same = ways.position(|way| way.speaks.format() == format);
        same.or_else(|| {
            let mut ways = self.ways.iter();
            ways.position(|way| way.speaks.format().operation() == format.operation())
        })
    }

    /// One candidate per key, beginning with the one whose turn it is; none where the model does not do what is asked.
    fn push_candidates(&self, backend: &Arc<str>, format: AnyFormat, plan: &mut Vec<Candidate>) {
        let Some(way) = self.way(format) else {
            return;
        };
        let (keys, first) = match &self.provider.link {
            Link::Http(http) => (http.keys.len(), http.turn.fetch_add(1, Ordering::Relaxed)),
            Link::Simulated(_) => (1, 0),
        };
        plan.extend((0..keys).map(|i| Candidate {
            backend: backend.clone(),
            offer: self.clone(),
            key: (first + i) % keys,
            way,
        }));
    }
}

impl Weighted for Offer {
    fn tier(&self) -> i32 {
        self.provider.priority
    }

    fn weight(&self) -> u32 {
        self.provider.weight
    }
}

// === impl Candidate ===

impl Candidate {
    /// How the model is asked.
    pub(crate) fn way(&self) -> &Way {
        &self.offer.ways[self.way]
    }

    /// Takes the key that was used out of what the provider says.
    pub(crate) fn redact(&self, error: &mut ProviderError) {
        if let Link::Http(http) = &self.offer.provider.link {
            let sign_in = &http.key(self.key).sign_in;
            sign_in.each_redactor(|redactor| error.redact(redactor));
        }
    }

    /// Whether a text of the provider's repeats the key that was used.
    pub(crate) fn key_is_in(&self, text: &str) -> bool {
        match &self.offer.provider.link {
            Link::Http(http) => http.key(self.key).sign_in.is_in(text),
            Link::Simulated(_) => false,
        }
    }

    /// The name of the credential that is used; empty where none is.
    pub(crate) fn credential(&self) -> &str {
        self.key_name().map_or("", |name| name)
    }

    /// The name of the credential, to be kept.
    pub(crate) fn key_name(&self) -> Option<&Arc<str>> {
        match &self.offer.provider.link {
            Link::Http(http) => Some(&http.key(self.key).name),
            Link::Simulated(_) => None,
        }
    }
}

// === impl Speaks ===

impl Speaks {
    /// The format.
    pub(crate) fn format(&self) -> AnyFormat {
        match self {
            Self::Chat(dialect) => AnyFormat::Chat(dialect.format),
            Self::Embeddings(dialect) => AnyFormat::Embeddings(dialect.format),
            Self::Rerank(dialect) => AnyFormat::Rerank(dialect.format),
            Self::Relayed(dialect) => AnyFormat::Relayed(dialect.format),
        }
    }

    /// Where requests go, below the base URL.
    fn paths(&self) -> Paths<'_> {
        let one = |path| Paths {
            whole: path,
            stream: path,
            count: None,
        };
        match self {
            Self::Chat(dialect) => Paths {
                stream: dialect.stream_path.as_ref().unwrap_or(&dialect.path),
                count: dialect.count_path.as_deref(),
                ..one(&dialect.path)
            },
            Self::Embeddings(dialect) => one(&dialect.path),
            Self::Rerank(dialect) => one(&dialect.path),
            Self::Relayed(dialect) => one(dialect.path()),
        }
    }
}

// === impl HttpLink ===

impl HttpLink {
    /// The key of a candidate.
    pub(crate) fn key(&self, index: usize) -> &Key {
        &self.keys[index]
    }
}
