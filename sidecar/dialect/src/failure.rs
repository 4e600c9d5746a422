//! Why an attempt failed, as far as routing cares: the classes of `policy.fallback.on`.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A class of failed attempts; a route's `fallback.on` lists those after which the next candidate is tried.
///
/// What is the client's own fault (a request that the provider refuses as malformed) has no class: it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum FailureClass {
    /// No connection: refused, unreachable, name or TLS fault, or a forbidden address.
    ConnectFailure,
    /// 429.
    RateLimited,
    /// 503 or 529, or the provider's own word for "overloaded".
    Overloaded,
    /// Any other 5xx, 424 (the model behind the provider failed), or an error of the provider's inside an answer.
    ServerError,
    /// A time-out of the attempt: `attempt`, `firstContent` or `betweenEvents`; 408 and 504.
    Timeout,
    /// The answer or stream ended before it was complete, or could not be read.
    BrokenStream,
    /// 401, 402, 403 or 498: our key is refused or has no credit; never the client's fault.
    CredentialRejected,
    /// 404: the provider does not know the model or path; a fault of the pool, not of the client.
    ModelUnavailable,
}

impl FailureClass {
    /// Every class, in declaration order.
    pub const ALL: [Self; 8] = [
        Self::ConnectFailure,
        Self::RateLimited,
        Self::Overloaded,
        Self::ServerError,
        Self::Timeout,
        Self::BrokenStream,
        Self::CredentialRejected,
        Self::ModelUnavailable,
    ];

    /// The class of a provider's HTTP status; `None` where the answer is the client's to see (2xx, other 4xx).
    pub fn of_status(status: u16) -> Option<Self> {
        match status {
            // Cohere says 498 of a key that is none.
            401..=403 | 498 => Some(Self::CredentialRejected),
            404 => Some(Self::ModelUnavailable),
            408 | 504 => Some(Self::Timeout),
            429 => Some(Self::RateLimited),
            503 | 529 => Some(Self::Overloaded),
            300..=399 | 424 | 500.. => Some(Self::ServerError),
            _ => None,
        }
    }

    /// The stable name, for logs and metric labels.
    pub fn name(self) -> &'static str {
        match self {
            Self::ConnectFailure => "ConnectFailure",
            Self::RateLimited => "RateLimited",
            Self::Overloaded => "Overloaded",
            Self::ServerError => "ServerError",
            Self::Timeout => "Timeout",
            Self::BrokenStream => "BrokenStream",
            Self::CredentialRejected => "CredentialRejected",
            Self::ModelUnavailable => "ModelUnavailable",
        }
    }
}

impl fmt::Display for FailureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serialised_name_is_the_stable_name() {
        for class in FailureClass::ALL {
            assert_eq!(serde_json::to_value(class).unwrap(), class.name());
        }
    }

    #[test]
    fn client_faults_have_no_class() {
        for status in [200, 204, 400, 409, 413, 422] {
            assert_eq!(FailureClass::of_status(status), None, "{status}");
        }
        assert_eq!(FailureClass::of_status(529), Some(FailureClass::Overloaded));
        assert_eq!(
            FailureClass::of_status(500),
            Some(FailureClass::ServerError)
        );
        assert_eq!(
            FailureClass::of_status(302),
            Some(FailureClass::ServerError)
        );
    }
}
