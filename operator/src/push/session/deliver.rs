//! State 3 of a session: one delivery, from the plan to its answer.

use std::pin::pin;
use std::sync::Arc;

use fkm_push::{Ack, ClientMessage, Nack, SecretsMessage, ServerMessage, SnapshotMessage, wire};
use fkm_snapshot::{Problem, Secrets};
use tokio::time::{Instant, sleep_until};
use tracing::{debug, warn};

use super::end::End;
use super::{Session, note, unexpected};
use crate::assignment::{Assignment, ConnectedPod, Rejected, Subscription};
use crate::push::plan::{Expected, Holding, Plan};

/// What one assignment needs to be sent.
pub(super) struct Delivery {
    plan: Plan,
    wanted: Assignment,
    /// The keys to send, if the plan has some.
    secrets: Arc<Secrets>,
    /// What the answer must be; none: only the context is sent, which has no answer.
    expected: Option<Expected>,
}

enum Answer {
    Ack(Ack),
    Nack(Nack),
}

// === impl Delivery ===

impl Delivery {
    /// None: nothing is missing.
    pub(super) fn plan(holding: &Holding, wanted: Assignment) -> Option<Self> {
        let plan = holding.plan(&wanted);
        let expected = holding.expected(plan, &wanted);
        (!plan.is_empty()).then(|| Self {
            plan,
            secrets: holding.keys(plan, &wanted),
            wanted,
            expected,
        })
    }

    /// The messages that are answered, or why they cannot travel.
    fn messages(&self, version: u64) -> Result<Vec<wire::ServerMessage>, Problem> {
        let mut messages = Vec::with_capacity(2);
        if self.plan.secrets {
            let secrets = SecretsMessage {
                secrets: Arc::clone(&self.secrets),
                snapshot_follows: self.plan.snapshot,
            };
            messages.push(ServerMessage::Secrets(secrets).into_bounded()?);
        }
        if self.plan.snapshot {
            let payload = &self.wanted.snapshot;
            let snapshot = SnapshotMessage {
                version,
                hash: payload.hash,
                payload: payload.compressed.clone(),
                uncompressed_size: payload.uncompressed_size,
                objects: Arc::clone(&payload.objects),
            };
            messages.push(ServerMessage::Snapshot(snapshot).into_bounded()?);
        }
        Ok(messages)
    }

    /// Records a refusal, unless it was of keys for a snapshot that the sidecar keeps in spite of the wanted one: status
    /// tells why that one was refused.
    fn rejected(&self, record: &ConnectedPod, problems: Vec<Problem>) {
        let hash = self.wanted.snapshot.hash;
        if self.expected.as_ref().is_some_and(|one| one.hash == hash) {
            record.rejected(Rejected {
                hash,
                objects: Arc::clone(&self.wanted.snapshot.objects),
                problems,
            });
        } else {
            record.answered();
        }
    }
}

// === impl Session ===

impl Session {
    /// Sends the delivery, waits for its answer and records it.
    pub(super) async fn deliver(
        &mut self,
        delivery: &Delivery,
        holding: &mut Holding,
        record: &ConnectedPod,
        subscription: &mut Subscription,
    ) -> Result<(), End> {
        let plan = delivery.plan;
        if plan.context {
            let context = delivery.wanted.context.clone();
            holding.sent_context(&context);
            let message = ServerMessage::Context(context).into();
            self.send(message, subscription).await?;
        }
        let Some(expected) = delivery.expected.clone() else {
            return Ok(());
        };
        let version = self.version + u64::from(plan.snapshot);
        let messages = match delivery.messages(version) {
            Ok(messages) => messages,
            Err(problem) => {
                warn!(pod.namespace = self.pod().namespace, pod.name = self.pod().name, %problem, "delivery cannot be sent");
                delivery.rejected(record, vec![problem]);
                holding.refuse(plan, expected);
                return Ok(());
            }
        };
        self.version = version;
        for message in messages {
            self.send(message, subscription).await?;
        }
        self.count(delivery);
        match self.answer(&expected, record, subscription).await? {
            Answer::Ack(ack) => {
                self.shared.metrics.acks.inc();
                debug!(
                    pod.namespace = self.pod().namespace,
                    pod.name = self.pod().name,
                    hash = ack.hash.short(),
                    "delivery taken"
                );
                record.answered();
                holding.acked(plan, ack, &delivery.secrets);
                note(holding, &delivery.wanted, record);
            }
            Answer::Nack(nack) => {
                self.shared.metrics.nacks.inc();
                let first = nack.problems.first();
                warn!(
                    pod.namespace = self.pod().namespace,
                    pod.name = self.pod().name,
                    hash = nack.hash.short(),
                    problems = nack.problems.len(),
                    first = first.map(tracing::field::display),
                    "delivery refused"
                );
                delivery.rejected(record, nack.problems.clone());
                holding.nacked(plan, expected, &nack);
            }
        }
        Ok(())
    }

