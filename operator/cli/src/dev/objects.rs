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
#[derive(Clone, Debug, PartialEq)]
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

    /// Whether there is such an object.
    pub(super) fn has(&self, kind: &str, name: &ObjectName) -> bool {
        match kind {
            "LLMRoute" => self.routes.contains_key(name),
            "ProviderPool" => self.pools.contains_key(name),
            _ => false,
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
    pub(super) fn accept(&mut self, routes: &BTreeSet<ObjectName>, pools: &BTreeSet<ObjectName>) {
        for (name, route) in &mut self.routes {
            if routes.contains(name) {
                route.accept();
            }
        }
        for (name, pool) in &mut self.pools {
            if pools.contains(name) {
                pool.accept();
            }
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::manifests::Options;

    const POOL: &str = "apiVersion: fluxkontext.dev/v1alpha1\nkind: ProviderPool\nmetadata: { name: p }\nspec: { providers: [{ name: sim, type: Simulated, simulated: {}, models: [{ name: m }] }] }\n";

    fn manifests(text: &str) -> Manifests {
        let options = Options {
            namespace: "a".to_owned(),
            assume_secrets: false,
        };
        let mut manifests = Manifests::new(options);
        manifests.add_text(Path::new("x.yaml"), text);
        manifests
    }

    /// Generation of the live spec, and of the one that stands in.
    fn seen(objects: &Objects) -> Vec<(i64, Option<i64>)> {
        let pools = objects.pools().into_values();
        let stored = |pool: PoolInput<'_>| pool.accepted.map(|stored| stored.generation);
        pools.map(|pool| (pool.generation, stored(pool))).collect()
    }

    #[test]
    fn history_is_that_of_a_cluster() {
        let name = BTreeSet::from([ObjectName::new("a", "p")]);
        let none = BTreeSet::new();
        let first = Objects::default().updated(&manifests(POOL));
        assert_eq!(seen(&first), [(1, None)]);
        let mut second = first.updated(&manifests(POOL));
        second.accept(&none, &name);
        assert_eq!(seen(&second), [(1, None)], "equal specs are one generation");

        // a change that is not accepted, and another
        let third = second.updated(&manifests(&POOL.replace("name: m", "name: m2")));
        assert_eq!(seen(&third), [(2, Some(1))]);
        let mut fourth = third.updated(&manifests(&POOL.replace("name: m", "name: m3")));
        assert_eq!(seen(&fourth), [(3, Some(1))]);
        fourth.accept(&none, &name);
        assert_eq!(seen(&fourth), [(3, None)]);

        // what the API server refuses is no change
        let refused = fourth.updated(&manifests(&POOL.replace("type:", "tipe:")));
        assert_eq!(seen(&refused), [(3, None)]);
        assert_eq!(refused.pools, fourth.pools);
        // gone is gone
        let gone = refused.updated(&manifests(""));
        assert_eq!(seen(&gone), []);
        assert_eq!(seen(&gone.updated(&manifests(POOL))), [(1, None)]);
        let refused = gone.updated(&manifests(&POOL.replace("type:", "tipe:")));
        assert_eq!(seen(&refused), []);
    }
}
