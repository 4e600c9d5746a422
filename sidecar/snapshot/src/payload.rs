//! The snapshot itself: pools and one ordered list of rules.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{Feature, Pool, Rule};

/// The largest payload, in bytes, uncompressed: what a sidecar reads and an operator sends (3 MiB, so that it fits the
/// 4 MiB default bound of a gRPC message with room for its neighbours).
pub const MAX_PAYLOAD_BYTES: usize = 3 * 1024 * 1024;

/// Everything that one group of pods needs to route a request. Immutable; a request reads one from start to end.
///
/// The empty snapshot (no rules) is valid: a pod without a route is ready and answers every call with 404.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Snapshot {
    /// What the reader must understand; anything unknown here is refused.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub requires: BTreeSet<Feature>,
    /// The pools that the rules reach, by `namespace/name`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub pools: BTreeMap<String, Pool>,
    /// The rules of all routes, in the order in which they are tried; the first that matches decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
}

impl Snapshot {
    /// The payload: compact JSON, maps sorted, defaults omitted. Equal snapshots have equal payloads.
    pub fn to_payload(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("plain data with string keys always serialises")
    }
}

/// What differs between the pods of one group. No part of the snapshot, so that groups stay large.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PodContext {
    /// The pod's name.
    #[serde(default)]
    pub pod: String,
    /// The pod's namespace.
    #[serde(default)]
    pub namespace: String,
    /// The pod's ServiceAccount.
    #[serde(default)]
    pub service_account: String,
}
