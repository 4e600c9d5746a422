//! The pools and models that one route names.

use std::collections::BTreeSet;

use fkm_catalog::near_matches;
use fkm_crds::Reason;
use fkm_snapshot::{ModelPattern, Policy, Strategy};

use super::{PoolState, Pools, UsableProvider};
use crate::last_accepted::{self, Served};
use crate::patterns::PatternIndex;
use crate::validate::{ValidBackend, ValidRoute, ValidRule};
use crate::verdict::suggestion;
use crate::{Fault, ObjectName, RouteInput};

/// A route with what it names looked up.
#[derive(Clone, Debug)]
pub(crate) struct ResolvedRoute {
    pub(crate) name: ObjectName,
    pub(crate) created: i64,
    pub(crate) priority: i32,
    /// The generation that takes effect; `None`: none does, and there are no rules.
    pub(crate) served: Option<i64>,
    pub(crate) rules: Vec<ResolvedRule>,
    /// What is wrong with the live spec itself.
    pub(crate) invalid: Vec<Fault>,
    /// What it names in vain.
    pub(crate) unresolved: Vec<Fault>,
    /// What is left of the last accepted spec, where the live one is right and another: it stands in for one too large.
    pub(crate) earlier: Option<Box<Self>>,
}

#[derive(Clone, Debug)]
pub(crate) struct ResolvedRule {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) matches: Vec<Vec<ModelPattern>>,
    /// Every pattern of these matches, each once; `*` where the rule matches every name.
    pub(crate) patterns: Vec<ModelPattern>,
    pub(crate) strategy: Strategy,
    /// Those that can answer.
    pub(crate) backends: Vec<ValidBackend>,
    pub(crate) policy: Policy,
    /// Why none can, where that is so.
    pub(crate) unavailable: Option<Reason>,
}

/// Looks up what a route names.
pub(crate) fn route(input: &RouteInput<'_>, pools: &mut Pools<'_>) -> ResolvedRoute {
    let effective = last_accepted::route(input);
    let mut resolved = resolve(input, effective.valid, pools);
    if effective.faults.is_empty() {
        let earlier = last_accepted::earlier_route(input);
        resolved.earlier = earlier.map(|earlier| Box::new(resolve(input, Some(earlier), pools)));
    }
    resolved.invalid = effective.faults;
    resolved
}

fn resolve(
    input: &RouteInput<'_>,
    valid: Option<Served<ValidRoute>>,
    pools: &mut Pools<'_>,
) -> ResolvedRoute {
    let mut resolved = ResolvedRoute {
        name: input.meta.object_name(),
        created: input.meta.created,
        priority: input.live.priority.unwrap_or(0),
        served: None,
        rules: Vec::new(),
        invalid: Vec::new(),
        unresolved: Vec::new(),
        earlier: None,
    };
    if let Some(Served { spec, generation }) = valid {
        let mut resolve = Resolve {
            namespace: input.meta.namespace,
            pools,
            faults: &mut resolved.unresolved,
        };
        resolved.priority = spec.priority;
        resolved.served = Some(generation);
        resolved.rules = spec
            .rules
            .into_iter()
            .map(|rule| resolve.rule(rule))
            .collect();
        // a default that several backends share is told once
        resolved.unresolved = each_once(resolved.unresolved);
    }
    resolved
}

/// These faults, equal ones once.
pub(crate) fn each_once(mut faults: Vec<Fault>) -> Vec<Fault> {
    let mut told = BTreeSet::new();
    faults.retain(|fault| told.insert((fault.path.clone(), fault.message.clone())));
    faults
}

/// Looks up what the rules of one route name.
struct Resolve<'a, 'w> {
    namespace: &'a str,
    pools: &'a mut Pools<'w>,
    faults: &'a mut Vec<Fault>,
}

// === impl Resolve ===

