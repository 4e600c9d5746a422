//! Everything that groups are compiled from, owned, so that compilation can run on a thread of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fkm_compile::{Form, Inputs, Meta, PoolInput, RouteInput, SecretKeys, Stored, World};
use fkm_crds::{CA_KEY, LLMRouteSpec, ProviderPoolSpec};
use kube::{Resource, ResourceExt};
use secrecy::ExposeSecret;
use serde::de::DeserializeOwned;
use tracing::warn;

use super::view::View;
use crate::index::{self, GroupKey};
use crate::object::ObjectName;
use crate::revision::Revisions;
use crate::secrets::{SecretState, SecretStates};

/// What one pass compiles from.
#[derive(Clone, Debug, Default)]
pub(crate) struct Material {
    pub(crate) view: View,
    pub(crate) secrets: SecretStates,
    /// Config maps that are missed, but may be on their way.
    pub(crate) awaited_maps: BTreeSet<ObjectName>,
    /// The specs accepted last, of the objects whose live generation is another one.
    accepted_routes: BTreeMap<ObjectName, (i64, LLMRouteSpec)>,
    accepted_pools: BTreeMap<ObjectName, (i64, ProviderPoolSpec)>,
}

/// Everything that the compilation of one group depends on. Equal fingerprints compile to equal snapshots and verdicts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    /// Of the namespace, for `allowedRoutes`.
    labels: BTreeMap<String, String>,
    routes: BTreeMap<ObjectName, Version>,
    pools: BTreeMap<ObjectName, Option<Version>>,
    /// The names of all pools, if one is missing: the message tells near ones.
    others: BTreeSet<ObjectName>,
    /// What is known of each Secret, without its values; none: nothing.
    secrets: BTreeMap<ObjectName, Option<SecretKeys>>,
    /// The names of all Secrets, if one is missing: likewise.
    other_secrets: BTreeSet<ObjectName>,
    config_maps: BTreeMap<ObjectName, Option<String>>,
}

/// Which spec of an object, and which stands in for it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Version {
    uid: Option<String>,
    generation: i64,
    accepted: Option<i64>,
}

// === impl Material ===

impl Material {
    /// Puts together what is needed.
    pub(crate) fn new(view: View, secrets: SecretStates, revisions: &Revisions) -> Self {
        let accepted_routes = accepted(&view.routes, revisions);
        let accepted_pools = accepted(&view.pools, revisions);
        Self {
            view,
            secrets,
            awaited_maps: BTreeSet::new(),
            accepted_routes,
            accepted_pools,
        }
    }

    /// The config maps that pools name and that are not there.
    pub(crate) fn missing_maps(&self) -> BTreeSet<ObjectName> {
        let pools = self.view.pools.keys();
        pools
            .flat_map(|pool| self.config_maps_of(pool))
            .filter(|name| !self.view.config_maps.contains_key(name))
            .collect()
    }

    /// The Secrets that pools name, also those that only an accepted spec names.
    pub(crate) fn wanted_secrets(&self) -> BTreeSet<ObjectName> {
        self.view
            .pools
            .keys()
            .flat_map(|pool| self.secrets_of(pool))
            .collect()
    }

    /// Whether a Secret of this pool is still being read, or a config map may be on its way: without them the pool cannot
    /// be judged.
    pub(crate) fn is_pending(&self, pool: &ObjectName) -> bool {
        let unread = |secret: &ObjectName| !self.secrets.contains_key(secret);
        self.secrets_of(pool).iter().any(unread)
            || !self.config_maps_of(pool).is_disjoint(&self.awaited_maps)
    }

    /// Whether one of the group's pools is pending.
    pub(crate) fn is_group_pending(&self, group: &GroupKey) -> bool {
        self.pools_of(group)
            .iter()
            .any(|pool| self.is_pending(pool))
    }

    pub(crate) fn fingerprint(&self, group: &GroupKey) -> Fingerprint {
        let pools = self.pools_of(group);
        let missing = pools.iter().any(|pool| !self.view.pools.contains_key(pool));
        let secrets = pools.iter().flat_map(|pool| self.secrets_of(pool));
        let config_maps = pools.iter().flat_map(|pool| self.config_maps_of(pool));
        let version_of_map = |name: &ObjectName| {
            self.view
                .config_maps
                .get(name)
                .and_then(|map| map.resource_version())
        };
        let keys = |name: &ObjectName| self.secrets.get(name).and_then(secret_keys);
        let secrets: BTreeMap<_, _> = secrets.map(|name| (name.clone(), keys(&name))).collect();
        let is_present = |known: &Option<SecretKeys>| matches!(known, Some(SecretKeys::Present(_)));
        let other_secrets = match secrets.values().all(is_present) {
            true => BTreeSet::new(),
            false => self.view.secrets.clone(),
        };
        Fingerprint {
            other_secrets,
            labels: self.labels(&group.namespace),
            routes: group
                .route_names()
                .filter_map(|name| Some((name.clone(), self.route_version(&name)?)))
                .collect(),
            others: if missing {
                self.view.pools.keys().cloned().collect()
            } else {
                BTreeSet::new()
            },
            secrets,
            config_maps: config_maps
                .map(|name| (name.clone(), version_of_map(&name)))
                .collect(),
            pools: pools
                .into_iter()
                .map(|name| (name.clone(), self.pool_version(&name)))
                .collect(),
        }
    }

