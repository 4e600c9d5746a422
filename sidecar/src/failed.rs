//! How an exchange ends that has no answer.

use std::sync::Arc;

use crate::error::{ExchangeError, Reason};
use crate::exchange::Exchange;

/// An error, and the exchange where it had begun.
pub(crate) struct Failed {
    pub(crate) error: Box<ExchangeError>,
    pub(crate) exchange: Option<Arc<Exchange>>,
}

/// Before an exchange had begun.
pub(crate) fn early(error: ExchangeError) -> Failed {
    Failed {
        error: Box::new(error),
        exchange: None,
    }
}

/// The process ends before the answer came.
pub(crate) fn draining() -> ExchangeError {
    ExchangeError::new(
        Reason::Draining,
        "the sidecar is shutting down and the drain deadline is over",
    )
}
