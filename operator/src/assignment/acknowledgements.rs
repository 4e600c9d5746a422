//! What connected sidecars said of what they were sent; what status counts.

use std::collections::BTreeMap;
use std::sync::Arc;

use fkm_push::{ObjectRef, PodIdentity};
use fkm_snapshot::{Problem, SnapshotHash};
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Every connected sidecar of this replica, by pod uid. Cheap to clone; all clones are one table.
#[derive(Clone, Debug, Default)]
pub struct Acknowledgements {
    table: Arc<Table>,
}

#[derive(Debug, Default)]
struct Table {
    pods: Mutex<Pods>,
    changes: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Pods {
    streams: u64,
    by_uid: BTreeMap<String, Entry>,
}

#[derive(Debug)]
struct Entry {
    stream: u64,
    replaced: CancellationToken,
    acknowledgement: Acknowledgement,
}

/// One connected sidecar. A pod that is not connected has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    /// Whose.
    pub pod: PodIdentity,
    /// The version of its program.
    pub sidecar_version: String,
    /// What it last had in use exactly as wanted; none: nothing on this stream yet.
    pub programmed: Option<Programmed>,
    /// What it refused, until it takes something else.
    pub rejected: Option<Rejected>,
    /// It has not answered the delivery that is under way in time: counts as not programmed.
    pub overdue: bool,
}

/// What a sidecar has in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Programmed {
    /// The snapshot.
    pub hash: SnapshotHash,
    /// The keys; empty: none.
    pub secrets_version: String,
    /// The generations that are in effect. One that compiles to an equal payload is in effect without being sent.
    pub objects: Arc<[ObjectRef]>,
}

/// What a sidecar refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// The snapshot; or the one that the refused keys were for.
    pub hash: SnapshotHash,
    /// The generations that are not in effect.
    pub objects: Arc<[ObjectRef]>,
    /// Why.
    pub problems: Vec<Problem>,
}

/// The record of one stream; when it is dropped, the pod counts as not connected.
#[derive(Debug)]
pub struct ConnectedPod {
    uid: String,
    stream: u64,
    replaced: CancellationToken,
    table: Arc<Table>,
}

// === impl Acknowledgements ===

impl Acknowledgements {
    /// Nobody connected.
    pub fn new() -> Self {
        Self::default()
    }

    /// A sidecar connected. A later stream of the same pod takes the place of an earlier one.
    pub fn connect(&self, pod: PodIdentity, sidecar_version: String) -> ConnectedPod {
        let uid = pod.uid.clone();
        let replaced = CancellationToken::new();
        let stream = {
            let mut pods = self.table.pods.lock();
            pods.streams += 1;
            let entry = Entry {
                stream: pods.streams,
                replaced: replaced.clone(),
                acknowledgement: Acknowledgement {
                    pod,
                    sidecar_version,
                    programmed: None,
                    rejected: None,
                    overdue: false,
                },
            };
            if let Some(older) = pods.by_uid.insert(uid.clone(), entry) {
                older.replaced.cancel();
            }
            pods.streams
        };
        self.table.changed();
        ConnectedPod {
            uid,
            stream,
            replaced,
            table: Arc::clone(&self.table),
        }
    }

    /// All, in order of uid.
    pub fn all(&self) -> Vec<Acknowledgement> {
        let pods = self.table.pods.lock();
        pods.by_uid
            .values()
            .map(|entry| entry.acknowledgement.clone())
            .collect()
    }

    /// Of one pod.
    pub fn get(&self, uid: &str) -> Option<Acknowledgement> {
        let pods = self.table.pods.lock();
        pods.by_uid
            .get(uid)
            .map(|entry| entry.acknowledgement.clone())
    }

    /// Is woken by every change; the value itself only counts them.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.table.changes.subscribe()
    }
}

// === impl Table ===

impl Table {
    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }
}

// === impl ConnectedPod ===

impl ConnectedPod {
    /// Is cancelled when a later stream of the same pod has taken the place.
    pub fn replaced(&self) -> CancellationToken {
        self.replaced.clone()
    }

