//! What watches over a body that is being sent: its time, the end of the process, and that it is recorded once.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use fkm_llm::{ClientError, ErrorKind, FailureClass, Progress, StreamFault};
use tokio::time::{Instant, Sleep};
use tokio_util::sync::WaitForCancellationFutureOwned;

use crate::codec::Codec;
use crate::error::Reason;
use crate::exchange::RequestId;
use crate::metrics::Outcome;
use crate::runtime::Candidate;
use crate::steps::record::Record;
use crate::upstream::Broken;

/// How long a provider that has given its finish reason may keep the connection open in silence.
const AFTER_FINISH: Duration = Duration::from_secs(2);

/// What watches over a body that is being sent.
pub(super) struct Guard {
    pub(super) format: Codec,
    candidate: Candidate,
    id: RequestId,
    pub(super) timer: Timer,
    forced: Pin<Box<WaitForCancellationFutureOwned>>,
    /// Gone once the exchange has been recorded, which is when nothing more comes from the provider.
    pub(super) record: Option<Record>,
}

/// The time between two pieces and the end of the exchange, with one timer that is moved only when it fires.
pub(super) struct Timer {
    between: Duration,
    deadline: Instant,
    pub(super) last: Instant,
    sleep: Pin<Box<Sleep>>,
}

/// Why a body ends early.
pub(super) enum Cut {
    Fault(Box<StreamFault>),
    Broken(Broken),
    BetweenEvents,
    Request,
    Draining,
}

/// What a new body needs.
pub(crate) struct Start {
    pub(crate) format: Codec,
    pub(crate) candidate: Candidate,
    pub(crate) id: RequestId,
    pub(crate) between: Duration,
    pub(crate) deadline: Instant,
    pub(crate) forced: WaitForCancellationFutureOwned,
    pub(crate) record: Record,
}

// === impl Cut ===

impl Cut {
    pub(super) fn fault(fault: StreamFault) -> Self {
        Self::Fault(Box::new(fault))
    }
}

// === impl Guard ===

impl Guard {
    pub(super) fn poll_cut(&mut self, cx: &mut Context<'_>) -> Poll<Cut> {
        if self.forced.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Cut::Draining);
        }
        self.timer.poll(cx)
    }

    pub(super) fn record(&mut self, outcome: Outcome, progress: &Progress) {
        if let Some(record) = self.record.take() {
            record.end(outcome, progress);
        }
    }

    fn fault(&self, fault: StreamFault) -> (Reason, ClientError) {
        match fault {
            StreamFault::Provider(mut error) => {
                self.candidate.redact(&mut error);
                let reason = error
                    .class
                    .map_or(Reason::RefusedByProvider, Reason::Attempt);
                (reason, ClientError::from(&*error))
            }
            fault => broken(fault.to_string()),
        }
    }

    /// Records the cut and says what the client is told.
    pub(super) fn cut(&mut self, cut: Cut, progress: &Progress) -> ClientError {
        let (reason, error) = match cut {
            Cut::Fault(fault) => self.fault(*fault),
            Cut::Broken(Broken(what)) => broken(what),
            Cut::BetweenEvents => {
                let message = "the provider fell silent: timeouts.betweenEvents is over";
                (
                    Reason::Attempt(FailureClass::Timeout),
                    ClientError::new(ErrorKind::Timeout, message),
                )
            }
            Cut::Request => {
                let message = "timeouts.request is over before the answer was complete";
                (
                    Reason::RequestTimeout,
                    ClientError::new(ErrorKind::Timeout, message),
                )
            }
            Cut::Draining => {
                let message = "the sidecar is shutting down and the drain deadline is over";
                (
                    Reason::Draining,
                    ClientError::new(ErrorKind::Overloaded, message).with_code("draining"),
                )
            }
        };
        self.record(Outcome::Failed(reason), progress);
        error.with_request_id(self.id.as_str())
    }
}

/// An answer that ends before it is complete.
fn broken(what: String) -> (Reason, ClientError) {
    let error = ClientError::new(ErrorKind::Upstream, what).with_code("provider_broken_answer");
    (Reason::Attempt(FailureClass::BrokenStream), error)
}

impl From<Start> for Guard {
    fn from(start: Start) -> Self {
        let now = Instant::now();
        let first = (now + start.between).min(start.deadline);
        Self {
            format: start.format,
            candidate: start.candidate,
            id: start.id,
            timer: Timer {
                between: start.between,
                deadline: start.deadline,
                last: now,
                sleep: Box::pin(tokio::time::sleep_until(first)),
            },
            forced: Box::pin(start.forced),
            record: Some(start.record),
        }
    }
}

// === impl Timer ===

impl Timer {
    /// The answer is finished: only its usage and its end are still to come.
    pub(super) fn hurry(&mut self) {
        if self.between > AFTER_FINISH {
            self.between = AFTER_FINISH;
            self.sleep
                .as_mut()
                .reset((self.last + AFTER_FINISH).min(self.deadline));
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Cut> {
        loop {
            ready!(self.sleep.as_mut().poll(cx));
            let now = Instant::now();
            let silent_until = self.last + self.between;
            if now >= self.deadline {
                return Poll::Ready(Cut::Request);
            }
            if now >= silent_until {
                return Poll::Ready(Cut::BetweenEvents);
            }
            self.sleep.as_mut().reset(silent_until.min(self.deadline));
        }
    }
}
