//! Why nothing can be shown.

use std::io;
use std::time::Duration;

use thiserror::Error;

/// Why a credential cannot be used now. Holds names, addresses and what token servers say, never a token or a secret.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum SignInError {
    /// A setting that neither the pool nor the platform made.
    #[error("{0} is neither in the pool nor in the environment of the sidecar")]
    Unset(&'static str),
    /// A token of the pod that is not there.
    #[error(
        "the token file {path} cannot be read ({kind}); maybe it is not mounted in the sidecar"
    )]
    File { path: String, kind: io::ErrorKind },
    /// A file that is no token of the pod's.
    #[error("the token file {0} is the sidecar's own, which is shown to nobody")]
    OwnFile(String),
    /// An address that must not be asked.
    #[error("{0} is not asked for credentials: {1}")]
    Forbidden(String, &'static str),
    /// The token server was not reached.
    #[error("{0} was not reached: {1}")]
    Unreached(String, String),
    /// It took too long.
    #[error("no credentials within {0:?}")]
    Timeout(Duration),
    /// The token server said no.
    #[error("{server} gave no credentials, status {status}{said}")]
    Refused {
        server: String,
        status: u16,
        /// Begins with `: `, or is empty.
        said: String,
    },
    /// The token server gave something else.
    #[error("{server} answered what are no credentials: {what}")]
    Answer { server: String, what: &'static str },
    /// The request has something that cannot be signed.
    #[error("the request cannot be signed")]
    Unsignable,
}

// === impl SignInError ===

impl SignInError {
    /// For metrics.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Unset(_) => "unset",
            Self::File { .. } | Self::OwnFile(_) => "file",
            Self::Forbidden(..) => "forbidden",
            Self::Unreached(..) => "unreached",
            Self::Timeout(_) => "timeout",
            Self::Refused { .. } => "refused",
            Self::Answer { .. } => "answer",
            Self::Unsignable => "unsignable",
        }
    }
}
