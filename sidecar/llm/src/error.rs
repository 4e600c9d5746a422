//! Errors, from both sides: what a provider answered, what a client is told, and what could not be read or written.

mod client;
mod further;
mod mask;
mod provider;
mod redactor;
mod retry_after;

pub use client::{ClientError, ErrorKind};
pub(crate) use further::{Family, Further, Members};
pub(crate) use provider::Said;
pub use provider::{MAX_MESSAGE_BYTES, ProviderError};
pub use redactor::Redactor;
pub use retry_after::RetryAfter;

use fkm_dialect::Format;

/// A request or an answer that is not what its format says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Not JSON.
    #[error("the body is not JSON: {detail}")]
    NotJson {
        /// What the parser met, and where.
        detail: String,
    },
    /// A member is missing.
    #[error("{path} is missing")]
    Missing {
        /// Where, for example `messages[2].role`.
        path: String,
    },
    /// A member has the wrong type or a value that the format does not know.
    #[error("{path} must be {expected}")]
    Invalid {
        /// Where, for example `messages[2].role`.
        path: String,
        /// What would be right, for example `a string`.
        expected: String,
    },
    /// A member appears twice.
    #[error("{path} appears twice")]
    Duplicate {
        /// Where.
        path: String,
    },
    /// The body is an error, not an answer.
    #[error("the provider answered with an error: {}", .0.message)]
    Provider(Box<ProviderError>),
}

/// A request or an answer that the other format cannot express at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeError {
    /// The format has no such thing, and leaving it out would change what is asked.
    #[error("{path} cannot be sent to a provider of format {format}: {reason}")]
    Unsupported {
        /// What, for example `messages[0].content[1]`.
        path: String,
        /// The format that cannot express it.
        format: Format,
        /// Why, and what to do instead.
        reason: String,
    },
    /// The same for a format of another operation than a conversation (embeddings, reranking).
    #[error("{path} cannot be sent to a provider of format {format}: {reason}")]
    Operation {
        /// What, for example `input[0]`.
        path: String,
        /// The stable name of the format that cannot express it.
        format: &'static str,
        /// Why, and what to do instead.
        reason: String,
    },
    /// A value that the format refuses.
    #[error("{path} is invalid: {reason}")]
    Invalid {
        /// What.
        path: String,
        /// Why, and what would be right.
        reason: String,
    },
}

// === impl EncodeError ===

impl EncodeError {
    /// What could not be written, for example `messages[0].content[1]`.
    pub fn path(&self) -> &str {
        match self {
            Self::Unsupported { path, .. }
            | Self::Operation { path, .. }
            | Self::Invalid { path, .. } => path,
        }
    }
}

/// Why a stream, or a whole answer that is passed through, is of no use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StreamFault {
    /// The provider reported an error inside its answer.
    #[error("the provider reported an error inside its answer: {}", .0.message)]
    Provider(Box<ProviderError>),
    /// It ended before its finish reason.
    #[error("the answer ended before it was complete")]
    Incomplete,
    /// It cannot be read.
    #[error("the answer cannot be read: {detail}")]
    Malformed {
        /// What was met; never content of the answer.
        detail: String,
    },
    /// A single frame is larger than is taken.
    #[error("a frame of the answer is larger than {limit} bytes")]
    TooLarge {
        /// [`crate::sse::MAX_FRAME_BYTES`].
        limit: usize,
    },
}