    /// Everything that routes may refer to.
    pub(crate) fn world(&self) -> World<'_> {
        let pools = self.view.pools.iter().map(|(name, pool)| {
            let accepted = stored(name, &self.accepted_pools);
            (
                name.clone(),
                PoolInput {
                    generation: generation(&**pool),
                    live: &pool.spec,
                    accepted,
                },
            )
        });
        let secrets = self
            .secrets
            .iter()
            .filter_map(|(name, state)| Some((name.clone(), secret_keys(state)?)));
        let config_maps = self.view.config_maps.iter().map(|(name, map)| {
            (
                name.clone(),
                map.data.as_ref().and_then(|data| data.get(CA_KEY)).cloned(),
            )
        });
        World {
            pools: pools.collect(),
            namespaces: self
                .view
                .namespaces
                .iter()
                .map(|(name, one)| (name.clone(), one.labels().clone()))
                .collect(),
            secrets: secrets.collect(),
            other_secrets: self.view.secrets.clone(),
            config_maps: config_maps.collect(),
        }
    }

    /// The routes of a group and the world that they refer to.
    pub(crate) fn inputs<'a>(&'a self, group: &GroupKey, world: &'a World<'a>) -> Inputs<'a> {
        let routes = group
            .route_names()
            .filter_map(|name| self.view.routes.get_key_value(&name));
        let routes = routes.map(|(name, route)| {
            let created = route
                .creation_timestamp()
                .map_or(0, |time| time.0.as_second());
            let meta = Meta {
                namespace: &name.namespace,
                name: &name.name,
                generation: generation(&**route),
                created,
            };
            RouteInput {
                meta,
                live: &route.spec,
                accepted: stored(name, &self.accepted_routes),
            }
        });
        Inputs {
            routes: routes.collect(),
            world,
        }
    }

    /// The pools that the routes of a group name, also those that only an accepted spec names.
    fn pools_of(&self, group: &GroupKey) -> BTreeSet<ObjectName> {
        let mut pools = BTreeSet::new();
        for name in group.route_names() {
            let live = self.view.routes.get(&name).map(|route| &route.spec);
            let accepted = self.accepted_routes.get(&name).map(|(_, spec)| spec);
            for spec in live.into_iter().chain(accepted) {
                pools.extend(index::pools_of(&name.namespace, spec));
            }
        }
        pools
    }

    fn secrets_of(&self, pool: &ObjectName) -> BTreeSet<ObjectName> {
        self.pool_specs(pool)
            .flat_map(|spec| index::secrets_of(&pool.namespace, spec))
            .collect()
    }

    fn config_maps_of(&self, pool: &ObjectName) -> BTreeSet<ObjectName> {
        self.pool_specs(pool)
            .flat_map(|spec| index::config_maps_of(&pool.namespace, spec))
            .collect()
    }

    fn pool_specs(&self, pool: &ObjectName) -> impl Iterator<Item = &ProviderPoolSpec> {
        let live = self.view.pools.get(pool).map(|pool| &pool.spec);
        let accepted = self.accepted_pools.get(pool).map(|(_, spec)| spec);
        live.into_iter().chain(accepted)
    }

    fn route_version(&self, name: &ObjectName) -> Option<Version> {
        let route = self.view.routes.get(name)?;
        let accepted = self
            .accepted_routes
            .get(name)
            .map(|(generation, _)| *generation);
        Some(Version {
            uid: route.uid(),
            generation: generation(&**route),
            accepted,
        })
    }

    fn pool_version(&self, name: &ObjectName) -> Option<Version> {
        let pool = self.view.pools.get(name)?;
        let accepted = self
            .accepted_pools
            .get(name)
            .map(|(generation, _)| *generation);
        Some(Version {
            uid: pool.uid(),
            generation: generation(&**pool),
            accepted,
        })
    }

    fn labels(&self, namespace: &str) -> BTreeMap<String, String> {
        self.view
            .namespaces
            .get(namespace)
            .map(|namespace| namespace.labels().clone())
            .unwrap_or_default()
    }
}

fn stored<'a, S>(
    name: &ObjectName,
    accepted: &'a BTreeMap<ObjectName, (i64, S)>,
) -> Option<Stored<'a, S>> {
    accepted.get(name).map(|(generation, spec)| Stored {
        generation: *generation,
        spec,
    })
}

fn secret_keys(state: &SecretState) -> Option<SecretKeys> {
    match state {
        SecretState::Held { values, .. } => {
            let entries = values.entries.iter();
            let forms = entries
                .filter_map(|(key, value)| Some((key.clone(), Form::of(value.expose_secret())?)));
            Some(SecretKeys::Present(forms.collect()))
        }
        SecretState::Refused { why } => Some(SecretKeys::Unreadable(why.clone())),
        SecretState::Missing { .. } => None,
    }
}

/// `metadata.generation`.
pub(crate) fn generation(object: &impl Resource) -> i64 {
    object.meta().generation.unwrap_or_default()
}

/// The accepted specs of the objects whose live spec is not known to be accepted.
fn accepted<K, S>(
    live: &BTreeMap<ObjectName, Arc<K>>,
    revisions: &Revisions,
) -> BTreeMap<ObjectName, (i64, S)>
where
    K: Resource,
    S: DeserializeOwned,
{
    let mut accepted = BTreeMap::new();
    for (name, object) in live {
        let Some(stored) = object
            .meta()
            .uid
            .as_deref()
            .and_then(|uid| revisions.stand_in(uid))
        else {
            continue;
        };
        if stored.generation == generation(&**object) {
            continue;
        }
        match serde_json::from_value(stored.spec.clone()) {
            Ok(spec) => _ = accepted.insert(name.clone(), (stored.generation, spec)),
            Err(error) => {
                warn!(%name, generation = stored.generation, %error, "accepted spec is of another version; not used");
            }
        }
    }
    accepted
}

#[cfg(test)]
mod tests;
