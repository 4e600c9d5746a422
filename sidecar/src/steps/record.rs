//! Steps *settle* and *record*: runs once when an exchange ends: answered, failed, or left by its client.

use std::sync::Arc;

use fkm_llm::ir::Usage;
use fkm_llm::{Progress, cost};
use fkm_telemetry::names;
use tokio::time::Instant;

use crate::context::{Context, InFlight};
use crate::error::Reason;
use crate::exchange::{Exchange, RequestId};
use crate::metrics::Outcome;
use crate::runtime::{Candidate, Runtime};

/// What is needed to record an exchange once its request is out of memory.
#[derive(Debug)]
pub(crate) struct Record {
    context: Arc<Context>,
    runtime: Arc<Runtime>,
    rule: usize,
    id: RequestId,
    model: Arc<str>,
    candidate: Candidate,
    attempts: u32,
    started: Instant,
    first_content: Instant,
    span: tracing::Span,
    /// Its usage is not to be counted: it was, or will be.
    is_unmetered: bool,
    /// The exchange runs until it is recorded.
    _in_flight: InFlight,
}

/// An exchange that has no answer yet. Dropped before [`Pending::over`], its client has gone.
#[derive(Debug)]
pub(crate) struct Pending(Option<Arc<Exchange>>);

// === impl Pending ===

impl Pending {
    pub(crate) fn new(exchange: Arc<Exchange>) -> Self {
        Self(Some(exchange))
    }

    /// There is an answer, or an error to be one.
    pub(crate) fn over(mut self) {
        self.0 = None;
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some(exchange) = &self.0 {
            let took = exchange.started.elapsed().as_secs_f64();
            exchange.context.metrics.ended(
                &exchange.rule().metrics,
                Outcome::Cancelled,
                took,
                None,
            );
        }
    }
}

// === impl Record ===

impl Record {
    /// Of an exchange whose answer begins at `first_content`.
    pub(crate) fn new(
        exchange: &Exchange,
        candidate: Candidate,
        attempts: u32,
        first_content: Instant,
    ) -> Self {
        Self {
            context: exchange.context.clone(),
            runtime: exchange.runtime.clone(),
            rule: exchange.rule,
            id: exchange.id,
            model: exchange.model.clone(),
            candidate,
            attempts,
            started: exchange.started,
            first_content,
            span: tracing::Span::current(),
            is_unmetered: false,
            _in_flight: exchange.context.in_flight(),
        }
    }

    /// Of an exchange whose usage is not its own.
    pub(crate) fn unmetered(mut self) -> Self {
        self.is_unmetered = true;
        self
    }

    /// The exchange ended so, having seen so much of its answer.
    pub(crate) fn end(self, outcome: Outcome, progress: &Progress) {
        let rule = &self.runtime.rules[self.rule];
        let took = self.started.elapsed();
        let first_content = self.first_content.duration_since(self.started);
        self.context.metrics.ended(
            &rule.metrics,
            outcome,
            took.as_secs_f64(),
            Some(first_content.as_secs_f64()),
        );
        let offer = &self.candidate.offer;
        let metrics = &self.context.metrics;
        metrics.measured(&offer.metrics, progress.measured);
        let usage = progress.accounted_usage().filter(|_| !self.is_unmetered);
        if let Some(usage) = usage {
            metrics.used(&offer.metrics, &usage);
            // An input that nobody counted has no known cost.
            let unknown = usage.estimated && usage.input_tokens == 0;
            let price = offer.price.as_deref().filter(|_| !unknown);
            let cost = price.and_then(|price| cost(&usage, price, usage.service_tier()));
            metrics.cost(&offer.metrics, cost);
            self.span
                .record(names::GEN_AI_USAGE_INPUT_TOKENS, usage.input_tokens);
            self.span
                .record(names::GEN_AI_USAGE_OUTPUT_TOKENS, usage.output_tokens);
        }
        if let Outcome::Failed(reason) = outcome {
            self.span.record(names::ERROR_TYPE, reason.name());
        }
        self.log(outcome, usage, took.as_millis());
    }

    fn log(&self, outcome: Outcome, known: Option<Usage>, millis: u128) {
        let usage = known.unwrap_or_default();
        let rule = &self.runtime.rules[self.rule];
        let ended = match outcome {
            Outcome::Complete => "complete",
            Outcome::Cancelled => "cancelled",
            Outcome::Failed(reason) => reason.name(),
        };
        // What is not logged is not looked up.
        tracing::debug!(
            request_id = self.id.as_str(),
            pod = self
                .context
                .store
                .context()
                .as_ref()
                .map(|context| context.pod.as_str()),
            route = &*rule.route,
            rule = &*rule.name,
            model = &*self.model,
            backend = &*self.candidate.backend,
            provider = &*self.candidate.offer.provider.name,
            credential = self.candidate.credential(),
            upstream_model = &*self.candidate.offer.upstream_model,
            attempts = self.attempts,
            outcome = ended,
            input_tokens = usage.input_tokens,
            output_tokens = usage.output_tokens,
            usage_known = known.is_some(),
            usage_estimated = usage.estimated,
            millis = u64::try_from(millis).unwrap_or(u64::MAX),
            "exchange ended",
        );
        if let Outcome::Failed(reason) = outcome {
            tracing::warn!(
                request_id = self.id.as_str(),
                provider = &*self.candidate.offer.provider.name,
                reason = reason.name(),
                "an answer broke after it had begun; the client got an error event",
            );
        }
    }
}

/// Records an exchange that ended before an answer began.
pub(crate) fn failed(
    context: &Context,
    exchange: Option<&Exchange>,
    id: &RequestId,
    reason: Reason,
    message: &str,
) {
    match exchange {
        Some(exchange) => {
            let took = exchange.started.elapsed().as_secs_f64();
            context.metrics.ended(
                &exchange.rule().metrics,
                Outcome::Failed(reason),
                took,
                None,
            );
        }
        None => context.metrics.unrouted(reason),
    }
    tracing::Span::current().record(names::ERROR_TYPE, reason.name());
    let (id, side) = (id.as_str(), reason.side());
    match side {
        crate::error::Side::Downstream => tracing::debug!(
            request_id = id,
            reason = reason.name(),
            message,
            "request refused"
        ),
        _ => tracing::warn!(
            request_id = id,
            reason = reason.name(),
            ?side,
            message,
            "exchange failed"
        ),
    }
}
