//! What the sidecars report, as it stands in a route's status.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many sidecars follow a route.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct SidecarCounts {
    /// Pods that the route selects.
    pub selected: i32,
    /// Of these, how many have a sidecar that is connected.
    pub connected: i32,
    /// Of these, how many run this generation.
    pub programmed: i32,
    /// Of these, how many refused it.
    pub rejected: i32,
    /// programmed/selected.
    pub summary: String,
}

/// A sidecar that refused the route.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Rejection {
    /// The pod.
    pub pod: String,
    /// The generation that it refused.
    pub generation: i64,
    /// Field path and reason.
    pub message: String,
}
