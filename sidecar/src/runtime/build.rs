//! From a valid snapshot and its keys to a runtime; reports everything that is missing or unusable.

mod sign_in;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use fkm_snapshot::{
    Connection, HttpConnection, Keeps, Millis, Problem, ProblemCode, Provider, Rule, Secrets,
    ValidSnapshot,
};

use super::endpoint::base;
use super::kept::KeptAt;
use super::listing::{listed_models, rule_patterns};
use super::ways::Ways;
use super::{BackendRuntime, HttpLink, Key, Link, Offer, ProviderRuntime, RuleRuntime, Runtime};
use crate::metrics::{Metrics, OfferMetrics};
use crate::owner::Owner;
use crate::signin::{Live, LiveKey, SignIn, SignIns};
use crate::upstream::address;
use crate::upstream::client::{Clients, HttpClient, Pool, PoolKey};
use crate::upstream::dialer::Destination;
use crate::upstream::fetch::Fetcher;
use crate::upstream::material::Material;

/// What building one runtime needs and finds.
struct Builder<'a> {
    secrets: &'a Secrets,
    clients: &'a Clients,
    sign_ins: &'a SignIns,
    live: HashMap<LiveKey, Arc<Live>>,
    used: HashMap<PoolKey, Pool>,
    problems: Vec<Problem>,
}

/// Where a provider stands in a snapshot.
struct Place<'a> {
    pool: &'a str,
    index: usize,
    path: &'a str,
}

// === impl Runtime ===

impl Runtime {
    /// Makes a snapshot ready with these keys, and tells which pools are new; reports every key that is missing or
    /// unusable.
    pub(crate) fn try_new(
        snapshot: ValidSnapshot,
        secrets: &Secrets,
        clients: &Clients,
        sign_ins: &SignIns,
        metrics: &Metrics,
    ) -> Result<(Self, Vec<Pool>), Vec<Problem>> {
        let mut builder = Builder {
            secrets,
            clients,
            sign_ins,
            live: HashMap::new(),
            used: HashMap::new(),
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
        let new_pools = clients.keep(builder.used);
        sign_ins.keep(builder.live);
        let runtime = Self {
            models: listed_models(&snapshot),
            secrets_version: secrets.version.clone(),
            snapshot,
            rules,
        };
        Ok((runtime, new_pools))
    }
}

// === impl Builder ===

impl Builder<'_> {
    fn rule(
        &mut self,
        rule: &Rule,
        pools: &BTreeMap<String, fkm_snapshot::Pool>,
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

    fn pool(
        &mut self,
        name: &str,
        pool: &fkm_snapshot::Pool,
        connect: Millis,
    ) -> HashMap<String, Vec<Offer>> {
        let mut offers: HashMap<String, Vec<Offer>> = HashMap::new();
        let around = self.clients.around();
        let media = pool.media.clone();
        let media = media.map(|rules| Arc::new(Fetcher::new(rules, around.clone())));
        for (index, provider) in pool.providers.iter().enumerate() {
            let path = format!("pools[{name}].providers[{index}]");
            let place = Place {
                pool: name,
                index,
                path: &path,
            };
            let Some(runtime) = self.provider(&place, provider, connect, media.clone()) else {
                continue;
            };
            let runtime = Arc::new(runtime);
            let mut ways = Ways::of(&provider.connection);
            for (name, model) in &provider.models {
                let upstream_model = model.upstream_name(name);
                let ways = match ways.to(upstream_model, &model.formats) {
                    Ok(ways) => ways,
                    Err(message) => {
                        let path = format!("{path}.connection.http.baseUrl");
                        self.problem::<()>(path, ProblemCode::Invalid, message);
                        break;
                    }
                };
                let upstream_model = Arc::from(upstream_model);
                let offer = Offer {
                    metrics: Arc::new(OfferMetrics::new(&runtime.name, &upstream_model)),
                    provider: runtime.clone(),
                    ways,
                    upstream_model,
                    max_output_tokens: model.max_output_tokens,
                    capabilities: Arc::new(model.capabilities.clone()),
                    price: model.price.clone().map(Arc::new),
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
        place: &Place<'_>,
        provider: &Provider,
        connect: Millis,
        media: Option<Arc<Fetcher>>,
    ) -> Option<ProviderRuntime> {
        let owner = |credential: &str| Owner::new(place.pool, &provider.name, credential);
        let link = match &provider.connection {
            Connection::Http(http) => Link::Http(self.http(place.path, http, connect, owner)?),
            Connection::Simulated(simulated) => Link::Simulated(simulated.clone()),
        };
        Some(ProviderRuntime {
            name: provider.name.as_str().into(),
            system: provider.system.clone(),
            priority: provider.priority,
            weight: provider.weight,
            index: place.index,
            link,
            media,
        })
    }

    fn http(
        &mut self,
        path: &str,
        http: &HttpConnection,
        connect: Millis,
        owner: impl Fn(&str) -> Owner,
    ) -> Option<HttpLink> {
        let path = format!("{path}.connection.http");
        let mut keys = Vec::new();
        for (index, credential) in http.credentials.iter().enumerate() {
            let path = format!("{path}.credentials[{index}]");
            let owner = owner(&credential.name);
            keys.extend(self.key(&path, http, connect, credential, owner));
        }
        if http.credentials.is_empty() {
            let client = self.client(&path, http, connect, "")?;
            keys.push(Key {
                name: Arc::from(""),
                owner: owner(""),
                client,
                sign_in: SignIn::Open,
            });
        }
        if keys.is_empty() {
            return None;
        }
        let keeps = match base(&http.base_url, &http.network.host_header) {
            Ok(base) => {
                let at = |one: &Keeps| KeptAt {
                    kept: one.kept,
                    url: format!("{base}{}", one.path),
                };
                http.keeps.iter().map(at).collect()
            }
            Err(message) => {
                let path = format!("{path}.baseUrl");
                return self.problem(path, ProblemCode::Invalid, message);
            }
        };
        Some(HttpLink {
            keys,
            keeps,
            turn: AtomicUsize::new(0),
        })
    }

    fn material(&mut self, path: &str, http: &HttpConnection) -> Option<Material> {
        match Material::of(&http.network, self.secrets) {
            Ok(material) => Some(material),
            Err(missing) => {
                for id in missing {
                    let path = format!("{path}.network");
                    let message = format!("secret {:?} was not delivered", id.0);
                    self.problem::<()>(path, ProblemCode::SecretMissing, message);
                }
                None
            }
        }
    }

    fn client(
        &mut self,
        path: &str,
        http: &HttpConnection,
        connect: Millis,
        credential: &str,
    ) -> Option<HttpClient> {
        // Whichever of its credentials asks.
        let path = path.split(".credentials[").next().unwrap_or(path);
        let material = &self.material(path, http)?;
        let to = Destination {
            base_url: &http.base_url,
            reach: address::reach(http.locality),
            network: &http.network,
        };
        let key = self.clients.key(to, connect, credential, material);
        if let Some(pool) = self.used.get(&key) {
            return Some(pool.client.clone());
        }
        match self.clients.get(&key, material) {
            Ok(pool) => {
                let client = pool.client.clone();
                self.used.insert(key, pool);
                Some(client)
            }
            Err(error) => {
                let cause = std::error::Error::source(&error)
                    .map(|cause| format!(": {cause}"))
                    .unwrap_or_default();
                self.problem(
                    format!("{path}.{}", error.field()),
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
