//! What each pod gets, and what it said of it: the table between workload groups, push sessions and status.
//!
//! *Flow*: groups publish the [`Standing`] of each pod, sessions follow it; sessions record what their sidecar
//! acknowledged, status reads it. Neither side knows the other.

mod acknowledgements;
mod assignments;

use std::sync::Arc;

use bytes::Bytes;
use fkm_push::ObjectRef;
use fkm_snapshot::{PodContext, Secrets, SnapshotHash, ValidSnapshot};

use crate::push::Violation;

pub use acknowledgements::{Acknowledgement, Acknowledgements, ConnectedPod, Programmed, Rejected};
pub use assignments::{Assignments, Subscription};

/// What one pod gets.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// Of its workload group.
    pub snapshot: Arc<Payload>,
    /// All keys that the snapshot needs.
    pub secrets: Arc<Secrets>,
    /// What is this pod's own, from the store.
    pub context: PodContext,
}

/// A snapshot ready to be sent; one for each workload group, shared by its pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// Its identity.
    pub hash: SnapshotHash,
    /// One zstd frame.
    pub compressed: Bytes,
    /// Without compression, in bytes.
    pub uncompressed_size: usize,
    /// The objects that it was made of; no part of the identity.
    pub objects: Arc<[ObjectRef]>,
}

/// Where a pod stands.
#[derive(Clone, Debug, Default)]
pub enum Standing {
    /// No such injected pod in the store.
    #[default]
    Unknown,
    /// It is in the store and may have keys, but what it gets is not known yet.
    Awaited,
    /// The pod is not such that it may have keys.
    Denied(Violation),
    /// It gets this.
    Granted(Assignment),
}

// === impl Assignment ===

impl Assignment {
    /// Whether nothing in it would make a difference to a session.
    fn is_same(&self, other: &Self) -> bool {
        let same_snapshot =
            Arc::ptr_eq(&self.snapshot, &other.snapshot) || self.snapshot == other.snapshot;
        same_snapshot
            && self.secrets.version == other.secrets.version
            && self.context == other.context
    }
}

// === impl Payload ===

impl Payload {
    /// Compresses the payload of a snapshot. Milliseconds of work for the largest.
    pub fn new(snapshot: &ValidSnapshot, objects: impl Into<Arc<[ObjectRef]>>) -> Self {
        let payload = snapshot.get().to_payload();
        Self {
            hash: snapshot.hash(),
            compressed: fkm_push::compress(&payload).into(),
            uncompressed_size: payload.len(),
            objects: objects.into(),
        }
    }

    /// The same payload, made of other generations.
    #[must_use]
    pub fn with_objects(&self, objects: impl Into<Arc<[ObjectRef]>>) -> Self {
        Self {
            objects: objects.into(),
            ..self.clone()
        }
    }
}

// === impl Standing ===

impl Standing {
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Unknown, Self::Unknown) | (Self::Awaited, Self::Awaited) => true,
            (Self::Denied(one), Self::Denied(other)) => one == other,
            (Self::Granted(one), Self::Granted(other)) => one.is_same(other),
            _ => false,
        }
    }
}
