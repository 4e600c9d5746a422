//! Events: what a person should see with `kubectl describe` although nothing waits for it.
//!
//! *Guarantees*: nobody is held up by an event; the same thing about the same object is told once a minute at most, and
//! few things of one sidecar's making, so a client that tries all day writes no flood; an event lands only on an object that is known by its uid.

mod throttle;

use std::borrow::Cow;
use std::time::Duration;

use fkm_push::PodIdentity;
use k8s_openapi::api::core::v1::{ObjectReference, Pod};
use kube::Client;
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use kube::runtime::reflector::{ObjectRef, Store};
use thiserror::Error;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use self::throttle::Throttle;
use crate::metrics::WriteMetrics;
use crate::push::Incident;

/// How long one write may take.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);
/// Notices that wait to be written; more are dropped, logs and metrics have them all.
const WAITING: usize = 256;
/// The API server takes 1 KiB.
const MAX_NOTE_BYTES: usize = 1000;
const KIND: &str = "Event";
/// The action of a notice about a sidecar that was refused.
const REFUSE_SIDECAR: &str = "RefuseSidecar";
/// The action of a notice about a snapshot that a sidecar refused.
pub(crate) const PUSH: &str = "Push";

/// Something to tell about an object.
#[derive(Clone, Debug)]
pub(crate) struct Notice {
    /// The object, with its uid.
    pub(crate) regarding: ObjectReference,
    /// What was done, in `PascalCase`.
    pub(crate) action: &'static str,
    /// Why, of a closed set, in `PascalCase`.
    pub(crate) reason: Cow<'static, str>,
    /// For a person; without secrets.
    pub(crate) note: String,
}

/// Passes notices on. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Notices(mpsc::Sender<Notice>);

/// Writes events.
pub(crate) struct EventWriter {
    recorder: Recorder,
    pods: Store<Pod>,
    notices: mpsc::Receiver<Notice>,
    incidents: mpsc::Receiver<Incident>,
    throttle: Throttle,
    metrics: WriteMetrics,
}

#[derive(Debug, Error)]
enum WriteError {
    #[error("the API server did not answer within {WRITE_TIMEOUT:?}")]
    Timeout,
    #[error(
        "the API server did not take the event; maybe the ClusterRole of the operator is not applied"
    )]
    Api(#[source] kube::Error),
}

// === impl Notices ===

impl Notices {
    /// The writing end and the reading end.
    pub(crate) fn channel() -> (Self, mpsc::Receiver<Notice>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (Self(sender), receiver)
    }

    /// Tells it, unless too much waits already.
    pub(crate) fn tell(&self, notice: Notice) {
        if let Err(error) = self.0.try_send(notice) {
            debug!(%error, "event dropped");
        }
    }
}

// === impl EventWriter ===

impl EventWriter {
    /// Writes what comes from both ends, about pods only when `pods` knows them.
    pub(crate) fn new(
        client: Client,
        pods: Store<Pod>,
        notices: mpsc::Receiver<Notice>,
        incidents: mpsc::Receiver<Incident>,
        metrics: WriteMetrics,
    ) -> Self {
        let recorder = Recorder::new(client, Reporter::from(crate::NAME));
        Self {
            recorder,
            pods,
            notices,
            incidents,
            throttle: Throttle::default(),
            metrics,
        }
    }

    /// Until the process is to end; what waits then is still written.
    pub(crate) async fn run(mut self, stopping: CancellationToken) {
        while let Some(notice) = self.next(&stopping).await {
            if self.throttle.admits_at(Instant::now(), &notice) {
                self.write(notice).await;
            }
        }
    }

    async fn next(&mut self, stopping: &CancellationToken) -> Option<Notice> {
        loop {
            let notice = tokio::select! {
                biased;
                Some(notice) = self.notices.recv() => Some(notice),
                Some(incident) = self.incidents.recv() => self.about_pod(incident),
                () = stopping.cancelled() => return None,
            };
            if notice.is_some() {
                return notice;
            }
        }
    }

    /// What a refusal of the push service says about a pod, if the pod is one of ours.
    fn about_pod(&self, incident: Incident) -> Option<Notice> {
        let PodIdentity {
            namespace,
            name,
            uid,
        } = incident.pod?;
        let known = self.pods.get(&ObjectRef::new(&name).within(&namespace));
        let known = known.filter(|pod| pod.metadata.uid.as_deref() == Some(&uid));
        if known.is_none() && !incident.proven {
            debug!(
                namespace,
                name,
                reason = incident.reason,
                "no event about a pod that nobody vouches for"
            );
            return None;
        }
        let regarding = ObjectReference {
            api_version: Some("v1".to_owned()),
            kind: Some("Pod".to_owned()),
            name: Some(name),
            namespace: Some(namespace),
            uid: Some(uid),
            // Events are merged by what they regard: one about another version of the pod is another one.
            resource_version: known.and_then(|pod| pod.metadata.resource_version.clone()),
            ..ObjectReference::default()
        };
        Some(Notice {
            regarding,
            action: REFUSE_SIDECAR,
            reason: incident.reason.into(),
            note: incident.message,
        })
    }

    async fn write(&self, notice: Notice) {
        let Notice {
            regarding,
            action,
            reason,
            note,
        } = notice;
        let event = Event {
            type_: EventType::Warning,
            reason: reason.clone().into_owned(),
            note: Some(shortened(note)),
            action: action.to_owned(),
            secondary: None,
        };
        let written = match timeout(WRITE_TIMEOUT, self.recorder.publish(&event, &regarding)).await
        {
            Ok(written) => written.map_err(WriteError::Api),
            Err(_) => Err(WriteError::Timeout),
        };
        self.metrics.wrote(KIND, written.is_ok());
        if let Err(error) = written {
            let error = &error as &dyn std::error::Error;
            warn!(%reason, name = regarding.name, namespace = regarding.namespace, error, "event not written");
        }
    }
}

impl std::fmt::Debug for EventWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventWriter").finish_non_exhaustive()
    }
}

fn shortened(mut note: String) -> String {
    if note.len() > MAX_NOTE_BYTES {
        let end = (0..=MAX_NOTE_BYTES)
            .rev()
            .find(|end| note.is_char_boundary(*end))
            .unwrap_or(0);
        note.truncate(end);
        note.push('…');
    }
    note
}
