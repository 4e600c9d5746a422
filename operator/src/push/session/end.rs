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
    /// The pod may have keys, and nobody has said yet which.
    #[error(
        "the operator does not know yet what this pod gets; a Secret cannot be read or an accepted spec not be stored, and the status of its routes and pools may say more"
    )]
    Unprepared,
    /// A newer stream of the same pod.
    #[error("a newer stream of this pod has taken its place")]
    Replaced,
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
            Self::Replaced => Some(Status::aborted(message)),
            Self::Unprepared | Self::Stopping => Some(Status::unavailable(message)),
            Self::Silent => Some(Status::deadline_exceeded(message)),
            Self::Protocol(_) => Some(Status::invalid_argument(message)),
        }
    }
}
