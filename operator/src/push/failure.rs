//! Why a sidecar is refused: a closed set, each with its reason for metrics and events, its status code and its message.

use thiserror::Error;
use tonic::Status;

use super::{TOKEN_AUDIENCE, Violation};

/// Why a sidecar is refused. The message is for a person; it never holds a token.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AuthFailure {
    /// No `authorization: Bearer` metadata.
    #[error("no token was shown; the sidecar sends its projected token as `authorization: Bearer`")]
    NoToken,
    /// It is no token, or none that the API server knows.
    #[error("{}", if *expired { EXPIRED } else { "the API server does not accept the token; it is malformed, or its pod or ServiceAccount is gone" })]
    InvalidToken {
        /// By its own claim, the token's time is over.
        expired: bool,
    },
    /// It is meant for somebody else.
    #[error(
        "the token is not for audience {TOKEN_AUDIENCE:?}; mount the projected token of volume fkm-token"
    )]
    WrongAudience,
    /// A token of a ServiceAccount, not of a pod.
    #[error("the token is not bound to a pod; mount the projected token of volume fkm-token")]
    NotPodBound,
    /// The sidecar says that it is in another pod than its token.
    #[error("the sidecar says that it is {claimed}, but its token is of {proven}")]
    WrongPod {
        /// What the sidecar said.
        claimed: String,
        /// What the token says.
        proven: String,
    },
    /// No such pod, or not one with our label.
    #[error(
        "pod {pod} is not among the injected pods; was it deleted, or its label fluxkontext.dev/injected removed?"
    )]
    UnknownPod {
        /// What the token says.
        pod: String,
    },
    /// The pod in our store runs as another ServiceAccount.
    #[error("the token is of ServiceAccount {token:?}, but the pod runs as {pod:?}")]
    ServiceAccountMismatch {
        /// What the token says.
        token: String,
        /// What the store says.
        pod: String,
    },
    /// The pod is not such that it may have keys.
    #[error("the pod may not have keys: {0}")]
    Violation(#[from] Violation),
    /// The API server did not answer.
    #[error(
        "the token cannot be reviewed at the moment; the API server does not answer the operator, or refuses it (TokenReview needs the ClusterRole of the operator)"
    )]
    ReviewUnavailable,
}

const EXPIRED: &str =
    "the token has expired; the kubelet renews it, so the sidecar must read its file again";

// === impl AuthFailure ===

impl AuthFailure {
    /// The reason, for metrics and events.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NoToken => "NoToken",
            Self::InvalidToken { expired: true } => "ExpiredToken",
            Self::InvalidToken { expired: false } => "InvalidToken",
            Self::WrongAudience => "WrongAudience",
            Self::NotPodBound => "NotPodBound",
            Self::WrongPod { .. } => "WrongPod",
            Self::UnknownPod { .. } => "UnknownPod",
            Self::ServiceAccountMismatch { .. } => "ServiceAccountMismatch",
            Self::Violation(violation) => violation.reason(),
            Self::ReviewUnavailable => "ReviewUnavailable",
        }
    }

    /// What the sidecar is told.
    pub fn status(&self) -> Status {
        let message = self.to_string();
        match self {
            Self::NoToken | Self::InvalidToken { .. } | Self::WrongAudience | Self::NotPodBound => {
                Status::unauthenticated(message)
            }
            Self::WrongPod { .. }
            | Self::UnknownPod { .. }
            | Self::ServiceAccountMismatch { .. }
            | Self::Violation(_) => Status::permission_denied(message),
            Self::ReviewUnavailable => Status::unavailable(message),
        }
    }

    /// Whether it says something of the sidecar, and not of the API server.
    pub(super) fn is_incident(&self) -> bool {
        !matches!(self, Self::ReviewUnavailable)
    }
}
