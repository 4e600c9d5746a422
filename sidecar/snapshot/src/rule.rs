//! Rules: which requests, which backends, in which order, under which policy.

use serde::{Deserialize, Serialize};

use crate::{Policy, is_default};

/// One rule of one route.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Rule {
    /// The route that it comes from: `namespace/name`.
    pub route: String,
    /// Unique in its route.
    pub name: String,
    /// Any of these; none: every request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub matches: Vec<Match>,
    /// How the backends are ordered for a request.
    #[serde(default, skip_serializing_if = "is_default")]
    pub strategy: Strategy,
    /// What may answer. Empty only where `unavailable` says why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub backends: Vec<Backend>,
    /// Limits and fallback.
    #[serde(default, skip_serializing_if = "is_default")]
    pub policy: Policy,
    /// Why nothing can answer: the reason of the route's `ResolvedRefs` condition, for example `ModelNotFound`. Such a rule
    /// still matches, and what it matches is answered with an error that tells it. Empty: it has backends.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub unavailable: String,
}

/// All that is set must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Match {
    /// Patterns of the model name as the client sent it; none: any name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
}

/// How the backends of a rule are ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Strategy {
    /// As listed; the next is for failover.
    #[default]
    Priority,
    /// Drawn by weight; those not drawn are for failover, drawn by weight again.
    Weighted,
}

/// A pool and a model of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Backend {
    /// Unique in its rule.
    pub name: String,
    /// Share of a `Weighted` rule; 0 gets none. Default 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub weight: u32,
    /// The pool, `namespace/name`.
    pub pool: String,
    /// The model of the pool, by name or alias; empty: the one that the client asked for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub model: String,
}

fn one() -> u32 {
    1
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn is_one(value: &u32) -> bool {
    *value == 1
}
