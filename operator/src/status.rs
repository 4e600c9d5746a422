//! What stands in the status of a route or a pool. Pure: the facts and the clock are arguments.
//!
//! *Guarantees*: every condition names the generation that it is about; a transition time moves only when the condition's
//! status does; equal facts give an equal status, so that nothing is written twice.

mod conditions;
mod sidecars;

use fkm_crds::{LLMRouteStatus, ProviderPoolStatus, Reason};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

/// What compilation found out about one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Judgement {
    /// `Ok`: taken, with what deserves a warning.
    pub(crate) accepted: Result<String, Complaint>,
    /// `Err`: something that it names is missing or not for it.
    pub(crate) resolved: Result<(), Complaint>,
    /// The generation whose spec is served. `None`: nothing of this object is.
    pub(crate) served: Option<i64>,
}

/// What is wrong, for a tool and for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Complaint {
    pub(crate) reason: Reason,
    pub(crate) message: String,
}

/// A pod that is to run the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PodFact {
    pub(crate) name: String,
    /// Whether its containers run, so that its sidecar should be connected.
    pub(crate) running: bool,
    pub(crate) delivery: Delivery,
}

/// How far the newest snapshot has come in one pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// No stream, because it may have none.
    Denied(String),
    /// No stream.
    Disconnected,
    /// A stream, and no answer yet.
    Waiting,
    /// In use.
    Programmed,
    /// Refused, with path and reason.
    Rejected(String),
}

/// Everything that a status is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts<'a> {
    /// Of the live object.
    pub(crate) generation: i64,
    pub(crate) judgement: &'a Judgement,
    /// Sorted by name.
    pub(crate) pods: &'a [PodFact],
    /// The conditions that the object has now.
    pub(crate) previous: &'a [Condition],
    pub(crate) now: &'a Time,
}

/// The status of a route.
pub(crate) fn route(facts: Facts<'_>) -> LLMRouteStatus {
    let counts = sidecars::counts(&facts);
    LLMRouteStatus {
        observed_generation: Some(facts.generation),
        rejections: sidecars::rejections(&facts),
        conditions: conditions::conditions(&facts, &counts),
        sidecars: Some(counts),
    }
}

/// The status of a pool that so many routes use; its pods are those of all these routes.
pub(crate) fn pool(facts: Facts<'_>, attached_routes: usize) -> ProviderPoolStatus {
    let counts = sidecars::counts(&facts);
    ProviderPoolStatus {
        observed_generation: Some(facts.generation),
        attached_routes: Some(i32::try_from(attached_routes).unwrap_or(i32::MAX)),
        conditions: conditions::conditions(&facts, &counts),
    }
}

// === impl Facts ===

impl Facts<'_> {
    /// Whether the spec that is served is the one that stands in the object.
    fn serves_live_spec(&self) -> bool {
        self.judgement.served == Some(self.generation)
    }
}

#[cfg(test)]
mod tests;
