//! Which providers and models the rules can reach: only those, and their keys, leave the operator.

use std::collections::{BTreeMap, BTreeSet};

use fkm_snapshot::{Pool, Provider};

use crate::ObjectName;
use crate::dereference::{PoolState, Pools, ResolvedRule, UsableProvider};
use crate::patterns::PatternIndex;

/// The names of models, by pool and provider.
pub(super) type Reached<'a> = BTreeMap<&'a ObjectName, OfPool<'a>>;

/// The names of models, by provider.
pub(super) type OfPool<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// What the rules reach.
pub(super) fn reached<'a>(
    rules: impl Iterator<Item = &'a ResolvedRule>,
    pools: &'a Pools<'_>,
) -> Reached<'a> {
    let mut reached = Reached::new();
    for rule in rules {
        let patterns = PatternIndex::of(&rule.patterns);
        // many backends may stand for the same
        let backends: BTreeSet<_> = rule
            .backends
            .iter()
            .map(|backend| (&backend.pool, backend.model.as_deref()))
            .collect();
        for (pool, model) in backends {
            let of_pool = reached.entry(pool).or_default();
            for provider in state(pool, pools).usable() {
                let of_provider = of_pool.entry(&provider.name).or_default();
                match model {
                    Some(model) => of_provider.extend(provider.offering(model)),
                    None => of_provider.extend(provider.reached(&patterns)),
                }
            }
        }
    }
    for of_pool in reached.values_mut() {
        of_pool.retain(|_, models| !models.is_empty());
    }
    reached
}

/// The pools, with no more in them than what is reached.
pub(super) fn pools(reached: &Reached<'_>, pools: &Pools<'_>) -> BTreeMap<String, Pool> {
    reached
        .iter()
        .map(|(name, of_pool)| (name.to_string(), pool(of_pool, state(name, pools))))
        .collect()
}

/// The pool of a backend that can answer.
pub(super) fn state<'a>(name: &ObjectName, pools: &'a Pools<'_>) -> &'a PoolState {
    pools
        .named(name)
        .expect("a backend that can answer has its pool")
}

fn pool(of_pool: &OfPool<'_>, state: &PoolState) -> Pool {
    let providers = state.usable().filter_map(|provider| {
        let models = of_pool.get(provider.name.as_str())?;
        Some(self::provider(provider, models))
    });
    Pool {
        providers: providers.collect(),
        media: state.media.clone(),
    }
}

/// A provider with these models of it.
pub(super) fn provider(provider: &UsableProvider, models: &BTreeSet<&str>) -> Provider {
    let models = provider
        .models
        .iter()
        .filter(|(name, _)| models.contains(name.as_str()));
    Provider {
        name: provider.name.clone(),
        system: provider.system.clone(),
        priority: provider.priority,
        weight: provider.weight,
        connection: provider.connection.clone(),
        models: models
            .map(|(name, model)| (name.clone(), model.clone()))
            .collect(),
    }
}
