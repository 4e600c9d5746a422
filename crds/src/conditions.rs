//! Condition types and their reasons: closed sets, so that tools can rely on them.

use std::fmt;

/// The types of conditions in the status of both kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConditionType {
    /// The object itself is right and takes part.
    Accepted,
    /// Everything that it names exists and may be used.
    ResolvedRefs,
    /// Every sidecar that it selects runs it.
    Programmed,
    /// All of the above.
    Ready,
    /// Only while true: a newer generation is on its way.
    Reconciling,
    /// Only while true: nothing will get better without a change of the object.
    Stalled,
}

/// Why a condition has its status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// Accepted: it is.
    Accepted,
    /// Accepted: the object contradicts itself.
    Invalid,
    /// Accepted: every rule is shadowed by other routes.
    Conflicted,
    /// Accepted: the pods' snapshot would be too large with it.
    TooLarge,
    /// ResolvedRefs: they are.
    ResolvedRefs,
    /// ResolvedRefs: a ProviderPool does not exist.
    BackendNotFound,
    /// ResolvedRefs: a ProviderPool does not allow this namespace.
    RefNotPermitted,
    /// ResolvedRefs: a preset is not in the catalogue.
    ProviderNotFound,
    /// ResolvedRefs: no provider of the pool offers the model.
    ModelNotFound,
    /// ResolvedRefs: a Secret, or its key, does not exist.
    SecretNotFound,
    /// ResolvedRefs: a ConfigMap with CA certificates, or its key, does not exist.
    CertificateNotFound,
    /// ResolvedRefs: a CA certificate cannot be read.
    InvalidCertificate,
    /// Programmed: it is.
    Programmed,
    /// Programmed: no pod is selected, so nothing is left to do.
    NoWorkloads,
    /// Programmed: some sidecars have not answered yet.
    Progressing,
    /// Programmed: some sidecars refused it.
    Rejected,
    /// Programmed: some sidecars are not connected.
    Disconnected,
    /// Ready: it is.
    Ready,
}

// === impl ConditionType ===

impl ConditionType {
    /// The name in `type`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accepted => "Accepted",
            Self::ResolvedRefs => "ResolvedRefs",
            Self::Programmed => "Programmed",
            Self::Ready => "Ready",
            Self::Reconciling => "Reconciling",
            Self::Stalled => "Stalled",
        }
    }
}

impl fmt::Display for ConditionType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

// === impl Reason ===

impl Reason {
    /// The name in `reason`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accepted => "Accepted",
            Self::Invalid => "Invalid",
            Self::Conflicted => "Conflicted",
            Self::TooLarge => "TooLarge",
            Self::ResolvedRefs => "ResolvedRefs",
            Self::BackendNotFound => "BackendNotFound",
            Self::RefNotPermitted => "RefNotPermitted",
            Self::ProviderNotFound => "ProviderNotFound",
            Self::ModelNotFound => "ModelNotFound",
            Self::SecretNotFound => "SecretNotFound",
            Self::CertificateNotFound => "CertificateNotFound",
            Self::InvalidCertificate => "InvalidCertificate",
            Self::Programmed => "Programmed",
            Self::NoWorkloads => "NoWorkloads",
            Self::Progressing => "Progressing",
            Self::Rejected => "Rejected",
            Self::Disconnected => "Disconnected",
            Self::Ready => "Ready",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
