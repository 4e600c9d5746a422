//! Which providers and models the rules can reach: only those, and their keys, leave the operator.

use std::collections::{BTreeMap, BTreeSet};

use fkm_snapshot::{Pool, Provider};

use crate::ObjectName;
use crate::dereference::{Pools, ResolvedRule, UsableProvider, all_patterns};

/// The names of models, by provider.
type Reached<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// The pools that the rules reach, with no more in them than that.
pub(super) fn pools<'a>(
    rules: impl Iterator<Item = &'a ResolvedRule>,
    pools: &Pools<'_>,
) -> BTreeMap<String, Pool> {
    let mut reached: BTreeMap<&ObjectName, Reached<'_>> = BTreeMap::new();
    for rule in rules {
        let patterns = all_patterns(&rule.matches);
        for backend in &rule.backends {
            let state = pools
                .named(&backend.pool)
                .expect("a backend that can answer has its pool");
            let of_pool = reached.entry(&backend.pool).or_default();
            for provider in state.usable() {
                let models: Vec<&str> = match &backend.model {
                    Some(model) => provider.offering(model).collect(),
                    None => provider.reached(&patterns).collect(),
                };
                of_pool.entry(&provider.name).or_default().extend(models);
            }
        }
    }
    reached
        .iter()
        .map(|(name, reached)| (name.to_string(), pool(name, reached, pools)))
        .collect()
}

fn pool(name: &ObjectName, reached: &Reached<'_>, pools: &Pools<'_>) -> Pool {
    let state = pools.named(name).expect("a pool that is reached was named");
    let providers = state.usable().filter_map(|provider| {
        let models = reached.get(provider.name.as_str())?;
        (!models.is_empty()).then(|| self::provider(provider, models))
    });
    Pool {
        providers: providers.collect(),
    }
}

fn provider(provider: &UsableProvider, reached: &BTreeSet<&str>) -> Provider {
    let models = provider
        .models
        .iter()
        .filter(|(name, _)| reached.contains(name.as_str()));
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
