//! Why a session ended, and what the client is told.

use thiserror::Error;
use tonic::Status;

use crate::push::AuthFailure;

#[derive(Debug, Error)]
pub(super) enum End {
    /// The client closed its side.
    #[error("the client closed the stream")]
    Closed,
    /// The connection broke, or a message could not be read.
    #[error("the stream broke: {:?}: {}", .0.code(), .0.message())]
    Broken(Box<Status>),
    /// The pod may not have anything (any more).
    #[error("refused: {0}")]
    Refused(#[from] AuthFailure),
    /// The operator stops.
    #[error("the operator is shutting down")]
    Stopping,
    /// A delivery stayed without an answer.
    #[error("the sidecar did not answer a delivery; it is to connect anew")]
    Silent,
    /// The client sent what it may not.
    #[error("protocol: {0}")]
    Protocol(String),
}

// === impl End ===

impl End {
    /// None: there is nobody to tell.
    pub(super) fn status(self) -> Option<Status> {
        let message = self.to_string();
        match self {
            Self::Closed => None,
            Self::Broken(status) => Some(*status),
            Self::Refused(failure) => Some(failure.status()),
            Self::Stopping => Some(Status::unavailable(message)),
            Self::Silent => Some(Status::deadline_exceeded(message)),
            Self::Protocol(_) => Some(Status::invalid_argument(message)),
        }
    }
}
