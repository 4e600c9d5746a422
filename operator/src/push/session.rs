//! One stream: from Hello to its end, one function for each state.
//!
//! *Flow*: await Hello → await a standing → (send what is missing → await the answer → rest until something changes) …
//! Each state also ends when the client goes, the operator stops, or the pod may no longer have keys.
//!
//! *Guarantees*: at most one delivery without an answer is under way; what changed meanwhile is sent afterwards, the
//! latest only; a pod whose standing turns to anything but granted is cut off at once, in every state, and what waits to
//! be written to it is dropped; a pod has one stream: a newer one ends the older.

mod deliver;
mod end;
mod outbound;

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use fkm_push::{ClientMessage, Hello, PodIdentity, wire};
use futures_util::{Stream, StreamExt};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::Status;
use tracing::info;

use super::incident::Incidents;
use super::plan::Holding;
use super::{AuthFailure, PushMetrics, TokenIdentity};
use crate::assignment::{
    Acknowledgements, Assignment, Assignments, ConnectedPod, Programmed, Standing, Subscription,
};

use deliver::Delivery;
use end::End;
pub(super) use outbound::{Outbound, Outgoing, channel};

/// How long a session waits in its states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timings {
    /// For Hello. Default 5 s: the client sends it with its request.
    pub hello: Duration,
    /// For the pod to appear in the store, and for what it gets. Default 10 s: the pod starts as its object reaches our
    /// watch.
    pub unknown_pod: Duration,
    /// For an answer before the pod counts as not programmed. Default 10 s.
    pub overdue: Duration,
    /// For an answer before the stream is closed, so that the sidecar starts anew. Default 30 s.
    pub silent: Duration,
}

/// What sessions share.
#[derive(Clone, Debug)]
pub(super) struct Shared {
    pub(super) assignments: Assignments,
    pub(super) acknowledgements: Acknowledgements,
    pub(super) incidents: Incidents,
    pub(super) metrics: PushMetrics,
    pub(super) timings: Timings,
    pub(super) stopping: CancellationToken,
}

pub(super) type Inbound = Pin<Box<dyn Stream<Item = Result<wire::ClientMessage, Status>> + Send>>;

/// One stream whose token was accepted.
pub(super) struct Session {
    shared: Arc<Shared>,
    identity: TokenIdentity,
    inbound: Inbound,
    outbound: Outbound,
    /// Is cancelled when a newer stream of the pod has come.
    replaced: CancellationToken,
    /// Counts the snapshots of this stream.
    version: u64,
}

// === impl Timings ===

impl Default for Timings {
    fn default() -> Self {
        Self {
            hello: Duration::from_secs(5),
            unknown_pod: Duration::from_secs(10),
            overdue: Duration::from_secs(10),
            silent: Duration::from_secs(30),
        }
    }
}

// === impl Session ===

impl Session {
    pub(super) fn new(
        shared: Arc<Shared>,
        identity: TokenIdentity,
        inbound: Inbound,
        outbound: Outbound,
    ) -> Self {
        Self {
            shared,
            identity,
            inbound,
            outbound,
            replaced: CancellationToken::new(),
            version: 0,
        }
    }

    /// Runs to the stream's end and says why it ended.
    pub(super) async fn run(mut self) {
        self.shared.metrics.streams.inc();
        let end = match self.follow().await {
            Err(end) => end,
            Ok(never) => match never {},
        };
        self.shared.metrics.streams.dec();
        if let End::Refused(failure) = &end {
            let pod = Some(self.pod().clone());
            self.shared.incidents.refused(failure, pod, true);
        }
        info!(pod.namespace = self.pod().namespace, pod.name = self.pod().name, reason = %end, "sidecar disconnected");
        if let Some(status) = end.status() {
            self.outbound.end(status);
        }
    }

    async fn follow(&mut self) -> Result<Infallible, End> {
        let hello = self.hello().await?;
        let mut subscription = self.shared.assignments.subscribe(&self.pod().uid);
        let mut wanted = self.first_standing(&mut subscription).await?;
        let record = self
            .shared
            .acknowledgements
            .connect(self.pod().clone(), hello.sidecar_version.clone());
        self.replaced = record.replaced();
        info!(
            pod.namespace = self.pod().namespace,
            pod.name = self.pod().name,
            version = hello.sidecar_version,
            features = hello.features.len(),
            holds = hello.applied_hash.map(|hash| hash.short()),
            "sidecar connected"
        );
        let mut holding = Holding::new(&hello);
        loop {
            note(&mut holding, &wanted, &record);
            match Delivery::plan(&holding, wanted) {
                Some(delivery) => {
                    self.deliver(&delivery, &mut holding, &record, &mut subscription)
                        .await?;
                }
                None => self.rest(&mut subscription).await?,
            }
            wanted = self.granted(&mut subscription)?;
        }
    }

