//! Why an exchange failed: whose side, a closed reason for logs and metrics, what the client may read, and what only the
//! log may. `respond.rs` is the one place that turns it into an answer.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use fkm_llm::{ClientError, ErrorKind};
use fkm_snapshot::FailureClass;

/// An exchange that ends with an error.
#[derive(Debug)]
pub(crate) struct ExchangeError {
    pub(crate) reason: Reason,
    /// For the client, in its own format.
    pub(crate) client: Box<ClientError>,
    /// When to ask again, where somebody said so.
    pub(crate) retry_after: Option<Duration>,
    /// Whether the same request may succeed when it is sent again.
    pub(crate) retryable: bool,
    /// Attempts that were made.
    pub(crate) attempts: u32,
    /// The methods that the path knows, for 405.
    pub(crate) allow: Option<&'static str>,
}

/// Whose side a failure is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The application that calls.
    Downstream,
    /// The providers.
    Upstream,
    /// The sidecar itself.
    Internal,
}

/// Why, as a closed set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Reason {
    /// The `Host` or `Origin` header names another site.
    ForeignSite,
    /// No such path.
    UnknownPath,
    /// The path does not know the method.
    MethodNotAllowed,
    /// The body is not what its format says.
    BadRequest,
    /// The body is larger than is taken.
    BodyTooLarge,
    /// The body came too slowly or stopped.
    BodyIncomplete,
    /// No rule matches, or no provider offers the model.
    ModelNotFound,
    /// The rule that matches has no usable backend; the operator said why.
    RuleUnavailable,
    /// The request names what nobody keeps whom it can reach.
    StateElsewhere,
    /// The request cannot be expressed in the provider's format.
    NotExpressible,
    /// What is at an address in the request cannot be fetched.
    MediaUnavailable,
    /// The provider refused the request as the client's fault.
    RefusedByProvider,
    /// The route's `timeouts.request` is over.
    RequestTimeout,
    /// No candidate answered; the class of the last attempt.
    Attempt(FailureClass),
    /// Too many request bodies in memory.
    Overloaded,
    /// No snapshot has come yet.
    NotReady,
    /// The process ends.
    Draining,
}

// === impl Reason ===

impl Reason {
    /// The stable name, for metrics and logs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ForeignSite => "ForeignSite",
            Self::UnknownPath => "UnknownPath",
            Self::MethodNotAllowed => "MethodNotAllowed",
            Self::BadRequest => "BadRequest",
            Self::BodyTooLarge => "BodyTooLarge",
            Self::BodyIncomplete => "BodyIncomplete",
            Self::ModelNotFound => "ModelNotFound",
            Self::RuleUnavailable => "RuleUnavailable",
            Self::StateElsewhere => "StateElsewhere",
            Self::NotExpressible => "NotExpressible",
            Self::MediaUnavailable => "MediaUnavailable",
            Self::RefusedByProvider => "RefusedByProvider",
            Self::RequestTimeout => "RequestTimeout",
            Self::Attempt(class) => class.name(),
            Self::Overloaded => "SidecarOverloaded",
            Self::NotReady => "NotReady",
            Self::Draining => "Draining",
        }
    }

    /// Whose side it is on.
    pub(crate) fn side(self) -> Side {
        match self {
            Self::Attempt(_) | Self::RequestTimeout | Self::RuleUnavailable => Side::Upstream,
            Self::Overloaded | Self::NotReady | Self::Draining => Side::Internal,
            _ => Side::Downstream,
        }
    }

    /// Whether the same request may succeed when it is sent again.
    pub(crate) fn retryable(self) -> bool {
        self.side() != Side::Downstream
    }

    fn kind(self) -> ErrorKind {
        match self {
            Self::ForeignSite => ErrorKind::Forbidden,
            Self::UnknownPath | Self::ModelNotFound => ErrorKind::NotFound,
            Self::MethodNotAllowed => ErrorKind::MethodNotAllowed,
            Self::BadRequest
            | Self::BodyIncomplete
            | Self::StateElsewhere
            | Self::NotExpressible
            | Self::MediaUnavailable
            | Self::RefusedByProvider => ErrorKind::InvalidRequest,
            Self::BodyTooLarge => ErrorKind::PayloadTooLarge,
            Self::RequestTimeout | Self::Attempt(FailureClass::Timeout) => ErrorKind::Timeout,
            Self::Attempt(FailureClass::RateLimited) => ErrorKind::RateLimited,
            Self::Attempt(FailureClass::Overloaded)
            | Self::Overloaded
            | Self::NotReady
            | Self::Draining => ErrorKind::Overloaded,
            Self::Attempt(_) | Self::RuleUnavailable => ErrorKind::Upstream,
        }
    }

    fn code(self) -> Option<&'static str> {
        match self {
            Self::ForeignSite => Some("foreign_site"),
            Self::UnknownPath => Some("unknown_path"),
            Self::BodyIncomplete => Some("incomplete_body"),
            Self::RuleUnavailable => Some("rule_unavailable"),
            Self::StateElsewhere => Some("state_elsewhere"),
            Self::NotExpressible => Some("not_expressible"),
            Self::MediaUnavailable => Some("media_unavailable"),
            Self::Attempt(FailureClass::CredentialRejected) => Some("provider_auth"),
            Self::Attempt(FailureClass::ModelUnavailable) => Some("provider_model_unavailable"),
            Self::Attempt(FailureClass::ConnectFailure) => Some("provider_unreachable"),
            Self::Attempt(FailureClass::BrokenStream) => Some("provider_broken_answer"),
            Self::Overloaded => Some("sidecar_overloaded"),
            Self::NotReady => Some("not_ready"),
            Self::Draining => Some("draining"),
            _ => None,
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

// === impl ExchangeError ===

impl ExchangeError {
    /// An error with the reason's own status and code.
    pub(crate) fn new(reason: Reason, message: impl Into<String>) -> Self {
        let mut client = ClientError::new(reason.kind(), message);
        client.code = reason.code().map(Cow::Borrowed);
        Self::with_client(reason, client)
    }

    /// An error that the client sees exactly so.
    pub(crate) fn with_client(reason: Reason, client: ClientError) -> Self {
        Self {
            reason,
            client: Box::new(client),
            retry_after: None,
            retryable: reason.retryable(),
            attempts: 0,
            allow: None,
        }
    }
}
