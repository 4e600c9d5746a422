//! The objects of the folder, kept as an API server and the operator keep them. Pure.
//!
//! *Guarantees*: a document that the API server would refuse leaves the object as it was; a generation counts the changes
//! of a spec; the last accepted spec is kept beside a live one that was not accepted; an object that is gone takes its
//! history with it.

use std::collections::{BTreeMap, BTreeSet};

use fkm_compile::{Meta, ObjectName, PoolInput, RouteInput, Stored};
use fkm_crds::{LLMRouteSpec, ProviderPoolSpec};

use super::settings::Pod;
use crate::manifests::Manifests;

/// All objects of the two kinds.
#[derive(Clone, Debug, Default)]
pub(super) struct Objects {
    pub(super) routes: BTreeMap<ObjectName, Held<LLMRouteSpec>>,
    pub(super) pools: BTreeMap<ObjectName, Held<ProviderPoolSpec>>,
}

/// One object.
#[derive(Clone, Debug)]
pub(super) struct Held<S> {
    generation: i64,
    pub(super) live: S,
    accepted: Option<(i64, S)>,
}

// === impl Objects ===

impl Objects {
    /// What is held once the manifests were applied, and what is not in them was deleted.
    pub(super) fn updated(&self, manifests: &Manifests) -> Self {
        let refused = |kind: &str| {
            let judged = manifests.judged().iter();
            let refused = judged.filter(|one| one.origin.kind == kind && one.has_problems());
            refused.map(|one| one.origin.object_name()).collect()
        };
        Self {
            routes: updated(&self.routes, manifests.route_specs(), &refused("LLMRoute")),
            pools: updated(
                &self.pools,
                manifests.pool_specs(),
                &refused("ProviderPool"),
            ),
        }
    }

    /// The routes that select the pod.
    pub(super) fn routes(&self, pod: Option<&Pod>) -> Vec<RouteInput<'_>> {
        let selected = self
            .routes
            .iter()
            .filter(|(name, route)| pod.is_none_or(|pod| selects(name, &route.live, pod)));
        let inputs = selected.map(|(name, route)| RouteInput {
            meta: Meta {
                namespace: &name.namespace,
                name: &name.name,
                generation: route.generation,
                created: 0,
            },
            live: &route.live,
            accepted: route.stored(),
        });
        inputs.collect()
    }

    /// The names of the others.
    pub(super) fn unselected(&self, pod: Option<&Pod>) -> Vec<&ObjectName> {
        let unselected = self
            .routes
            .iter()
            .filter(|(name, route)| pod.is_some_and(|pod| !selects(name, &route.live, pod)));
        unselected.map(|(name, _)| name).collect()
    }

    /// The pools.
    pub(super) fn pools(&self) -> BTreeMap<ObjectName, PoolInput<'_>> {
        let inputs = self.pools.iter().map(|(name, pool)| {
            let input = PoolInput {
                generation: pool.generation,
                live: &pool.live,
                accepted: pool.stored(),
            };
            (name.clone(), input)
        });
        inputs.collect()
    }

    /// Remembers the live specs of these objects as accepted.
    pub(super) fn accept(&mut self, routes: &[ObjectName], pools: &[ObjectName]) {
        for route in routes.iter().filter_map(|name| self.routes.get_mut(name)) {
            route.accept();
        }
        for pool in pools.iter().filter_map(|name| self.pools.get_mut(name)) {
            pool.accept();
        }
    }
}

fn updated<S: Clone + PartialEq>(
    before: &BTreeMap<ObjectName, Held<S>>,
    specs: &BTreeMap<ObjectName, S>,
    refused: &BTreeSet<ObjectName>,
) -> BTreeMap<ObjectName, Held<S>> {
    let mut held: BTreeMap<_, _> = before
        .iter()
        .filter(|(name, _)| refused.contains(name))
        .map(|(name, object)| (name.clone(), object.clone()))
        .collect();
    for (name, spec) in specs {
        held.insert(name.clone(), Held::updated(before.get(name), spec));
    }
    held
}

fn selects(name: &ObjectName, route: &LLMRouteSpec, pod: &Pod) -> bool {
    let selector = route.workload_selector.as_ref();
    name.namespace == pod.namespace && selector.is_none_or(|selector| selector.matches(&pod.labels))
}

// === impl Held ===

impl<S: Clone + PartialEq> Held<S> {
    fn updated(before: Option<&Self>, spec: &S) -> Self {
        match before {
            Some(before) if before.live == *spec => before.clone(),
            _ => Self {
                generation: before.map_or(1, |before| before.generation + 1),
                live: spec.clone(),
                accepted: before.and_then(|before| before.accepted.clone()),
            },
        }
    }

    fn accept(&mut self) {
        self.accepted = Some((self.generation, self.live.clone()));
    }
}

impl<S> Held<S> {
    /// What stands in for the live spec, where another was accepted.
    fn stored(&self) -> Option<Stored<'_, S>> {
        let (generation, spec) = self.accepted.as_ref()?;
        (*generation != self.generation).then_some(Stored {
            generation: *generation,
            spec,
        })
    }
}
