//! What the end of an attempt means for the exchange: the next candidate, another key of the same provider, or an answer.

use std::collections::BTreeSet;

use fkm_snapshot::FailureClass;

/// What to do after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Try the following candidate, other keys of this provider included.
    Candidate,
    /// Try the following candidate that is another offer: other keys would meet the same fault.
    Offer,
    /// Give up: the route does not fall back after this class.
    GiveUp,
}

/// Decides by the class of the failure and the route's `fallback.on`.
pub(crate) fn after(class: FailureClass, fallback_on: &BTreeSet<FailureClass>) -> Next {
    match class {
        _ if !fallback_on.contains(&class) => Next::GiveUp,
        FailureClass::RateLimited | FailureClass::CredentialRejected => Next::Candidate,
        _ => Next::Offer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_fault_tries_the_next_key_and_other_faults_do_not() {
        let all = fkm_snapshot::all_failures();
        assert_eq!(after(FailureClass::RateLimited, &all), Next::Candidate);
        assert_eq!(
            after(FailureClass::CredentialRejected, &all),
            Next::Candidate
        );
        assert_eq!(after(FailureClass::ConnectFailure, &all), Next::Offer);
        assert_eq!(
            after(FailureClass::ConnectFailure, &BTreeSet::new()),
            Next::GiveUp
        );
    }
}
