//! One rule of a route: matches, strategy, backends.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{DnsLabel, DnsSubdomain, ModelName, ModelPattern, Policy, cel};

/// Which requests, which backends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-kubernetes-validations" = [
    cel::rule_at(".backends",
        "(has(self.strategy) && self.strategy.type == 'Weighted') || self.backends.all(b, !has(b.weight))",
        "'rule ' + self.name + ' has a backend with a weight, which only strategy.type Weighted obeys; set that or remove the weight'"),
    cel::rule_at(".backends",
        "!has(self.strategy) || self.strategy.type != 'Weighted' || self.backends.exists(b, !has(b.weight) || b.weight > 0)",
        "'every backend of rule ' + self.name + ' has weight 0; give at least one a weight above 0'"),
]))]
pub struct Rule {
    /// Unique in this route; shown in logs and metrics.
    pub name: DnsLabel,
    /// The rule matches if any of these does. Omitted: every request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), extend("x-kubernetes-list-type" = "atomic"))]
    pub matches: Vec<Match>,
    /// How the backends are ordered. Omitted: Priority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategy: Option<Strategy>,
    /// What may answer.
    #[schemars(length(min = 1, max = 16), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub backends: Vec<Backend>,
    /// Limits and failover of this rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Policy>,
}

/// Conditions on a request; all that are given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Match {
    /// Names of models as the client sends them; one * may stand at the start or end. Omitted: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 16), extend("x-kubernetes-list-type" = "set"))]
    pub models: Option<Vec<ModelPattern>>,
}

/// How the backends of a rule are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Strategy {
    /// Priority: as listed, the next one on failure. Weighted: drawn by weight.
    pub r#type: StrategyType,
}

/// The strategies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[expect(
    missing_docs,
    reason = "a documented variant would leave the structural schema"
)]
pub enum StrategyType {
    Weighted,
    Priority,
}

/// A pool and a model: every provider of the pool that offers the model, by the providers' priority, then weight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Backend {
    /// Unique in this rule; shown in logs and metrics.
    pub name: DnsLabel,
    /// The pool. Omitted: defaults.poolRef.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool_ref: Option<PoolRef>,
    /// A model of the pool, by name or alias. Omitted: the one that the client asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelName>,
    /// With strategy Weighted: share of traffic. Omitted: 1. With 0 it gets none, not even on failover.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub weight: Option<i32>,
}

/// Names a ProviderPool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct PoolRef {
    /// The ProviderPool.
    pub name: DnsSubdomain,
    /// Its namespace, which must allow this route. Omitted: the route's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<DnsLabel>,
}