    /// Waits for room, but not when the pod may have nothing any more.
    async fn send(
        &mut self,
        message: wire::ServerMessage,
        subscription: &mut Subscription,
    ) -> Result<(), End> {
        let deadline = Instant::now() + self.shared.timings.silent;
        let mut room = pin!(self.outbound.send(message));
        loop {
            tokio::select! {
                there = &mut room => return if there { Ok(()) } else { Err(End::Closed) },
                () = subscription.changed() => {
                    self.granted(subscription)?;
                }
                () = sleep_until(deadline) => return Err(End::Silent),
                () = self.shared.stopping.cancelled() => return Err(End::Stopping),
                () = self.replaced.cancelled() => return Err(End::Replaced),
            }
        }
    }

    fn count(&self, delivery: &Delivery) {
        let metrics = &self.shared.metrics;
        if delivery.plan.secrets {
            metrics.secrets.inc();
        }
        if delivery.plan.snapshot {
            metrics.snapshots.inc();
            let bytes = delivery.wanted.snapshot.compressed.len();
            metrics.snapshot_bytes.inc_by(bytes as u64);
        }
    }

    /// Waits for the answer, past the time after which the pod counts as not programmed, to the one that ends the stream.
    async fn answer(
        &mut self,
        expected: &Expected,
        record: &ConnectedPod,
        subscription: &mut Subscription,
    ) -> Result<Answer, End> {
        let sent = Instant::now();
        let timings = self.shared.timings;
        let mut overdue = false;
        loop {
            let limit = if overdue {
                timings.silent
            } else {
                timings.overdue
            };
            tokio::select! {
                message = self.message() => return self.check(message?, expected),
                // What is newer waits for the answer; what is forbidden does not.
                () = subscription.changed() => {
                    self.granted(subscription)?;
                }
                () = sleep_until(sent + limit) => {
                    if overdue {
                        return Err(End::Silent);
                    }
                    overdue = true;
                    self.shared.metrics.overdue.inc();
                    record.overdue();
                }
            }
        }
    }

    /// An answer must be to what was sent.
    fn check(&self, message: ClientMessage, expected: &Expected) -> Result<Answer, End> {
        let (version, hash) = match &message {
            ClientMessage::Hello(_) => return Err(unexpected(&message)),
            ClientMessage::Ack(ack) => (ack.version, ack.hash),
            ClientMessage::Nack(nack) => (nack.version, nack.hash),
        };
        if (version, hash) != (self.version, expected.hash) {
            let wanted = (self.version, expected.hash);
            return Err(End::Protocol(format!(
                "an answer to version {version}, hash {hash}; the delivery is version {}, hash {}",
                wanted.0, wanted.1
            )));
        }
        match message {
            ClientMessage::Ack(ack) if ack.secrets_version != expected.secrets_version => {
                Err(End::Protocol(format!(
                    "an Ack with secrets version {:?}; the delivery needs {:?}",
                    ack.secrets_version, expected.secrets_version
                )))
            }
            ClientMessage::Ack(ack) => Ok(Answer::Ack(ack)),
            ClientMessage::Nack(nack) => Ok(Answer::Nack(nack)),
            ClientMessage::Hello(_) => Err(unexpected(&message)),
        }
    }
}
