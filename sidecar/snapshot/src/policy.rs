//! What a rule allows an exchange to take and to try.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{FailureClass, is_default};

/// A duration in whole milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Millis(pub u64);

impl From<Millis> for Duration {
    fn from(millis: Millis) -> Self {
        Self::from_millis(millis.0)
    }
}

/// The effective policy of a rule: the route's defaults already merged in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Policy {
    /// Time limits.
    #[serde(default, skip_serializing_if = "is_default")]
    pub timeouts: Timeouts,
    /// The failures after which the next candidate is tried. Default: all. Empty: none.
    #[serde(default = "all_failures", skip_serializing_if = "is_all_failures")]
    pub fallback_on: BTreeSet<FailureClass>,
}

/// Time limits of one exchange. The defaults are those of the design: none of them cuts a reasoning model that thinks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Timeouts {
    /// Name look-up, TCP and TLS of one connection. Default 5 s.
    #[serde(skip_serializing_if = "is_default_connect")]
    pub connect: Millis,
    /// From sending an attempt to its first content. Default none: reasoning models think for minutes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_content: Option<Millis>,
    /// Between two pieces of an answer. Default 60 s.
    #[serde(skip_serializing_if = "is_default_between")]
    pub between_events: Millis,
    /// One attempt, until its answer may be shown. Default none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<Millis>,
    /// The whole exchange. Default 600 s, which is the official SDKs' own.
    #[serde(skip_serializing_if = "is_default_request")]
    pub request: Millis,
}

const CONNECT: Millis = Millis(5_000);
const BETWEEN_EVENTS: Millis = Millis(60_000);
const REQUEST: Millis = Millis(600_000);

/// Every failure class: the default of `fallback.on`.
pub fn all_failures() -> BTreeSet<FailureClass> {
    FailureClass::ALL.into()
}

fn is_all_failures(set: &BTreeSet<FailureClass>) -> bool {
    set.len() == FailureClass::ALL.len()
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn is_default_connect(value: &Millis) -> bool {
    *value == CONNECT
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn is_default_between(value: &Millis) -> bool {
    *value == BETWEEN_EVENTS
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn is_default_request(value: &Millis) -> bool {
    *value == REQUEST
}

// === impl Policy ===

impl Default for Policy {
    fn default() -> Self {
        Self {
            timeouts: Timeouts::default(),
            fallback_on: all_failures(),
        }
    }
}

// === impl Timeouts ===

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: CONNECT,
            first_content: None,
            between_events: BETWEEN_EVENTS,
            attempt: None,
            request: REQUEST,
        }
    }
}
