//! What a client is told when its exchange fails.

use std::borrow::Cow;

use crate::error::{Further, ProviderError};

/// An error for a client, independent of its format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientError {
    /// What kind of error; decides status and the format's own type word.
    pub kind: ErrorKind,
    /// A provider's own status for what is the client's fault (409, 422, …), shown instead of the kind's.
    pub status: Option<u16>,
    /// For a human; without a key, without a header of the provider.
    pub message: String,
    /// A stable word for programs, for example `model_not_found`; `None`: the kind's own ([`ErrorKind::code`]).
    pub code: Option<Cow<'static, str>>,
    /// The request member that is wrong.
    pub param: Option<String>,
    /// Our request id, for formats that carry it in the body.
    pub request_id: Option<String>,
    /// What else the provider said, for clients of its format.
    pub(crate) further: Option<Box<Further>>,
}

/// The kinds of error that a client may meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// 400: the request is wrong.
    InvalidRequest,
    /// 401: who calls is not known. Never a provider's refusal of our key.
    Unauthenticated,
    /// 403: the caller may not.
    Forbidden,
    /// 404: no such model or path.
    NotFound,
    /// 405.
    MethodNotAllowed,
    /// 413.
    PayloadTooLarge,
    /// 429.
    RateLimited,
    /// 502: every candidate failed, or the provider broke its answer off, or refused our key.
    Upstream,
    /// 503 (529 in formats that know it): the providers are overloaded.
    Overloaded,
    /// 504.
    Timeout,
    /// 500: our own fault.
    Internal,
}

// === impl ErrorKind ===

impl ErrorKind {
    /// Every kind, in declaration order.
    pub const ALL: [Self; 11] = [
        Self::InvalidRequest,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::PayloadTooLarge,
        Self::RateLimited,
        Self::Upstream,
        Self::Overloaded,
        Self::Timeout,
        Self::Internal,
    ];

    /// The HTTP status; a format may differ ([`crate::WireFormat::error_status`]).
    pub fn status(self) -> u16 {
        match self {
            Self::InvalidRequest => 400,
            Self::Unauthenticated => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::PayloadTooLarge => 413,
            Self::RateLimited => 429,
            Self::Internal => 500,
            Self::Upstream => 502,
            Self::Overloaded => 503,
            Self::Timeout => 504,
        }
    }

    /// The code shown when the error has none of its own.
    pub fn code(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::NotFound => "model_not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::PayloadTooLarge => "payload_too_large",
            Self::RateLimited => "rate_limit_exceeded",
            Self::Internal => "internal_error",
            Self::Upstream => "provider_error",
            Self::Overloaded => "overloaded",
            Self::Timeout => "timeout",
        }
    }
}

// === impl ClientError ===

impl ClientError {
    /// An error of `kind` with the kind's own code.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            status: None,
            message: message.into(),
            code: None,
            param: None,
            request_id: None,
            further: None,
        }
    }

    /// The same with a code of its own.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// The same, naming the request member that is wrong.
    #[must_use]
    pub fn with_param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    /// The same, carrying our request id.
    #[must_use]
    pub fn with_request_id(mut self, request_id: impl Into<String>) -> Self {
        self.request_id = Some(request_id.into());
        self
    }

    /// The code to show.
    pub fn code(&self) -> &str {
        self.code.as_deref().unwrap_or_else(|| self.kind.code())
    }
}

impl From<&ProviderError> for ClientError {
    /// What the client may know of a provider's error: its own faults as the provider put them, a refused key as ours.
    fn from(error: &ProviderError) -> Self {
        error.for_client()
    }
}
