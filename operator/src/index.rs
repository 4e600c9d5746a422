//! What selects what: which routes are for which pods, and what routes and pools refer to. Pure.
//!
//! Pods with the same routes form one workload group and share one snapshot. The pools of a group follow from its routes,
//! so they need no place in its key.

mod pods;
mod pools;
mod routes;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fkm_crds::LLMRoute;
use k8s_openapi::api::core::v1::Pod;

use crate::object::ObjectName;

pub(crate) use self::pods::{Phase, phase};
pub(crate) use self::pools::{config_maps_of, secrets_of};
pub(crate) use self::routes::{attached_routes, pools_of};

/// What makes a group: its namespace and the routes that select its pods.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct GroupKey {
    /// Of the pods and of the routes.
    pub(crate) namespace: String,
    /// Names of the routes, all in this namespace. Empty: no route is for these pods.
    pub(crate) routes: BTreeSet<String>,
}

/// The groups with their pods; a group without pods stands for a route that selects none.
pub(crate) type Groups = BTreeMap<GroupKey, Vec<Arc<Pod>>>;

/// Sorts the pods that are alive into groups. A route that selects no pod gets a group of its own without pods, so that
/// it is judged all the same.
pub(crate) fn groups(
    live_routes: &BTreeMap<ObjectName, Arc<LLMRoute>>,
    live_pods: &[Arc<Pod>],
) -> Groups {
    let mut selection = routes::Selection::new(live_routes);
    let mut groups = Groups::new();
    for pod in live_pods.iter().filter(|pod| phase(pod) != Phase::Ended) {
        groups
            .entry(selection.group_of(pod))
            .or_default()
            .push(pod.clone());
    }
    for name in selection.selecting_none() {
        let ObjectName { namespace, name } = name;
        groups.insert(
            GroupKey {
                namespace,
                routes: BTreeSet::from([name]),
            },
            Vec::new(),
        );
    }
    groups
}

// === impl GroupKey ===

impl GroupKey {
    /// The full names of the routes.
    pub(crate) fn route_names(&self) -> impl Iterator<Item = ObjectName> {
        self.routes
            .iter()
            .map(|route| ObjectName::new(&self.namespace, route))
    }
}

#[cfg(test)]
mod tests;