impl Resolve<'_, '_> {
    fn rule(&mut self, rule: ValidRule) -> ResolvedRule {
        let before = self.faults.len();
        let patterns = all_patterns(&rule.matches);
        let index = PatternIndex::of(&patterns);
        let mut backends = Vec::new();
        for backend in rule.backends {
            match self.backend(&backend, &rule.path, &patterns, &index) {
                // one without weight gets no traffic at all, not even on failover
                Ok(()) if rule.strategy == Strategy::Weighted && backend.weight == 0 => {}
                Ok(()) => backends.push(backend),
                Err(fault) => self.faults.push(fault),
            }
        }
        self.check_literals(&rule.path, &rule.matches, &backends);
        let first = self
            .faults
            .get(before)
            .map_or(Reason::BackendNotFound, |fault| fault.reason);
        ResolvedRule {
            name: rule.name,
            path: rule.path,
            matches: rule.matches,
            patterns,
            strategy: rule.strategy,
            unavailable: backends.is_empty().then_some(first),
            backends,
            policy: rule.policy,
        }
    }

    fn backend(
        &mut self,
        backend: &ValidBackend,
        rule: &str,
        patterns: &[ModelPattern],
        index: &PatternIndex<'_, ()>,
    ) -> Result<(), Fault> {
        let ValidBackend {
            pool, pool_path, ..
        } = backend;
        if !self.pools.allows(pool, self.namespace) {
            return Err(self.forbidden_or_missing(pool, pool_path));
        }
        let state = self
            .pools
            .get(pool)
            .expect("a pool that allows something exists");
        if state.providers.is_empty() {
            let message = format!(
                "ProviderPool {:?} in namespace {:?} is not accepted; its status says why",
                pool.name, pool.namespace
            );
            return Err(Fault::new(Reason::BackendNotFound, pool_path, message));
        }
        match &backend.model {
            Some(model) => check_model(&format!("{}.model", backend.path), model, pool, state),
            None => check_patterns(rule, patterns, index, pool, state),
        }
    }

    fn forbidden_or_missing(&self, pool: &ObjectName, path: &str) -> Fault {
        let ObjectName { namespace, name } = pool;
        if self.pools.world_has(pool) {
            let message = format!(
                "ProviderPool {name:?} in namespace {namespace:?} does not allow routes of namespace {:?}; its spec.allowedRoutes must select that namespace",
                self.namespace
            );
            return Fault::new(Reason::RefNotPermitted, path, message);
        }
        let near = self.pools.near(pool, self.namespace);
        let message = format!(
            "ProviderPool {name:?} does not exist in namespace {namespace:?}{near}; create it or name another"
        );
        Fault::new(Reason::BackendNotFound, path, message)
    }

    /// Faults for names that a rule promises and none of its backends offers.
    fn check_literals(
        &mut self,
        path: &str,
        matches: &[Vec<ModelPattern>],
        backends: &[ValidBackend],
    ) {
        if backends.is_empty() || backends.iter().any(|backend| backend.model.is_some()) {
            return;
        }
        for (m, patterns) in matches.iter().enumerate() {
            for (p, pattern) in patterns.iter().enumerate() {
                let ModelPattern::Literal(name) = pattern else {
                    continue;
                };
                let offered = backends.iter().any(|backend| {
                    let state = self.pools.named(&backend.pool);
                    state.is_some_and(|state| state.usable().any(|provider| provider.offers(name)))
                });
                if !offered {
                    let message = format!(
                        "no backend of this rule offers model {name:?}; remove it, add it to the pool, or give a backend a model"
                    );
                    let path = format!("{path}.matches[{m}].models[{p}]");
                    self.faults
                        .push(Fault::new(Reason::ModelNotFound, path, message));
                }
            }
        }
    }
}

/// Every pattern of a rule, each once; `*` where it matches every name.
fn all_patterns(matches: &[Vec<ModelPattern>]) -> Vec<ModelPattern> {
    if matches.is_empty() || matches.iter().any(Vec::is_empty) {
        return vec![ModelPattern::Prefix(String::new())];
    }
    let mut seen = BTreeSet::new();
    let patterns = matches.iter().flatten();
    let once = patterns.filter(|pattern| seen.insert(pattern.to_string()));
    once.cloned().collect()
}

