//! Refusals on their way to whoever writes events.

use fkm_push::PodIdentity;
use tokio::sync::mpsc;
use tracing::{debug, warn};

use super::{AuthFailure, PushMetrics};

/// Refusals that wait for the writer; more are dropped, for the metric counts them all.
const WAITING: usize = 256;

/// One refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Whose token it was; none: it says nothing.
    pub pod: Option<PodIdentity>,
    /// Whether the API server vouches for `pod`. Otherwise it is what an unproven token says: anyone can make one, so
    /// an event belongs to it only when the store knows this pod by this uid.
    pub proven: bool,
    /// Of a closed set, in `PascalCase`.
    pub reason: &'static str,
    /// For a person; without secrets.
    pub message: String,
}

/// Counts refusals and passes them on. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Incidents {
    sender: mpsc::Sender<Incident>,
    metrics: PushMetrics,
}

// === impl Incidents ===

impl Incidents {
    /// The writing end and the reading end.
    pub fn channel(metrics: PushMetrics) -> (Self, mpsc::Receiver<Incident>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self { sender, metrics }, receiver)
    }

    /// A refusal of whoever `pod` says, if anything.
    pub(super) fn refused(&self, failure: &AuthFailure, pod: Option<PodIdentity>, proven: bool) {
        let reason = failure.reason();
        self.metrics.refused(reason);
        let (namespace, name) = match &pod {
            Some(pod) => (pod.namespace.as_str(), pod.name.as_str()),
            None => ("", ""),
        };
        if proven {
            warn!(reason, pod.namespace = namespace, pod.name = name, %failure, "sidecar refused");
        } else {
            // Anyone in the cluster can cause these at any rate; the metric counts them.
            debug!(reason, claimed.namespace = namespace, claimed.name = name, %failure, "token refused");
        }
        if !failure.is_incident() {
            return;
        }
        let incident = Incident {
            pod,
            proven,
            reason,
            message: failure.to_string(),
        };
        if self.sender.try_send(incident).is_err() {
            debug!(
                reason,
                "too many refusals wait to become events; this one is only counted"
            );
        }
    }
}
