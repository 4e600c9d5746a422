//! A snapshot made ready to serve: patterns parsed, names looked up, keys in header form, connection pools at hand.
//!
//! *Guarantees*: built completely or not at all, so a request never meets a half-applied snapshot; nothing on the request
//! path allocates, locks or resolves a name that was known when the snapshot came.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use fkm_llm::WireFormat;
use fkm_snapshot::{
    Auth, Connection, Dialect, Format, HttpConnection, Millis, ModelPattern, Policy, Pool, Problem,
    ProblemCode, Provider, Rule, Secrets, Simulated, Strategy, ValidSnapshot,
};
use http::{HeaderName, HeaderValue, Uri, header};
use secrecy::{ExposeSecret, SecretString};

use crate::metrics::{Metrics, RuleMetrics};
use crate::policy::order::{Weighted, order};
use crate::upstream::client::{Clients, HttpClient, PoolKey};

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
    /// The name to send.
    pub(crate) upstream_model: Arc<str>,
    pub(crate) max_output_tokens: Option<u64>,
}

/// One provider, as one rule reaches it.
#[derive(Debug)]
pub(crate) struct ProviderRuntime {
    pub(crate) name: String,
    /// `gen_ai.provider.name`.
    pub(crate) system: String,
    priority: i32,
    weight: u32,
    pub(crate) link: Link,
}

/// How a provider is reached.
#[derive(Debug)]
pub(crate) enum Link {
    Http(HttpLink),
    Simulated(Simulated),
}

/// A provider over HTTP.
#[derive(Debug)]
pub(crate) struct HttpLink {
    pub(crate) uri: Uri,
    pub(crate) dialect: Dialect,
    /// One per key, at least one.
    keys: Vec<Key>,
    turn: AtomicUsize,
}

/// A key of a provider with the connections that are used with it.
#[derive(Debug)]
pub(crate) struct Key {
    /// The credential's name; empty where no key is sent.
    pub(crate) name: String,
    pub(crate) client: HttpClient,
    /// The header that shows the key, where there is one. Marked sensitive.
    pub(crate) header: Option<(HeaderName, HeaderValue)>,
    /// The value, to take it out of what a provider says.
    pub(crate) secret: Option<SecretString>,
}

/// One entry of a plan: an offer and which key of its provider is used.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    /// The backend that it comes from.
    pub(crate) backend: Arc<str>,
    pub(crate) offer: Offer,
    pub(crate) key: usize,
}

// === impl Runtime ===

impl Runtime {
    /// Makes a snapshot ready with these keys; reports every key that is missing or unusable.
    pub(crate) fn try_new(
        snapshot: ValidSnapshot,
        secrets: &Secrets,
        clients: &Clients,
        metrics: &Metrics,
    ) -> Result<Self, Vec<Problem>> {
        let mut builder = Builder {
            secrets,
            clients,
            used: HashSet::new(),
            problems: Vec::new(),
        };
        let pools = &snapshot.get().pools;
        let rules: Vec<RuleRuntime> = snapshot
            .get()
            .rules
            .iter()
            .map(|rule| builder.rule(rule, pools, metrics))
            .collect();
        if !builder.problems.is_empty() {
            return Err(builder.problems);
        }
        clients.retain(&builder.used);
        Ok(Self {
            models: listed_models(&snapshot),
            secrets_version: secrets.version.clone(),
            snapshot,
            rules,
        })
    }
}

/// The literal names of the matches; for patterns or none, the names and aliases of the backends that would match.
fn listed_models(snapshot: &ValidSnapshot) -> BTreeMap<String, String> {
    let mut listed = BTreeMap::new();
    for rule in &snapshot.get().rules {
        let patterns = rule_patterns(rule);
        for pattern in &patterns {
            if let ModelPattern::Literal(name) = pattern {
                listed
                    .entry(name.clone())
                    .or_insert_with(|| rule.route.clone());
            }
        }
        for (name, owner) in reachable_names(rule, snapshot) {
            if patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(name)) {
                listed
                    .entry(name.to_owned())
                    .or_insert_with(|| owner.to_owned());
            }
        }
    }
    listed
}

/// The patterns of a rule; none: it matches every name, as a match without models does.
fn rule_patterns(rule: &Rule) -> Vec<ModelPattern> {
    if rule.matches.iter().any(|matcher| matcher.models.is_empty()) {
        return Vec::new();
    }
    let patterns = rule.matches.iter().flat_map(|matcher| &matcher.models);
    patterns
        .filter_map(|pattern| ModelPattern::try_new(pattern).ok())
        .collect()
}

