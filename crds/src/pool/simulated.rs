//! A provider that answers without a network: for the quickstart, load tests and game days.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Decimal, Duration, cel};

/// What a simulated provider answers and how it fails.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline, extend("x-kubernetes-validations" = [
    cel::rule_at(".errorRate",
        "!has(self.errorRate) || double(self.errorRate) <= 1.0",
        "'errorRate ' + self.errorRate + ' is above 1; write a share between \"0\" and \"1\", for example \"0.2\"'"),
    cel::rule_at(".error",
        "!has(self.error) || has(self.errorRate)",
        "'error ' + self.error + ' never happens without errorRate; give an errorRate or remove error'"),
]))]
pub struct Simulated {
    /// Wait before the answer begins. Omitted: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Duration>,
    /// The share of attempts that fail, between "0" and "1". Omitted: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_rate: Option<Decimal>,
    /// What they fail with. Omitted: Overloaded (503). Also RateLimited (429), ServerError (500), ConnectFailure, Timeout.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<SimulatedError>,
    /// Breaks every stream after so many pieces. 0 or omitted: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub cut_after_events: Option<i32>,
    /// The text of the answer. Omitted: one that says that it is simulated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 8192))]
    pub text: Option<String>,
}

/// The fault of a simulated provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[expect(
    missing_docs,
    reason = "a documented variant would leave the structural schema"
)]
pub enum SimulatedError {
    Overloaded,
    RateLimited,
    ServerError,
    ConnectFailure,
    Timeout,
}
