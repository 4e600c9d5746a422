//! Routes: which pods they select, which pools they name.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use fkm_crds::{LLMRoute, LLMRouteSpec, PoolRef};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt;

use super::GroupKey;
use crate::object::{ObjectName, name_of};

type Labels = BTreeMap<String, String>;

/// Answers which routes are for a pod. Pods of one template have the same labels, so an answer is kept.
pub(super) struct Selection<'a> {
    /// The routes of each namespace, with whether they have selected a pod.
    routes: HashMap<&'a str, Vec<(&'a LLMRoute, bool)>>,
    answers: HashMap<(String, Labels), GroupKey>,
}

// === impl Selection ===

impl<'a> Selection<'a> {
    pub(super) fn new(routes: &'a BTreeMap<ObjectName, Arc<LLMRoute>>) -> Self {
        let mut by_namespace: HashMap<&str, Vec<_>> = HashMap::new();
        for (name, route) in routes {
            by_namespace
                .entry(&name.namespace)
                .or_default()
                .push((&**route, false));
        }
        Self {
            routes: by_namespace,
            answers: HashMap::new(),
        }
    }

    /// The group of a pod.
    pub(super) fn group_of(&mut self, pod: &Pod) -> GroupKey {
        let namespace = pod.namespace().unwrap_or_default();
        let question = (namespace, pod.labels().clone());
        if let Some(answer) = self.answers.get(&question) {
            return answer.clone();
        }
        let (namespace, labels) = &question;
        let mut answer = GroupKey {
            namespace: namespace.clone(),
            routes: BTreeSet::new(),
        };
        for (route, selects) in self
            .routes
            .get_mut(namespace.as_str())
            .into_iter()
            .flatten()
        {
            if route
                .spec
                .workload_selector
                .as_ref()
                .is_none_or(|selector| selector.matches(labels))
            {
                *selects = true;
                answer.routes.insert(route.name_any());
            }
        }
        self.answers.insert(question, answer.clone());
        answer
    }

    /// The routes that were in no answer.
    pub(super) fn selecting_none(self) -> impl Iterator<Item = ObjectName> {
        let all = self.routes.into_values().flatten();
        all.filter(|(_, selects)| !selects)
            .map(|(route, _)| name_of(route))
    }
}

/// The pools that the backends of a route of this namespace name.
pub(crate) fn pools_of(namespace: &str, spec: &LLMRouteSpec) -> BTreeSet<ObjectName> {
    let default = spec
        .defaults
        .as_ref()
        .and_then(|defaults| defaults.pool_ref.as_ref());
    let backends = spec.rules.iter().flat_map(|rule| &rule.backends);
    let named = backends.filter_map(|backend| backend.pool_ref.as_ref().or(default));
    named
        .map(|reference| pool_name(namespace, reference))
        .collect()
}

/// How many of the routes name each pool.
pub(crate) fn attached_routes(
    routes: &BTreeMap<ObjectName, Arc<LLMRoute>>,
) -> BTreeMap<ObjectName, usize> {
    let mut counts = BTreeMap::new();
    for (name, route) in routes {
        for pool in pools_of(&name.namespace, &route.spec) {
            *counts.entry(pool).or_default() += 1;
        }
    }
    counts
}

fn pool_name(namespace: &str, reference: &PoolRef) -> ObjectName {
    let namespace = reference
        .namespace
        .as_ref()
        .map_or(namespace, |given| &given.0);
    ObjectName::new(namespace, &reference.name.0)
}