fn reachable_names<'a>(
    rule: &'a Rule,
    snapshot: &'a ValidSnapshot,
) -> impl Iterator<Item = (&'a str, &'a str)> {
    let backends = rule.backends.iter();
    backends.flat_map(|backend| {
        let pool = snapshot.get().pools.get(&backend.pool);
        let providers = pool.into_iter().flat_map(|pool| &pool.providers);
        providers.flat_map(move |provider| {
            let models = provider.models.iter();
            models
                .filter(move |(name, model)| {
                    backend.model.is_empty()
                        || **name == backend.model
                        || model.aliases.contains(&backend.model)
                })
                .flat_map(|(name, model)| std::iter::once(name).chain(&model.aliases))
                .map(|name| (name.as_str(), provider.system.as_str()))
        })
    })
}

// === impl RuleRuntime ===

impl RuleRuntime {
    /// Whether the name, as the client sent it, is this rule's.
    pub(crate) fn matches(&self, model: &str) -> bool {
        self.patterns.is_empty() || self.patterns.iter().any(|pattern| pattern.matches(model))
    }

    /// The candidates for a request that asked for `model`, in the order in which they are tried.
    pub(crate) fn plan(&self, model: &str) -> Vec<Candidate> {
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
                offers[index].push_candidates(&backend.name, &mut plan);
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

    /// One candidate per key, beginning with the one whose turn it is.
    fn push_candidates(&self, backend: &Arc<str>, plan: &mut Vec<Candidate>) {
        let (keys, first) = match &self.provider.link {
            Link::Http(http) => (http.keys.len(), http.turn.fetch_add(1, Ordering::Relaxed)),
            Link::Simulated(_) => (1, 0),
        };
        plan.extend((0..keys).map(|i| Candidate {
            backend: backend.clone(),
            offer: self.clone(),
            key: (first + i) % keys,
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
    /// The name of the credential that is used; empty where none is.
    pub(crate) fn credential(&self) -> &str {
        match &self.offer.provider.link {
            Link::Http(http) => &http.key(self.key).name,
            Link::Simulated(_) => "",
        }
    }
}

// === impl ProviderRuntime ===

impl ProviderRuntime {
    /// What the provider speaks.
    pub(crate) fn format(&self) -> &'static dyn WireFormat {
        match &self.link {
            Link::Http(http) => fkm_llm::format(http.dialect.format),
            Link::Simulated(_) => fkm_llm::format(Format::OpenAiChat),
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

/// What building one runtime needs and finds.
struct Builder<'a> {
    secrets: &'a Secrets,
    clients: &'a Clients,
    used: HashSet<PoolKey>,
    problems: Vec<Problem>,
}

// === impl Builder ===

impl Builder<'_> {
    fn rule(
        &mut self,
        rule: &Rule,
        pools: &BTreeMap<String, Pool>,
        metrics: &Metrics,
    ) -> RuleRuntime {
        let connect = rule.policy.timeouts.connect;
        let mut offers = HashMap::new();
        let names: BTreeSet<&String> = rule.backends.iter().map(|backend| &backend.pool).collect();
        for name in names {
            let pool = pools.get(name).cloned().unwrap_or_default();
            offers.insert(name, Arc::new(self.pool(name, &pool, connect)));
        }
        let backends = rule.backends.iter().map(|backend| BackendRuntime {
            name: backend.name.as_str().into(),
            weight: backend.weight,
            model: (!backend.model.is_empty()).then(|| backend.model.clone()),
            offers: offers[&backend.pool].clone(),
        });
        RuleRuntime {
            route: rule.route.as_str().into(),
            name: rule.name.as_str().into(),
            patterns: rule_patterns(rule),
            strategy: rule.strategy,
            backends: backends.collect(),
            policy: rule.policy.clone(),
            unavailable: rule.unavailable.clone(),
            metrics: metrics.rule(&rule.route, &rule.name),
        }
    }

    fn pool(&mut self, name: &str, pool: &Pool, connect: Millis) -> HashMap<String, Vec<Offer>> {
        let mut offers: HashMap<String, Vec<Offer>> = HashMap::new();
        for (index, provider) in pool.providers.iter().enumerate() {
            let path = format!("pools[{name}].providers[{index}]");
            let Some(runtime) = self.provider(&path, provider, connect) else {
                continue;
            };
            let runtime = Arc::new(runtime);
            for (name, model) in &provider.models {
                let offer = Offer {
                    provider: runtime.clone(),
                    upstream_model: model.upstream_name(name).into(),
                    max_output_tokens: model.max_output_tokens,
                };
                for name in std::iter::once(name).chain(&model.aliases) {
                    offers.entry(name.clone()).or_default().push(offer.clone());
                }
            }
        }
        offers
    }

    fn provider(
        &mut self,
        path: &str,
        provider: &Provider,
        connect: Millis,
    ) -> Option<ProviderRuntime> {
        let link = match &provider.connection {
            Connection::Http(http) => Link::Http(self.http(path, http, connect)?),
            Connection::Simulated(simulated) => Link::Simulated(simulated.clone()),
        };
        Some(ProviderRuntime {
            name: provider.name.clone(),
            system: provider.system.clone(),
            priority: provider.priority,
            weight: provider.weight,
            link,
        })
    }

    fn http(&mut self, path: &str, http: &HttpConnection, connect: Millis) -> Option<HttpLink> {
        let path = format!("{path}.connection.http");
        let uri = format!(
            "{}{}",
            http.base_url.trim_end_matches('/'),
            http.dialect.path
        );
        let uri = match uri.parse() {
            Ok(uri) => uri,
            Err(error) => {
                return self.problem(
                    format!("{path}.baseUrl"),
                    ProblemCode::Invalid,
                    format!("{uri:?}: {error}"),
                );
            }
        };
        let mut keys = Vec::new();
        for (index, credential) in http.credentials.iter().enumerate() {
            let path = format!("{path}.credentials[{index}]");
            let Some(secret) = self.secrets.entries.get(&credential.secret) else {
                let message = format!("key {:?} was not delivered", credential.secret.0);
                self.problem::<()>(path, ProblemCode::SecretMissing, message);
                continue;
            };
            let Some(header) = credential_header(http.dialect.auth, secret) else {
                let message = format!(
                    "key {:?} cannot be sent: it is empty or has characters that no header may have",
                    credential.secret.0
                );
                self.problem::<()>(path, ProblemCode::Invalid, message);
                continue;
            };
            let client = self.client(&path, http, connect, &credential.secret.0)?;
            keys.push(Key {
                name: credential.name.clone(),
                client,
                header: Some(header),
                secret: Some(secret.clone()),
            });
        }
        if http.credentials.is_empty() {
            let client = self.client(&path, http, connect, "")?;
            keys.push(Key {
                name: String::new(),
                client,
                header: None,
                secret: None,
            });
        }
        if keys.is_empty() {
            return None;
        }
        let dialect = http.dialect.clone();
        Some(HttpLink {
            uri,
            dialect,
            keys,
            turn: AtomicUsize::new(0),
        })
    }

    fn client(
        &mut self,
        path: &str,
        http: &HttpConnection,
        connect: Millis,
        credential: &str,
    ) -> Option<HttpClient> {
        let key = PoolKey::new(http, connect, credential);
        match self.clients.get(&key, http) {
            Ok(client) => {
                self.used.insert(key);
                Some(client)
            }
            Err(error) => {
                let cause = std::error::Error::source(&error)
                    .map(|cause| format!(": {cause}"))
                    .unwrap_or_default();
                self.problem(
                    format!("{path}.caPem"),
                    ProblemCode::Invalid,
                    format!("{error}{cause}"),
                )
            }
        }
    }

    fn problem<T>(&mut self, path: String, code: ProblemCode, message: String) -> Option<T> {
        self.problems.push(Problem::new(path, code, message));
        None
    }
}

fn credential_header(auth: Auth, secret: &SecretString) -> Option<(HeaderName, HeaderValue)> {
    let secret = secret.expose_secret().trim();
    if secret.is_empty() {
        return None;
    }
    let (name, value) = match auth {
        Auth::Bearer => (
            header::AUTHORIZATION,
            HeaderValue::try_from(format!("Bearer {secret}")),
        ),
        Auth::XApiKey => (
            HeaderName::from_static("x-api-key"),
            HeaderValue::try_from(secret),
        ),
    };
    let mut value = value.ok()?;
    value.set_sensitive(true);
    Some((name, value))
}
