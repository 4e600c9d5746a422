//! Step *execute*: tries the candidates in turn until one's answer may be shown.
//!
//! Nothing of an answer reaches the client before it is taken, so a failed candidate leaves no trace but its attempt. The
//! whole runs under the route's `timeouts.request`.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use fkm_llm::FailureClass;
use fkm_telemetry::names;
use tokio::time::Instant;
use tracing::Instrument;

use super::{encode, inline, send, take};
use crate::attempt::{AttemptError, Failure, Limits};
use crate::codec::Pair;
use crate::error::{ExchangeError, Reason};
use crate::exchange::Exchange;
use crate::metrics::{AttemptLabels, AttemptOutcome};
use crate::policy::verdict::{Next, after};
use crate::runtime::{Candidate, Offer};
use crate::steps::taken::{Sent, Taken};

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
    /// The class of the last one.
    class: Option<FailureClass>,
    /// The soonest that a provider wants to be asked again.
    retry_after: Option<Duration>,
    /// Whether any of them may do better later.
    retryable: bool,
}

/// Tries the plan.
pub(crate) async fn run(exchange: &Arc<Exchange>) -> Result<Executed, ExchangeError> {
    let policy = &exchange.rule().policy;
    let deadline = exchange.started + policy.timeouts.request.into();
    let mut failures = Failures::default();
    let mut unsuited = None;
    let mut skip: Option<&Offer> = None;
    for candidate in &exchange.plan {
        if skip.is_some_and(|failed| failed.is_same(&candidate.offer)) {
            continue;
        }
        skip = None;
        match attempt(exchange, candidate, failures.count + 1, deadline).await {
            Ok(taken) => return Ok(succeeded(exchange, candidate, taken, &failures, deadline)),
            Err(AttemptError::Final(error)) => return Err(failures.with_last(error, candidate)),
            Err(AttemptError::Unsuited(error)) => {
                unsuited.get_or_insert(error);
                skip = Some(&candidate.offer);
            }
            Err(AttemptError::Failed(failure)) => {
                let class = failure.class;
                failures.add(exchange, candidate, &failure);
                match after(class, &policy.fallback_on) {
                    Next::Candidate => {}
                    Next::Offer => skip = Some(&candidate.offer),
                    Next::GiveUp => break,
                }
            }
        }
    }
    match unsuited {
        Some(error) if failures.count == 0 => Err(error),
        _ => Err(failures.into_error()),
    }
}

/// One attempt: inline, encode, send, decode and check.
async fn attempt(
    exchange: &Arc<Exchange>,
    candidate: &Candidate,
    number: u32,
    deadline: Instant,
) -> Result<Taken, AttemptError> {
    let operation = exchange.format.name().operation().name();
    let trying = try_candidate(exchange, candidate, deadline);
    observed(exchange, candidate, operation, number, trying).await
}

/// An attempt under its own span, counted.
pub(crate) async fn observed<T>(
    exchange: &Exchange,
    candidate: &Candidate,
    operation: &'static str,
    number: u32,
    trying: impl Future<Output = Result<T, AttemptError>>,
) -> Result<T, AttemptError> {
    let offer = &candidate.offer;
    let span = attempt_span(offer, operation, number);
    let outcome = trying.instrument(span.clone()).await;
    let counted = counted(outcome.as_ref().err());
    if let AttemptOutcome::Failed(class) = counted {
        span.record(names::OTEL_STATUS_CODE, "ERROR");
        span.record(names::ERROR_TYPE, class.name());
    }
    exchange.context.metrics.attempt(&AttemptLabels {
        backend: candidate.backend.clone(),
        provider: offer.provider.name.clone(),
        credential: candidate.key_name().cloned().unwrap_or_default(),
        model: offer.upstream_model.clone(),
        outcome: counted,
    });
    outcome
}

