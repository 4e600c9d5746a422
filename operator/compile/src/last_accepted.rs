//! Which spec of an object takes effect: the live one, or what is left of the last accepted one.
//!
//! *Guarantees*: the last accepted spec stands in only while the live one is invalid in itself, and even then the live
//! one decides what is gone (rules, backends, providers, models), what is referred to (pools, models, Secrets, config
//! maps) and who may refer (`allowedRoutes`, which is read from the live spec alone): a typo never undoes a revocation.
//! A key never goes to an address for which the live spec does not name it.

use fkm_crds::{
    Backend, Credential, Defaults, LLMRouteSpec, Model, Provider, ProviderPoolSpec, ProviderType,
    Rule,
};

use crate::validate::{self, ValidPool, ValidRoute};
use crate::{Fault, PoolInput, RouteInput};

/// The spec that takes effect, judged.
#[derive(Clone, Debug)]
pub(crate) struct Effective<V> {
    /// `None`: nothing of the object takes effect.
    pub(crate) valid: Option<Served<V>>,
    /// What is wrong with the live spec itself.
    pub(crate) faults: Vec<Fault>,
}

#[derive(Clone, Debug)]
pub(crate) struct Served<V> {
    pub(crate) spec: V,
    pub(crate) generation: i64,
}

/// The spec of a route that takes effect.
pub(crate) fn route(input: &RouteInput<'_>) -> Effective<ValidRoute> {
    let judge = |spec: &LLMRouteSpec| validate::route(input.meta.namespace, spec);
    let faults = match judge(input.live) {
        Ok(spec) => return live(spec, input.meta.generation),
        Err(faults) => faults,
    };
    let valid = input.accepted.and_then(|stored| {
        let mut spec = judge(&remaining_route(stored.spec, input.live)).ok()?;
        relocate_route(&mut spec, input.live);
        Some(Served {
            spec,
            generation: stored.generation,
        })
    });
    Effective { valid, faults }
}

/// The spec of a pool that takes effect.
pub(crate) fn pool(input: &PoolInput<'_>) -> Effective<ValidPool> {
    let faults = match validate::pool(input.live) {
        Ok(spec) => return live(spec, input.generation),
        Err(faults) => faults,
    };
    let valid = input.accepted.and_then(|stored| {
        let mut spec = validate::pool(&remaining_pool(stored.spec, input.live)).ok()?;
        relocate_pool(&mut spec, input.live);
        Some(Served {
            spec,
            generation: stored.generation,
        })
    });
    Effective { valid, faults }
}

fn live<V>(spec: V, generation: i64) -> Effective<V> {
    Effective {
        valid: Some(Served { spec, generation }),
        faults: Vec::new(),
    }
}

fn remaining_route(stored: &LLMRouteSpec, live: &LLMRouteSpec) -> LLMRouteSpec {
    let mut spec = stored.clone();
    spec.workload_selector.clone_from(&live.workload_selector);
    let live_default = live
        .defaults
        .as_ref()
        .and_then(|defaults| defaults.pool_ref.as_ref());
    let defaults = spec.defaults.get_or_insert_with(Defaults::default);
    defaults.pool_ref = live_default.cloned();
    spec.rules.retain_mut(|rule| {
        let named = |one: &&Rule| one.name == rule.name;
        live.rules
            .iter()
            .find(named)
            .is_some_and(|live| keep_rule(rule, live))
    });
    spec
}

/// Takes the live rule's references and removals over; whether anything is left.
fn keep_rule(rule: &mut Rule, live: &Rule) -> bool {
    rule.backends.retain_mut(|backend| {
        let named = |one: &&Backend| one.name == backend.name;
        let Some(live) = live.backends.iter().find(named) else {
            return false;
        };
        backend.pool_ref.clone_from(&live.pool_ref);
        backend.model.clone_from(&live.model);
        true
    });
    !rule.backends.is_empty()
}

fn remaining_pool(stored: &ProviderPoolSpec, live: &ProviderPoolSpec) -> ProviderPoolSpec {
    let mut spec = stored.clone();
    spec.allowed_routes.clone_from(&live.allowed_routes);
    spec.providers.retain_mut(|provider| {
        let named = |one: &&Provider| one.name == provider.name;
        let live = live.providers.iter().find(named);
        live.is_some_and(|live| keep_provider(provider, live))
    });
    spec
}

/// Takes the live provider's references and removals over; whether anything is left.
fn keep_provider(provider: &mut Provider, live: &Provider) -> bool {
    if provider.r#type == ProviderType::Simulated {
        return keep_models(provider, live);
    }
    let had_credentials = provider.credentials.is_some();
    if same_address(provider, live) {
        provider.credentials.clone_from(&live.credentials);
        provider.tls.clone_from(&live.tls);
    } else {
        keep_credentials(provider, live);
    }
    let lost_all = had_credentials && provider.credentials.is_none();
    !lost_all && keep_models(provider, live)
}

fn same_address(provider: &Provider, live: &Provider) -> bool {
    (provider.r#type, &provider.preset, &provider.base_url)
        == (live.r#type, &live.preset, &live.base_url)
}

/// Leaves the keys that the live spec still names.
fn keep_credentials(provider: &mut Provider, live: &Provider) {
    let named = live.credentials.as_deref().unwrap_or_default();
    let kept: Option<Vec<Credential>> = provider.credentials.take().map(|stored| {
        stored
            .into_iter()
            .filter(|one| named.contains(one))
            .collect()
    });
    provider.credentials = kept.filter(|kept| !kept.is_empty());
}

fn keep_models(provider: &mut Provider, live: &Provider) -> bool {
    let Some(named) = &live.models else {
        return true;
    };
    let is_named = |model: &Model| named.iter().any(|one| one.name == model.name);
    let kept: Vec<Model> = match provider.models.take() {
        Some(stored) => stored.into_iter().filter(is_named).collect(),
        None => named.iter().map(bare).collect(),
    };
    let left = !kept.is_empty();
    provider.models = Some(kept);
    left
}

/// A model of the catalogue, by its name alone: what else the live spec says of it was not accepted.
fn bare(model: &Model) -> Model {
    Model {
        name: model.name.clone(),
        upstream_name: None,
        aliases: Vec::new(),
    }
}

/// Lets the paths point into the live spec, which is what its author sees.
fn relocate_route(spec: &mut ValidRoute, live: &LLMRouteSpec) {
    for rule in &mut spec.rules {
        let position = live.rules.iter().position(|one| one.name.0 == rule.name);
        let Some((r, live)) = position.map(|r| (r, &live.rules[r])) else {
            continue;
        };
        rule.path = format!("spec.rules[{r}]");
        for backend in &mut rule.backends {
            let position = live
                .backends
                .iter()
                .position(|one| one.name.0 == backend.name);
            let own_pool = backend.pool_path.starts_with(&backend.path);
            backend.path = format!("{}.backends[{}]", rule.path, position.unwrap_or_default());
            if own_pool {
                backend.pool_path = format!("{}.poolRef", backend.path);
            }
        }
    }
}

fn relocate_pool(spec: &mut ValidPool, live: &ProviderPoolSpec) {
    for provider in &mut spec.providers {
        if let Some(p) = live
            .providers
            .iter()
            .position(|one| one.name.0 == provider.name)
        {
            provider.path = format!("spec.providers[{p}]");
        }
    }
}
