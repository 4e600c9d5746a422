//! Which specs are to be stored before a pass publishes, and who has to wait for them. Pure.
//!
//! *Guarantees*: what a snapshot names decides, not what status says of the object: a route that one of its groups
//! refuses is pushed to another all the same, and must come back there after a restart. What is pushed without being
//! accepted does not take the place of what was accepted, which the refusing group may go on with.

use std::collections::{BTreeMap, BTreeSet};

use fkm_crds::{LLMRoute, ProviderPool};
use kube::ResourceExt;
use serde::Serialize;

use super::material::generation;
use super::outcome::{Found, Outcome};
use super::view::View;
use super::{Memory, Served};
use crate::apply::Reported;
use crate::index::GroupKey;
use crate::object::name_of;
use crate::revision::{Grade, Owner, Revisions, Stored};

/// Why each generation of an object is to be stored, by the object's uid.
type Generations = BTreeMap<(String, i64), Grade>;

/// The live specs that are not stored yet and have to be: those that a snapshot names which is about to be published,
/// and those judged accepted.
pub(super) fn to_store(
    view: &View,
    memory: &Memory,
    unjudged: &BTreeSet<GroupKey>,
    outcome: &Outcome,
    revisions: &Revisions,
) -> Vec<(Owner, Stored, Grade)> {
    let publishing = memory.groups.iter();
    let publishing = publishing.filter(|(key, _)| !unjudged.contains(key));
    let pushed = publishing.flat_map(|(_, served)| served.names());
    let mut wanted: Generations = pushed.map(|one| (one, Grade::Pushed)).collect();
    let routes = outcome.routes.iter().filter_map(accepted);
    let accepted = routes.chain(outcome.pools.iter().filter_map(accepted));
    wanted.extend(accepted.map(|one| (one, Grade::Accepted)));
    wanted.retain(|(uid, generation), grade| !revisions.holds(uid, *generation, *grade));
    let routes = view.routes.values();
    let routes = routes.filter_map(|route| wanted_spec(&**route, &route.spec, &wanted));
    let pools = view.pools.values();
    let pools = pools.filter_map(|pool| wanted_spec(&**pool, &pool.spec, &wanted));
    routes.chain(pools).collect()
}

/// The groups whose snapshot names a generation that is not stored.
pub(super) fn waiting(memory: &Memory, revisions: &Revisions) -> BTreeSet<GroupKey> {
    let waits = |served: &Served| {
        let mut names = served.names();
        names.any(|(uid, generation)| !revisions.holds(&uid, generation, Grade::Pushed))
    };
    let groups = memory.groups.iter();
    groups
        .filter(|(_, served)| waits(served))
        .map(|(key, _)| key.clone())
        .collect()
}

fn accepted<K: Reported>(found: &Found<K>) -> Option<(String, i64)> {
    found.judgement.accepted.as_ref().ok()?;
    Some((found.object.uid()?, generation(&*found.object)))
}

fn wanted_spec<K: Reported>(
    object: &K,
    spec: &impl Serialize,
    wanted: &Generations,
) -> Option<(Owner, Stored, Grade)> {
    let (uid, generation) = (object.uid()?, generation(object));
    let grade = *wanted.get(&(uid.clone(), generation))?;
    let owner = Owner {
        kind: K::KIND,
        name: name_of(object),
        uid,
    };
    let spec = serde_json::to_value(spec).expect("what came as JSON goes back to JSON");
    Some((owner, Stored { generation, spec }, grade))
}

// === impl Served ===

impl Served {
    fn names(&self) -> impl Iterator<Item = (String, i64)> {
        let objects = self.built.payload.objects.iter();
        objects.map(|object| (object.uid.clone(), object.generation))
    }
}

// === impl Outcome ===

impl Outcome {
    /// Leaves out what speaks of a generation that is not stored: until it is, what status says stays.
    pub(super) fn retain_stored(&mut self, revisions: &Revisions) {
        self.routes
            .retain(|found: &Found<LLMRoute>| is_stored(found, revisions));
        self.pools
            .retain(|found: &Found<ProviderPool>| is_stored(found, revisions));
    }
}

fn is_stored<K: Reported>(found: &Found<K>, revisions: &Revisions) -> bool {
    let uid = found.object.uid().unwrap_or_default();
    let judgement = &found.judgement;
    let is_held = |generation, grade| revisions.holds(&uid, generation, grade);
    let accepted =
        judgement.accepted.is_err() || is_held(generation(&*found.object), Grade::Accepted);
    let served = judgement.served;
    accepted && served.is_none_or(|generation| is_held(generation, Grade::Pushed))
}
