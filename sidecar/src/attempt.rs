//! One try at one candidate: its time limits and the ways in which it ends.

use std::future::Future;
use std::time::SystemTime;

use fkm_llm::ProviderError;
use fkm_snapshot::{FailureClass, Timeouts};
use std::time::Duration;
use tokio::time::Instant;

use crate::error::{ExchangeError, Reason};

/// Moments after which an attempt has failed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    first_content: Option<Instant>,
    attempt: Option<Instant>,
    /// The whole exchange's.
    pub(crate) request: Instant,
    pub(crate) between_events: Duration,
}

/// How an attempt ended without an answer.
#[derive(Debug)]
pub(crate) enum AttemptError {
    /// The candidate failed; another one may do better.
    Failed(Failure),
    /// The candidate cannot be asked: its format cannot express the request. Another one's may.
    Unsuited(ExchangeError),
    /// The client must hear this: nothing that another candidate could mend.
    Final(ExchangeError),
}

/// A failed candidate.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) class: FailureClass,
    /// For a person; free of keys.
    pub(crate) message: String,
    /// When the provider wants to be asked again.
    pub(crate) retry_after: Option<Duration>,
    /// Whether the same request may succeed later; false for an account without credit.
    pub(crate) retryable: bool,
}

/// Which limit ends a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    /// For the head of the answer and for its first content.
    FirstContent,
    /// For the rest of a whole answer.
    Rest,
}

// === impl Limits ===

impl Limits {
    /// The limits of an attempt that begins at `now` in an exchange that ends at `request`.
    pub(crate) fn begin_at(now: Instant, timeouts: &Timeouts, request: Instant) -> Self {
        Self {
            first_content: timeouts.first_content.map(|limit| now + limit.into()),
            attempt: timeouts.attempt.map(|limit| now + limit.into()),
            request,
            between_events: timeouts.between_events.into(),
        }
    }

    /// Waits, but not beyond the earliest limit that applies.
    pub(crate) async fn wait<F: Future>(
        &self,
        wait: Wait,
        future: F,
    ) -> Result<F::Output, AttemptError> {
        let (until, name) = self.earliest_at(Instant::now(), wait);
        tokio::time::timeout_at(until, future)
            .await
            .map_err(|_| match name {
                "request" => AttemptError::Final(request_timeout()),
                name => {
                    AttemptError::failed(FailureClass::Timeout, format!("timeouts.{name} is over"))
                }
            })
    }

    fn earliest_at(&self, now: Instant, wait: Wait) -> (Instant, &'static str) {
        let (first_content, between) = match wait {
            Wait::FirstContent => (self.first_content, None),
            Wait::Rest => (None, Some(now + self.between_events)),
        };
        [
            (Some(self.request), "request"),
            (self.attempt, "attempt"),
            (first_content, "firstContent"),
            (between, "betweenEvents"),
        ]
        .into_iter()
        .filter_map(|(limit, name)| limit.map(|limit| (limit, name)))
        .min()
        .unwrap_or((self.request, "request"))
    }
}

/// The whole exchange took too long.
pub(crate) fn request_timeout() -> ExchangeError {
    ExchangeError::new(
        Reason::RequestTimeout,
        "timeouts.request is over before an answer came",
    )
}

// === impl AttemptError ===

impl AttemptError {
    /// A failed candidate.
    pub(crate) fn failed(class: FailureClass, message: impl Into<String>) -> Self {
        Self::Failed(Failure {
            class,
            message: message.into(),
            retry_after: None,
            retryable: true,
        })
    }

    /// What a provider's error means: its own failure, or the client's fault.
    pub(crate) fn from_provider(error: &ProviderError) -> Self {
        let retry_after = error
            .retry_after
            .map(|wish| wish.delay_at(SystemTime::now()));
        match error.class {
            Some(class) => Self::Failed(Failure {
                class,
                message: format!("status {}: {}", error.status, error.message),
                retry_after,
                retryable: error.retryable,
            }),
            None => {
                let mut refused =
                    ExchangeError::with_client(Reason::RefusedByProvider, error.into());
                refused.retry_after = retry_after;
                Self::Final(refused)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use fkm_snapshot::Millis;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_earliest_limit_wins_and_is_named() {
        let timeouts = Timeouts {
            first_content: Some(Millis(200)),
            attempt: Some(Millis(300)),
            between_events: Millis(100),
            ..Timeouts::default()
        };
        let now = Instant::now();
        let limits = Limits::begin_at(now, &timeouts, now + Duration::from_millis(400));
        assert_eq!(
            limits.earliest_at(now, Wait::FirstContent).1,
            "firstContent"
        );
        assert_eq!(limits.earliest_at(now, Wait::Rest).1, "betweenEvents");
        let later = now + Duration::from_millis(250);
        assert_eq!(limits.earliest_at(later, Wait::Rest).1, "attempt");
        let tight = Limits::begin_at(now, &timeouts, now + Duration::from_millis(50));
        let ended = tight.wait(Wait::Rest, std::future::pending::<()>()).await;
        assert!(
            matches!(ended, Err(AttemptError::Final(error)) if error.reason == Reason::RequestTimeout)
        );
    }
}