/// How an attempt counts that ended with this error, or with none.
fn counted(error: Option<&AttemptError>) -> AttemptOutcome {
    match error {
        None => AttemptOutcome::Used,
        Some(AttemptError::Unsuited(_)) => AttemptOutcome::Unsuited,
        Some(AttemptError::Final(error)) if error.reason == Reason::RequestTimeout => {
            AttemptOutcome::Failed(FailureClass::Timeout)
        }
        Some(AttemptError::Final(_)) => AttemptOutcome::Refused,
        Some(AttemptError::Failed(failure)) => AttemptOutcome::Failed(failure.class),
    }
}

/// The span of an attempt; nothing where no exporter asks for it.
fn attempt_span(offer: &Offer, operation: &'static str, number: u32) -> tracing::Span {
    let span = tracing::info_span!(
        target: "fkm_span",
        "attempt",
        { names::OTEL_NAME } = tracing::field::Empty,
        { names::OTEL_KIND } = "client",
        { names::OTEL_STATUS_CODE } = tracing::field::Empty,
        { names::GEN_AI_OPERATION_NAME } = operation,
        { names::GEN_AI_PROVIDER_NAME } = %offer.provider.system,
        { names::GEN_AI_REQUEST_MODEL } = %offer.upstream_model,
        { names::HTTP_REQUEST_RESEND_COUNT } = number - 1,
        { names::ERROR_TYPE } = tracing::field::Empty,
    );
    if !span.is_disabled() {
        let name = format!("{operation} {}", offer.upstream_model);
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
    let pair = Pair::of(exchange.format, &candidate.way().speaks).ok_or_else(|| {
        let message = "the provider does not do what is asked";
        AttemptError::Unsuited(ExchangeError::new(Reason::NotExpressible, message))
    })?;
    let inlined = inline::run(exchange, candidate, &pair, &limits).await?;
    let source = inlined
        .as_ref()
        .map_or_else(|| exchange.source(), |inlined| inlined.source());
    let mut encoded = encode::run(exchange, source, candidate, &pair)?;
    let sent = Sent {
        strip_usage: encoded.strip_usage,
        tool_names: std::mem::take(&mut encoded.tool_names),
    };
    let mut dropped = std::mem::take(&mut encoded.dropped);
    let answer = send::run(exchange, candidate, encoded, &limits).await?;
    let mut taken = take::run(exchange, candidate, &pair, answer, &sent, &limits).await?;
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
            answered_by = &*candidate.offer.provider.name,
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
    fn add(&mut self, exchange: &Exchange, candidate: &Candidate, failure: &Failure) {
        self.count += 1;
        let (offer, class, message) = (&candidate.offer, failure.class, &failure.message);
        tracing::debug!(
            request_id = exchange.id.as_str(),
            backend = &*candidate.backend,
            provider = &*offer.provider.name,
            credential = candidate.credential(),
            model = &*offer.upstream_model,
            class = class.name(),
            message,
            "attempt failed",
        );
        let separator = if self.text.is_empty() { "" } else { "; " };
        let (provider, model) = (&offer.provider.name, &offer.upstream_model);
        let _ = write!(
            self.text,
            "{separator}{provider}/{model}: {class}: {message}"
        );
        self.class = Some(class);
        self.retry_after = [self.retry_after, failure.retry_after]
            .into_iter()
            .flatten()
            .min();
        self.retryable |= failure.retryable;
    }

    /// An error that ends the exchange, with what had failed before.
    fn with_last(self, mut error: ExchangeError, candidate: &Candidate) -> ExchangeError {
        error.attempts = self.count + 1;
        if error.reason == Reason::RequestTimeout {
            let (provider, model) = (
                &candidate.offer.provider.name,
                &candidate.offer.upstream_model,
            );
            let separator = if self.text.is_empty() { "" } else { "; " };
            let text = &self.text;
            let _ = write!(
                error.client.message,
                ": {text}{separator}{provider}/{model}: still waiting"
            );
        }
        error
    }

    fn into_error(self) -> ExchangeError {
        let class = self.class.unwrap_or(FailureClass::ModelUnavailable);
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
        error.retry_after = self.retry_after;
        error.retryable = self.retryable;
        error.attempts = self.count;
        error
    }
}
