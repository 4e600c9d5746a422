//! What a pass found out: what status is made of, and nothing else of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fkm_compile::Verdict;
use fkm_crds::{LLMRoute, ProviderPool};
use fkm_snapshot::SnapshotHash;
use k8s_openapi::api::core::v1::ObjectReference;

use super::Memory;
use super::material::Material;
use super::merge::{judgement, merge};
use crate::index::{self, GroupKey};
use crate::object::{ObjectName, name_of};
use crate::status::Judgement;

/// The result of one pass.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) routes: Vec<Found<LLMRoute>>,
    pub(crate) pools: Vec<Found<ProviderPool>>,
}

/// One object and what was found out about it.
#[derive(Clone, Debug)]
pub(crate) struct Found<K> {
    /// As it stood when it was judged.
    pub(crate) object: Arc<K>,
    pub(crate) judgement: Judgement,
    /// The groups that it reaches.
    pub(crate) groups: Vec<Arc<Target>>,
    /// Of a pool: how many routes name it.
    pub(crate) attached_routes: usize,
}

/// What the pods of one group are to have.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) hash: SnapshotHash,
    pub(crate) secrets_version: String,
    /// The pools in it, as `namespace/name`.
    pub(crate) pools: BTreeSet<String>,
    /// Without those that are being deleted: nobody waits for them.
    pub(crate) pods: Vec<TargetPod>,
}

/// A pod that is to have it.
#[derive(Clone, Debug)]
pub(crate) struct TargetPod {
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) uid: String,
    pub(crate) running: bool,
    /// Why it gets nothing.
    pub(crate) denied: Option<String>,
}

/// The targets of the groups that have something to be aimed at.
pub(crate) type Targets = BTreeMap<GroupKey, Arc<Target>>;

/// What was found out about every object. Routes of a group that could not be judged now are left out: what their status
/// says stays.
pub(super) fn judged(
    material: &Material,
    memory: &Memory,
    unjudged: &BTreeSet<GroupKey>,
    pools: &BTreeMap<ObjectName, Verdict>,
) -> Outcome {
    let left_out: BTreeSet<ObjectName> = unjudged.iter().flat_map(GroupKey::route_names).collect();
    let mut verdicts: BTreeMap<&ObjectName, Vec<&Verdict>> = BTreeMap::new();
    for served in memory.groups.values() {
        for (name, verdict) in &served.built.routes {
            verdicts.entry(name).or_default().push(verdict);
        }
    }
    let routes = material
        .view
        .routes
        .iter()
        .filter(|(name, _)| !left_out.contains(name));
    let routes = routes.filter_map(|(name, route)| {
        let verdicts = verdicts.get(name)?.iter().copied();
        Some(Found {
            object: route.clone(),
            judgement: merge(verdicts)?,
            groups: Vec::new(),
            attached_routes: 0,
        })
    });
    let attached = index::attached_routes(&material.view.routes);
    let pools = material.view.pools.iter().filter_map(|(name, pool)| {
        let judgement = judgement(pools.get(name)?);
        let attached_routes = attached.get(name).copied().unwrap_or_default();
        Some(Found {
            object: pool.clone(),
            judgement,
            groups: Vec::new(),
            attached_routes,
        })
    });
    Outcome {
        routes: routes.collect(),
        pools: pools.collect(),
    }
}

// === impl Outcome ===

impl Outcome {
    /// Says which groups each object reaches: a route those that it selects, a pool those whose snapshot holds it.
    pub(super) fn aim(&mut self, targets: &Targets) {
        for found in &mut self.routes {
            let ObjectName { namespace, name } = name_of(&*found.object);
            let reached = targets
                .iter()
                .filter(|(key, _)| key.namespace == namespace && key.routes.contains(&name));
            found.groups = reached.map(|(_, target)| target.clone()).collect();
        }
        for found in &mut self.pools {
            let name = name_of(&*found.object).to_string();
            let reached = targets
                .values()
                .filter(|target| target.pools.contains(&name));
            found.groups = reached.cloned().collect();
        }
    }
}

// === impl TargetPod ===

impl TargetPod {
    /// For events.
    pub(crate) fn object_ref(&self) -> ObjectReference {
        ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("Pod".to_owned()),
            name: Some(self.name.clone()),
            namespace: Some(self.namespace.clone()),
            uid: Some(self.uid.clone()),
            ..ObjectReference::default()
        }
    }
}
