//! How exchanges and attempts end, as labels say it.

use fkm_snapshot::FailureClass;
use prometheus_client::encoding::EncodeLabelValue;

use crate::error::Reason;

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    /// A complete answer.
    Complete,
    /// The client went away first.
    Cancelled,
    /// An error, before or after the first content.
    Failed(Reason),
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum AttemptOutcome {
    /// Its answer was used.
    Used,
    /// The provider refused the request as the client's fault.
    Refused,
    /// The provider's format cannot express the request; it was not asked.
    Unsuited,
    /// It failed.
    Failed(FailureClass),
}

impl EncodeLabelValue for Outcome {
    fn encode(
        &self,
        encoder: &mut prometheus_client::encoding::LabelValueEncoder<'_>,
    ) -> std::fmt::Result {
        match self {
            Self::Complete => "complete".encode(encoder),
            Self::Cancelled => "cancelled".encode(encoder),
            Self::Failed(reason) => reason.name().encode(encoder),
        }
    }
}

impl EncodeLabelValue for AttemptOutcome {
    fn encode(
        &self,
        encoder: &mut prometheus_client::encoding::LabelValueEncoder<'_>,
    ) -> std::fmt::Result {
        match self {
            Self::Used => "used".encode(encoder),
            Self::Refused => "refused".encode(encoder),
            Self::Unsuited => "unsuited".encode(encoder),
            Self::Failed(class) => class.name().encode(encoder),
        }
    }
}
