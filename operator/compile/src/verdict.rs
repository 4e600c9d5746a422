//! What is to be said of an object.

use std::fmt;

use fkm_crds::Reason;

/// What compilation found out about one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// `Ok`: the live spec takes part, with what deserves a warning.
    pub accepted: Result<Vec<Fault>, Complaint>,
    /// `Err`: something that it names is missing, unusable or not for it.
    pub resolved: Result<(), Complaint>,
    /// The generation whose spec is in the snapshot: the live one or the last accepted. `None`: nothing of it is.
    pub served: Option<i64>,
}

/// Why a condition is false. Never without a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The reason of the condition: that of the first fault.
    pub reason: Reason,
    /// All that is wrong, in the order of the object.
    pub faults: Vec<Fault>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The kind of fault.
    pub reason: Reason,
    /// Where: `spec.rules[2].backends[0].model`.
    pub path: String,
    /// The value and the fix.
    pub message: String,
}

/// How many faults a message tells; more would only hide them.
const SHOWN: usize = 5;

// === impl Complaint ===

impl Complaint {
    /// `Err` with all faults; `Ok` where there are none.
    pub(crate) fn of(faults: Vec<Fault>) -> Result<(), Self> {
        match faults.first() {
            None => Ok(()),
            Some(first) => Err(Self {
                reason: first.reason,
                faults,
            }),
        }
    }

    /// The message of the condition.
    pub fn message(&self) -> String {
        messages(&self.faults)
    }
}

// === impl Verdict ===

impl Verdict {
    /// The warnings as the message of an `Accepted` condition that is true; empty where there are none.
    pub fn warnings(&self) -> String {
        self.accepted
            .as_ref()
            .map_or_else(|_| String::new(), |faults| messages(faults))
    }
}

// === impl Fault ===

impl Fault {
    pub(crate) fn new(reason: Reason, path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            reason,
            path: path.into(),
            message: message.into(),
        }
    }

    /// A fault of the object itself.
    pub(crate) fn invalid(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Reason::Invalid, path, message)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

fn messages(faults: &[Fault]) -> String {
    let mut shown: Vec<String> = faults.iter().take(SHOWN).map(Fault::to_string).collect();
    if faults.len() > SHOWN {
        shown.push(format!("and {} more", faults.len() - SHOWN));
    }
    shown.join("; ")
}

/// `; did you mean "a" or "b"?`, or nothing.
pub(crate) fn suggestion(near: &[&str]) -> String {
    if near.is_empty() {
        return String::new();
    }
    let quoted: Vec<String> = near.iter().map(|name| format!("{name:?}")).collect();
    format!("; did you mean {}?", quoted.join(" or "))
}
