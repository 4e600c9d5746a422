//! Step *execute*: tries the candidates in turn until one's answer may be shown.
//!
//! Nothing of an answer reaches the client before it is taken, so a failed candidate leaves no trace but its attempt. The
//! whole runs under the route's `timeouts.request`.

use std::fmt::Write as _;
use std::sync::Arc;

use fkm_llm::FailureClass;
use fkm_telemetry::names;
use tokio::time::Instant;
use tracing::Instrument;

use super::{encode, send, take};
use crate::attempt::{AttemptError, Failure, Limits};
use crate::error::{ExchangeError, Reason};
use crate::exchange::Exchange;
use crate::metrics::{AttemptLabels, AttemptOutcome};
use crate::policy::verdict::{Next, after};
use crate::runtime::{Candidate, Offer};
use crate::steps::take::Taken;

/// The candidate that answered, and with what.
pub(crate) struct Executed {
    pub(crate) candidate: Candidate,
    pub(crate) taken: Taken,
    /// Attempts made, the successful one included.
    pub(crate) attempts: u32,
    /// When the exchange must be over.
    pub(crate) deadline: Instant,
}

/// Candidates that failed, for the error and the log.
#[derive(Default)]
struct Failures {
    count: u32,
    text: String,
    last: Option<Failure>,
}

/// Tries the plan.
pub(crate) async fn run(exchange: &Arc<Exchange>) -> Result<Executed, ExchangeError> {
    let policy = &exchange.rule().policy;
    let deadline = exchange.started + policy.timeouts.request.into();
    let mut failures = Failures::default();
    let mut skip: Option<&Offer> = None;
    for candidate in &exchange.plan {
        if skip.is_some_and(|failed| failed.is_same(&candidate.offer)) {
            continue;
        }
        skip = None;
        match attempt(exchange, candidate, failures.count + 1, deadline).await {
            Ok(taken) => return Ok(succeeded(exchange, candidate, taken, &failures, deadline)),
            Err(AttemptError::Final(mut error)) => {
                error.attempts = failures.count + 1;
                return Err(error);
            }
            Err(AttemptError::Failed(failure)) => {
                let class = failure.class;
                failures.add(exchange, candidate, failure);
                match after(class, &policy.fallback_on) {
                    Next::Candidate => {}
                    Next::Offer => skip = Some(&candidate.offer),
                    Next::GiveUp => break,
                }
            }
        }
    }
    Err(failures.into_error())
}

/// One attempt under its own span: encode, send, decode and check.
async fn attempt(
    exchange: &Arc<Exchange>,
    candidate: &Candidate,
    number: u32,
    deadline: Instant,
) -> Result<Taken, AttemptError> {
    let offer = &candidate.offer;
    let span = attempt_span(offer, number);
    let outcome = try_candidate(exchange, candidate, deadline)
        .instrument(span.clone())
        .await;
    let counted = match &outcome {
        Ok(_) => AttemptOutcome::Used,
        Err(AttemptError::Final(_)) => AttemptOutcome::Refused,
        Err(AttemptError::Failed(failure)) => {
            span.record(names::OTEL_STATUS_CODE, "ERROR");
            span.record(names::ERROR_TYPE, failure.class.name());
            AttemptOutcome::Failed(failure.class)
        }
    };
    exchange.context.metrics.attempt(&AttemptLabels {
        backend: candidate.backend.clone(),
        provider: offer.provider.name.clone(),
        credential: candidate.credential().to_owned(),
        model: offer.upstream_model.to_string(),
        outcome: counted,
    });
    outcome
}

/// The span of an attempt; nothing where no exporter asks for it.
fn attempt_span(offer: &Offer, number: u32) -> tracing::Span {
    let span = tracing::info_span!(
        target: "fkm_span",
        "attempt",
        { names::OTEL_NAME } = tracing::field::Empty,
        { names::OTEL_KIND } = "client",
        { names::OTEL_STATUS_CODE } = tracing::field::Empty,
        { names::GEN_AI_OPERATION_NAME } = names::operation::CHAT,
        { names::GEN_AI_PROVIDER_NAME } = %offer.provider.system,
        { names::GEN_AI_REQUEST_MODEL } = %offer.upstream_model,
        { names::HTTP_REQUEST_RESEND_COUNT } = number - 1,
        { names::ERROR_TYPE } = tracing::field::Empty,
    );
    if !span.is_disabled() {
        let name = format!("{} {}", names::operation::CHAT, offer.upstream_model);
        span.record(names::OTEL_NAME, name);
    }
    span
}

async fn try_candidate(
    exchange: &Arc<Exchange>,
    candidate: &Candidate,
    deadline: Instant,
) -> Result<Taken, AttemptError> {
    let limits = Limits::begin_at(Instant::now(), &exchange.rule().policy.timeouts, deadline);
    let mut encoded = encode::run(exchange, candidate)?;
    let strip_usage = encoded.strip_usage;
    let mut dropped = std::mem::take(&mut encoded.dropped);
    let answer = send::run(exchange, candidate, encoded, &limits).await?;
    let mut taken = take::run(exchange, candidate, answer, strip_usage, &limits).await?;
    dropped.append(&mut taken.dropped);
    taken.dropped = dropped;
    Ok(taken)
}

fn succeeded(
    exchange: &Exchange,
    candidate: &Candidate,
    taken: Taken,
    failures: &Failures,
    deadline: Instant,
) -> Executed {
    if failures.count > 0 {
        tracing::warn!(
            request_id = exchange.id.as_str(),
            route = &*exchange.rule().route,
            rule = &*exchange.rule().name,
            model = &*exchange.model,
            answered_by = candidate.offer.provider.name,
            failed = failures.text,
            "failed over: the client got the next provider's answer",
        );
    }
    Executed {
        candidate: candidate.clone(),
        taken,
        attempts: failures.count + 1,
        deadline,
    }
}

// === impl Failures ===

impl Failures {
    fn add(&mut self, exchange: &Exchange, candidate: &Candidate, failure: Failure) {
        self.count += 1;
        let (offer, class, message) = (&candidate.offer, failure.class, &failure.message);
        tracing::debug!(
            request_id = exchange.id.as_str(),
            backend = &*candidate.backend,
            provider = offer.provider.name,
            credential = candidate.credential(),
            model = &*offer.upstream_model,
            class = class.name(),
            message,
            "attempt failed",
        );
        let separator = if self.text.is_empty() { "" } else { "; " };
        let _ = write!(
            self.text,
            "{separator}{}/{}: {class}: {message}",
            offer.provider.name, offer.upstream_model
        );
        self.last = Some(failure);
    }

    fn into_error(self) -> ExchangeError {
        let (class, retry_after, retryable) = match self.last {
            Some(last) => (last.class, last.retry_after, last.retryable),
            None => (FailureClass::ModelUnavailable, None, true),
        };
        let attempts = if self.count == 1 {
            "attempt"
        } else {
            "attempts"
        };
        let message = format!(
            "no provider answered, {} {attempts}: {}",
            self.count, self.text
        );
        let mut error = ExchangeError::new(Reason::Attempt(class), message);
        error.retry_after = retry_after;
        error.retryable = retryable;
        error.attempts = self.count;
        error
    }
}