    fn pod(&self) -> &PodIdentity {
        &self.identity.pod
    }

    /// State 1: the first message, which must be Hello, of the pod that the token is of.
    async fn hello(&mut self) -> Result<Hello, End> {
        let limit = self.shared.timings.hello;
        let message = match timeout(limit, self.message()).await {
            Ok(message) => message?,
            Err(_) => return Err(End::Protocol(format!("no Hello within {limit:?}"))),
        };
        let ClientMessage::Hello(hello) = message else {
            return Err(End::Protocol("the first message must be Hello".to_owned()));
        };
        if hello.pod != *self.pod() {
            return Err(AuthFailure::WrongPod {
                claimed: describe(&hello.pod),
                proven: describe(self.pod()),
            }
            .into());
        }
        Ok(hello)
    }

    /// State 2: until it is known what the pod gets, or that it gets nothing.
    async fn first_standing(&mut self, subscription: &mut Subscription) -> Result<Assignment, End> {
        let known = async {
            while let Standing::Unknown | Standing::Awaited = subscription.current() {
                subscription.changed().await;
            }
        };
        let limit = self.shared.timings.unknown_pod;
        tokio::select! {
            // A timeout is judged below: still nothing is known.
            _ = timeout(limit, known) => {}
            early = self.message() => return Err(unexpected(&early?)),
        }
        self.granted(subscription)
    }

    /// State 4: nothing to send.
    async fn rest(&mut self, subscription: &mut Subscription) -> Result<(), End> {
        tokio::select! {
            () = subscription.changed() => Ok(()),
            unasked = self.message() => Err(unexpected(&unasked?)),
        }
    }

    /// What the pod gets; an end, if it may not have anything (any more).
    fn granted(&self, subscription: &mut Subscription) -> Result<Assignment, End> {
        let assignment = match subscription.current() {
            Standing::Granted(assignment) => assignment,
            Standing::Denied(violation) => return Err(AuthFailure::Violation(violation).into()),
            Standing::Awaited => return Err(End::Unprepared),
            Standing::Unknown => {
                let pod = describe(self.pod());
                return Err(AuthFailure::UnknownPod { pod }.into());
            }
        };
        let context = &assignment.context;
        if context.service_account != self.identity.service_account {
            return Err(AuthFailure::ServiceAccountMismatch {
                token: self.identity.service_account.clone(),
                pod: context.service_account.clone(),
            }
            .into());
        }
        if context.namespace != self.pod().namespace || context.pod != self.pod().name {
            return Err(AuthFailure::WrongPod {
                claimed: describe(self.pod()),
                proven: format!("{}/{}", context.namespace, context.pod),
            }
            .into());
        }
        Ok(assignment)
    }

    /// The next message of the client, or why there is none. Safe to cancel.
    async fn message(&mut self) -> Result<ClientMessage, End> {
        let message = tokio::select! {
            message = self.inbound.next() => message,
            () = self.shared.stopping.cancelled() => return Err(End::Stopping),
            () = self.replaced.cancelled() => return Err(End::Replaced),
        };
        match message {
            Some(Ok(message)) => message
                .try_into()
                .map_err(|invalid: fkm_push::InvalidMessage| End::Protocol(invalid.to_string())),
            Some(Err(status)) => Err(End::Broken(Box::new(status))),
            None => Err(End::Closed),
        }
    }
}

/// What is in effect is in effect from here on, sent or not: an equal payload made of newer generations counts too.
fn note(holding: &mut Holding, wanted: &Assignment, record: &ConnectedPod) {
    if holding.has(wanted) {
        holding.keep(wanted);
        record.programmed(Programmed {
            hash: wanted.snapshot.hash,
            secrets_version: wanted.secrets.version.clone(),
            objects: Arc::clone(&wanted.snapshot.objects),
        });
    }
}

fn unexpected(message: &ClientMessage) -> End {
    let name = match message {
        ClientMessage::Hello(_) => "Hello",
        ClientMessage::Ack(_) => "Ack",
        ClientMessage::Nack(_) => "Nack",
    };
    End::Protocol(format!("{name} while nothing waits for an answer"))
}

fn describe(pod: &PodIdentity) -> String {
    let PodIdentity {
        namespace,
        name,
        uid,
    } = pod;
    format!("{namespace}/{name} ({uid})")
}

#[cfg(test)]
mod tests;
