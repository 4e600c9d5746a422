//! Limits and failover.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Duration, cel};

/// Limits and failover of one rule, or the defaults of a route.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Policy {
    /// Time limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeouts: Option<Timeouts>,
    /// After which failures the next backend is tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Fallback>,
}

/// Time limits, for example 500ms or 1m30s.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline, extend("x-kubernetes-validations" = [
    positive("request"), positive("attempt"), positive("connect"), positive("firstContent"), positive("betweenEvents"),
    within_request("attempt"), within_request("connect"), within_request("firstContent"),
]))]
pub struct Timeouts {
    /// The whole request, all attempts together. Omitted: 10m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Duration>,
    /// One attempt, until its answer may be shown. Omitted: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<Duration>,
    /// Name look-up, TCP and TLS. Omitted: 5s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect: Option<Duration>,
    /// From sending to the first content. Omitted: none, because reasoning models think for minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_content: Option<Duration>,
    /// Between two pieces of an answer. Omitted: 1m.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub between_events: Option<Duration>,
}

/// After which failures the next backend is tried.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Fallback {
    /// Classes of failures. Omitted: all. An empty list: none, the first failure is the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 8), extend("x-kubernetes-list-type" = "set"))]
    pub on: Option<Vec<FailureClass>>,
}

/// Why an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[expect(
    missing_docs,
    reason = "a documented variant would leave the structural schema"
)]
pub enum FailureClass {
    ConnectFailure,
    RateLimited,
    Overloaded,
    ServerError,
    Timeout,
    BrokenStream,
    CredentialRejected,
    ModelUnavailable,
}

fn positive(field: &str) -> serde_json::Value {
    cel::rule_at(
        &format!(".{field}"),
        &format!("!has(self.{field}) || duration(self.{field}) > duration('0s')"),
        &format!("'{field} ' + self.{field} + ' leaves no time; write a duration above 0'"),
    )
}

fn within_request(field: &str) -> serde_json::Value {
    cel::rule_at(
        &format!(".{field}"),
        &format!(
            "!has(self.request) || !has(self.{field}) || duration(self.{field}) <= duration(self.request)"
        ),
        &format!(
            "'{field} ' + self.{field} + ' is longer than request ' + self.request + ', which ends it; shorten it or lengthen request'"
        ),
    )
}
