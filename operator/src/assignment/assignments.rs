//! Where sessions read what their pod gets, and groups publish it.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;

use super::Standing;

/// The standing of each pod, by uid. Cheap to clone; all clones are one table.
#[derive(Clone, Debug, Default)]
pub struct Assignments {
    pods: Arc<Mutex<HashMap<String, watch::Sender<Standing>>>>,
}

/// Follows the standing of one pod; the latest wins.
#[derive(Debug)]
pub struct Subscription {
    uid: String,
    receiver: watch::Receiver<Standing>,
    table: Assignments,
}

// === impl Assignments ===

impl Assignments {
    /// No pods.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says where a pod stands. Wakes its session only when that makes a difference.
    pub fn publish(&self, uid: &str, standing: Standing) {
        let mut pods = self.pods.lock();
        let Some(sender) = pods.get(uid) else {
            pods.insert(uid.to_owned(), watch::Sender::new(standing));
            return;
        };
        sender.send_if_modified(|current| {
            let modified = !current.is_same(&standing);
            if modified {
                *current = standing;
            }
            modified
        });
    }

    /// The pod is there and may have keys. What it has been granted stays.
    pub fn await_assignment(&self, uid: &str) {
        let mut pods = self.pods.lock();
        let sender = pods.entry(uid.to_owned()).or_default();
        sender.send_if_modified(|current| {
            let modified = matches!(current, Standing::Unknown | Standing::Denied(_));
            if modified {
                *current = Standing::Awaited;
            }
            modified
        });
    }

    /// The pod is gone: its session ends.
    pub fn remove(&self, uid: &str) {
        let mut pods = self.pods.lock();
        let Some(sender) = pods.get(uid) else { return };
        sender.send_replace(Standing::Unknown);
        // The entry of a pod that is asked for goes with its last subscription.
        if sender.receiver_count() == 0 {
            pods.remove(uid);
        }
    }

    /// Follows a pod, which need not be known yet.
    pub fn subscribe(&self, uid: &str) -> Subscription {
        let mut pods = self.pods.lock();
        let receiver = pods.entry(uid.to_owned()).or_default().subscribe();
        Subscription {
            uid: uid.to_owned(),
            receiver,
            table: self.clone(),
        }
    }

    /// How many pods have a standing or are asked for.
    pub fn len(&self) -> usize {
        self.pods.lock().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets a pod that is not known when the last that asked for it goes.
    fn release(&self, uid: &str) {
        let mut pods = self.pods.lock();
        let last = pods.get(uid).is_some_and(|sender| {
            sender.receiver_count() <= 1 && matches!(*sender.borrow(), Standing::Unknown)
        });
        if last {
            pods.remove(uid);
        }
    }
}

// === impl Subscription ===

impl Subscription {
    /// Where the pod stands now.
    pub fn current(&mut self) -> Standing {
        self.receiver.borrow_and_update().clone()
    }

    /// Waits until that is no longer what [`Subscription::current`] gave. Safe to cancel.
    pub async fn changed(&mut self) {
        self.receiver
            .changed()
            .await
            .expect("the entry of a subscribed pod stays in the table");
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.table.release(&self.uid);
    }
}

#[cfg(test)]
mod tests;
