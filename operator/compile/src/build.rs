//! The snapshot from what is known to be right. Cannot fail.

mod reach;
mod size;

pub(crate) use size::{Claim, Ledger};

use std::collections::BTreeSet;

use fkm_snapshot::{
    Backend, Connection, Feature, Match, MediaFetch, Pool, Rule, SecretId, Snapshot, Strategy,
};

use crate::dereference::{Pools, ResolvedRoute, ResolvedRule};
use crate::validate::ValidBackend;

/// The snapshot of these routes, in their order.
pub(crate) fn snapshot(routes: &[&ResolvedRoute], pools: &Pools<'_>) -> Snapshot {
    let rules = routes
        .iter()
        .flat_map(|route| route.rules.iter().map(|rule| self::rule(route, rule)));
    let reached = reach::reached(routes.iter().flat_map(|route| &route.rules), pools);
    let mut snapshot = Snapshot {
        rules: rules.collect(),
        pools: reach::pools(&reached, pools),
        ..Snapshot::default()
    };
    snapshot.requires = requires(&snapshot);
    snapshot
}

/// The keys that a snapshot names.
pub(crate) fn secrets(snapshot: &Snapshot) -> BTreeSet<SecretId> {
    let providers = snapshot.pools.values().flat_map(|pool| &pool.providers);
    let mut secrets = BTreeSet::new();
    for provider in providers {
        if let Connection::Http(http) = &provider.connection {
            let keys = http.credentials.iter();
            let keys = keys.flat_map(|credential| credential.sign_in.secrets());
            secrets.extend(keys.chain(http.network.secrets()).cloned());
        }
    }
    secrets
}

fn rule(route: &ResolvedRoute, rule: &ResolvedRule) -> Rule {
    let matches = rule.matches.iter().map(|patterns| Match {
        models: patterns.iter().map(ToString::to_string).collect(),
    });
    Rule {
        route: route.name.to_string(),
        name: rule.name.clone(),
        matches: matches.collect(),
        strategy: rule.strategy,
        backends: rule.backends.iter().map(backend).collect(),
        policy: rule.policy.clone(),
        unavailable: rule
            .unavailable
            .map(|reason| reason.to_string())
            .unwrap_or_default(),
    }
}

fn backend(backend: &ValidBackend) -> Backend {
    Backend {
        name: backend.name.clone(),
        weight: backend.weight,
        pool: backend.pool.to_string(),
        model: backend.model.clone().unwrap_or_default(),
    }
}

/// What a reader of the snapshot must be able to do.
fn requires(snapshot: &Snapshot) -> BTreeSet<Feature> {
    let strategies = snapshot
        .rules
        .iter()
        .map(|rule| strategy_feature(rule.strategy));
    let pools = snapshot.pools.values();
    let providers = pools.flat_map(|Pool { providers, .. }| providers);
    let connections = providers.flat_map(|provider| connection_features(&provider.connection));
    let mut pools = snapshot.pools.values();
    let fetches = pools.any(|pool| pool.media.is_some());
    let media = fetches.then(|| Feature::from(MediaFetch::FEATURE));
    strategies.chain(connections).chain(media).collect()
}

fn strategy_feature(strategy: Strategy) -> Feature {
    Feature::from(match strategy {
        Strategy::Priority => "strategy.priority",
        Strategy::Weighted => "strategy.weighted",
    })
}

fn connection_features(connection: &Connection) -> Vec<Feature> {
    match connection {
        Connection::Simulated(_) => vec![Feature::from("provider.simulated")],
        Connection::Http(http) => {
            let formats = http.formats();
            let mut features: Vec<_> = formats
                .map(|one| Feature(format!("format.{one}")))
                .collect();
            let keeps = http.keeps.iter();
            features.extend(keeps.map(|one| Feature(format!("keeps.{}", one.kept))));
            features.extend(http.network.features().into_iter().map(Feature::from));
            let sign_ins = http.credentials.iter();
            let sign_ins = sign_ins.filter_map(|credential| credential.sign_in.feature());
            features.extend(sign_ins.map(Feature::from));
            features
        }
    }
}
