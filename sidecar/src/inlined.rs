//! A request with what was at its addresses, and what the attempts of one exchange know of these.

use std::sync::Arc;

use bytes::Bytes;
use fkm_llm::Link;
use fkm_snapshot::Medium;
use tokio::sync::Mutex;

use crate::attempt::AttemptError;
use crate::error::{ExchangeError, Reason};
use crate::source::{Decoded, Source};
use crate::steps::accept::BodyGuard;
use crate::upstream::fetch::{FetchError, Fetcher};

/// The request with what was at its addresses.
#[derive(Debug)]
pub(crate) struct Inlined {
    pub(crate) body: Bytes,
    pub(crate) scan: fkm_llm::RequestScan,
    pub(crate) decoded: Decoded,
    /// Keeps the body counted for as long as it is in memory.
    pub(crate) _guard: BodyGuard,
}

/// What the attempts of one exchange have fetched.
pub(crate) type Media = Mutex<Vec<Known>>;

/// Some links of the request, followed by the rules of one pool.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) fetcher: Arc<Fetcher>,
    pub(crate) paths: Vec<String>,
    pub(crate) outcome: Result<Arc<Inlined>, Refusal>,
}

/// Why the request cannot be completed.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    reason: Reason,
    /// The part.
    path: String,
    message: String,
}

/// For an error: what the client gave by its address.
pub(crate) fn what(link: &Link) -> &'static str {
    match link.medium {
        Medium::Image => "image",
        Medium::Document => "document",
    }
}

// === impl Inlined ===

impl Inlined {
    /// What is encoded.
    pub(crate) fn source(&self) -> Source<'_> {
        Source {
            body: &self.body,
            scan: &self.scan,
            decoded: &self.decoded,
        }
    }
}

// === impl Refusal ===

impl Refusal {
    pub(crate) fn of(reason: Reason, link: &Link, message: impl std::fmt::Display) -> Self {
        let path = link.path.clone();
        Self {
            reason,
            message: format!("`{path}`: {message}"),
            path,
        }
    }

    pub(crate) fn failed(link: &Link, error: &FetchError) -> Self {
        let reason = match error {
            FetchError::Overloaded => Reason::Overloaded,
            _ => Reason::MediaUnavailable,
        };
        let message = format!("the {} cannot be fetched: {error}", what(link));
        Self::of(reason, link, message)
    }
}

impl From<Refusal> for AttemptError {
    fn from(refusal: Refusal) -> Self {
        let mut error = ExchangeError::new(refusal.reason, refusal.message);
        error.client.param = Some(refusal.path);
        match refusal.reason {
            Reason::Overloaded => Self::Final(error),
            _ => Self::Unsuited(error),
        }
    }
}