fn check_model(path: &str, model: &str, pool: &ObjectName, state: &PoolState) -> Result<(), Fault> {
    let offering = |provider: &UsableProvider| provider.offers(model);
    if let Some(why) = state.why_not(&offering) {
        return Err(why.fault(path, pool));
    }
    if state.usable().any(offering) {
        return Ok(());
    }
    let names = state
        .providers
        .iter()
        .flat_map(|(provider, _)| provider.names());
    let near = suggestion(&near_matches(model, names));
    let message = format!(
        "no provider of ProviderPool {:?} in namespace {:?} offers model {model:?}{near}; name another or add it to the pool",
        pool.name, pool.namespace
    );
    Err(Fault::new(Reason::ModelNotFound, path, message))
}

fn check_patterns(
    rule: &str,
    patterns: &[ModelPattern],
    index: &PatternIndex<'_, ()>,
    pool: &ObjectName,
    state: &PoolState,
) -> Result<(), Fault> {
    let offering = |provider: &UsableProvider| provider.reached(index).next().is_some();
    if let Some(why) = state.why_not(&offering) {
        return Err(why.fault(rule, pool));
    }
    if state.usable().any(offering) {
        return Ok(());
    }
    let listed: Vec<String> = patterns
        .iter()
        .map(|pattern| format!("{:?}", pattern.to_string()))
        .collect();
    let message = format!(
        "no model of ProviderPool {:?} in namespace {:?} matches {}; give the backend a model, or match what the pool offers",
        pool.name,
        pool.namespace,
        listed.join(", ")
    );
    Err(Fault::new(
        Reason::ModelNotFound,
        format!("{rule}.matches"),
        message,
    ))
}

/// What keeps the providers that offer something from being used.
enum WhyNot<'a> {
    Fault(&'a Fault),
    NoWeight(&'a str),
}

// === impl WhyNot ===

impl WhyNot<'_> {
    fn fault(&self, path: &str, pool: &ObjectName) -> Fault {
        let ObjectName { namespace, name } = pool;
        match self {
            Self::Fault(fault) => {
                let message = format!(
                    "ProviderPool {name:?} in namespace {namespace:?} cannot be used: {fault}"
                );
                Fault::new(fault.reason, path, message)
            }
            Self::NoWeight(provider) => {
                let message = format!(
                    "in ProviderPool {name:?} in namespace {namespace:?} only provider {provider:?} offers it, which has weight 0; give it a weight"
                );
                Fault::new(Reason::ModelNotFound, path, message)
            }
        }
    }
}

// === impl PoolState ===

impl PoolState {
    /// Those that can be sent to.
    pub(crate) fn usable(&self) -> impl Iterator<Item = &UsableProvider> {
        let usable = self
            .providers
            .iter()
            .filter(|(provider, fault)| fault.is_none() && provider.weight > 0);
        usable.map(|(provider, _)| provider)
    }

    /// Why none of the providers that are offering can be used; `None` where one can, or none is offering.
    fn why_not(&self, offering: &dyn Fn(&UsableProvider) -> bool) -> Option<WhyNot<'_>> {
        if self.usable().any(offering) {
            return None;
        }
        let (provider, fault) = self
            .providers
            .iter()
            .find(|(provider, _)| offering(provider))?;
        Some(
            fault
                .as_ref()
                .map_or(WhyNot::NoWeight(&provider.name), WhyNot::Fault),
        )
    }
}

// === impl UsableProvider ===

impl UsableProvider {
    /// Whether a model has this name or alias.
    pub(crate) fn offers(&self, name: &str) -> bool {
        self.offered.contains_key(name)
    }

    /// The models of which a name or alias matches one of the patterns.
    pub(crate) fn reached(&self, patterns: &PatternIndex<'_, ()>) -> impl Iterator<Item = &str> {
        let reached = self.models.iter().filter(|(name, model)| {
            patterns.matches(name) || model.aliases.iter().any(|alias| patterns.matches(alias))
        });
        reached.map(|(name, _)| name.as_str())
    }

    /// The model that has this name or alias.
    pub(crate) fn offering(&self, name: &str) -> Option<&str> {
        self.offered.get(name).map(String::as_str)
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.offered.keys().map(String::as_str)
    }
}
