//! What was written, until the watch shows it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use kube::ResourceExt;
use tokio::time::Instant;

use crate::apply::Reported;
use crate::group::Found;

/// The last write to each object of a kind, by uid.
#[derive(Debug)]
pub(super) struct Written<K>(HashMap<String, Write<K>>);

#[derive(Debug)]
struct Write<K> {
    /// The version that the store had then.
    seen: String,
    /// What the API server answered.
    object: Arc<K>,
    at: Instant,
}

// === impl Written ===

impl<K: Reported> Written<K> {
    pub(super) fn new() -> Self {
        Self(HashMap::new())
    }

    /// The object with its newest status: the answer to our own write while the store has not moved since.
    pub(super) fn current(&self, live: &Arc<K>) -> Arc<K> {
        let write = self.0.get(&live.uid().unwrap_or_default());
        let write = write.filter(|write| live.resource_version().as_deref() == Some(&write.seen));
        write.map_or(live, |write| &write.object).clone()
    }

    /// When an object was last written to.
    pub(super) fn last(&self, uid: &str) -> Option<Instant> {
        self.0.get(uid).map(|write| write.at)
    }

    pub(super) fn wrote(&mut self, seen: String, object: Box<K>, at: Instant) {
        let object: Arc<K> = Arc::from(object);
        self.0
            .insert(object.uid().unwrap_or_default(), Write { seen, object, at });
    }

    /// Forgets the objects that are gone.
    pub(super) fn retain(&mut self, found: &[Found<K>]) {
        let there: HashSet<String> = found
            .iter()
            .filter_map(|found| found.object.uid())
            .collect();
        self.0.retain(|uid, _| there.contains(uid));
    }
}
