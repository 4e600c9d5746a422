//! Kind `LLMRoute`: which pods, which requests, which backends, under which policy.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube_derive::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Rejection, Selector, SidecarCounts, cel};

mod policy;
mod rule;

pub use policy::{FailureClass, Fallback, Policy, Timeouts};
pub use rule::{Backend, Match, PoolRef, Rule, Strategy, StrategyType};

/// Which pods this route is for, and where their LLM requests go.
#[derive(
    CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema,
)]
#[kube(
    group = "fluxkontext.dev",
    version = "v1alpha1",
    kind = "LLMRoute",
    plural = "llmroutes",
    namespaced,
    crates(kube_core = "::kube_core"),
    derive = "PartialEq",
    status = "LLMRouteStatus",
    shortname = "llmr",
    category = "llm",
    doc = "An LLMRoute selects workloads of its namespace and says where their LLM requests go.",
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status"
    ),
    printcolumn(
        name = "Programmed",
        type_ = "string",
        json_path = ".status.sidecars.summary",
        description = "sidecars on this generation / sidecars selected"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason",
        priority = "1"
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    )
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    cel::rule_at(".rules",
        "(has(self.defaults) && has(self.defaults.poolRef)) || self.rules.all(r, r.backends.all(b, has(b.poolRef)))",
        "'a backend names no poolRef and there is no defaults.poolRef; give one of them'"),
]))]
pub struct LLMRouteSpec {
    /// The pods of this namespace that the route is for. Omitted: every pod that has a sidecar.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workload_selector: Option<Selector>,
    /// Order among the routes of one pod, lower first, then older first. Omitted: 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = -1000, max = 1000))]
    pub priority: Option<i32>,
    /// What holds for every rule that does not say otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defaults: Option<Defaults>,
    /// Tried in order; the first that matches decides.
    #[schemars(length(min = 1, max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub rules: Vec<Rule>,
}

/// What holds for every rule that does not say otherwise.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Defaults {
    /// The pool of every backend that names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool_ref: Option<PoolRef>,
    /// Limits and failover; a rule's own value replaces the same value here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
}

/// What the operator found and did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LLMRouteStatus {
    /// The generation that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// How many sidecars follow this route.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sidecars: Option<SidecarCounts>,
    /// The first ten sidecars that refused it, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10), extend("x-kubernetes-list-type" = "atomic"))]
    pub rejections: Vec<Rejection>,
    /// Accepted, ResolvedRefs, Programmed, Ready; Reconciling and Stalled only while true.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}