    /// It has in use what is wanted.
    pub fn programmed(&self, programmed: Programmed) {
        self.update(|acknowledgement| {
            acknowledgement.programmed = Some(programmed);
            acknowledgement.rejected = None;
            acknowledgement.overdue = false;
        });
    }

    /// It refused what was sent, and keeps what it had.
    pub fn rejected(&self, rejected: Rejected) {
        self.update(|acknowledgement| {
            acknowledgement.rejected = Some(rejected);
            acknowledgement.overdue = false;
        });
    }

    /// It answered, late or not.
    pub fn answered(&self) {
        self.update(|acknowledgement| acknowledgement.overdue = false);
    }

    /// It has not answered in time.
    pub fn overdue(&self) {
        self.update(|acknowledgement| acknowledgement.overdue = true);
    }

    /// Does nothing when a later stream of the same pod has taken the place.
    fn update(&self, change: impl FnOnce(&mut Acknowledgement)) {
        let changed = {
            let mut pods = self.table.pods.lock();
            match pods.by_uid.get_mut(&self.uid) {
                Some(entry) if entry.stream == self.stream => {
                    let before = entry.acknowledgement.clone();
                    change(&mut entry.acknowledgement);
                    before != entry.acknowledgement
                }
                _ => false,
            }
        };
        if changed {
            self.table.changed();
        }
    }
}

impl Drop for ConnectedPod {
    fn drop(&mut self) {
        let removed = {
            let mut pods = self.table.pods.lock();
            let current = pods
                .by_uid
                .get(&self.uid)
                .is_some_and(|entry| entry.stream == self.stream);
            current && pods.by_uid.remove(&self.uid).is_some()
        };
        if removed {
            self.table.changed();
        }
    }
}

#[cfg(test)]
mod tests {
    use fkm_snapshot::ProblemCode;

    use super::*;

    fn pod() -> PodIdentity {
        PodIdentity {
            namespace: "shop".into(),
            name: "shop-1".into(),
            uid: "u".into(),
        }
    }

    fn programmed() -> Programmed {
        Programmed {
            hash: SnapshotHash::of(b"{}"),
            secrets_version: "s".into(),
            objects: Arc::default(),
        }
    }

    fn rejected() -> Rejected {
        Rejected {
            hash: SnapshotHash::of(b""),
            objects: Arc::default(),
            problems: vec![Problem::new("p", ProblemCode::Invalid, "m")],
        }
    }

    #[test]
    fn a_refusal_leaves_what_was_in_use_until_something_else_is() {
        let table = Acknowledgements::new();
        let stream = table.connect(pod(), "1".into());
        stream.programmed(programmed());
        stream.overdue();
        assert!(table.get("u").unwrap().overdue);
        stream.rejected(rejected());
        let record = table.get("u").unwrap();
        assert_eq!(record.programmed, Some(programmed()));
        assert_eq!(record.rejected, Some(rejected()));
        assert!(!record.overdue);
        stream.programmed(programmed());
        assert_eq!(table.get("u").unwrap().rejected, None);
    }

    #[test]
    fn an_old_stream_that_ends_late_does_not_disconnect_the_pod() {
        let table = Acknowledgements::new();
        let old = table.connect(pod(), "1".into());
        assert!(!old.replaced().is_cancelled());
        let new = table.connect(pod(), "2".into());
        assert!(old.replaced().is_cancelled() && !new.replaced().is_cancelled());
        old.programmed(programmed());
        drop(old);
        let record = table.get("u").unwrap();
        assert_eq!(record.sidecar_version, "2");
        assert_eq!(record.programmed, None);
        drop(new);
        assert!(table.all().is_empty());
    }

    #[test]
    fn readers_are_woken_by_changes_only() {
        let table = Acknowledgements::new();
        let mut changes = table.subscribe();
        let stream = table.connect(pod(), "1".into());
        assert!(changes.has_changed().unwrap());
        changes.mark_unchanged();
        stream.programmed(programmed());
        assert!(changes.has_changed().unwrap());
        changes.mark_unchanged();
        stream.programmed(programmed());
        assert!(!changes.has_changed().unwrap());
        drop(stream);
        assert!(changes.has_changed().unwrap());
    }
}
