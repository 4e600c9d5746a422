//! One judgement of a route that is in several groups. Pure.

use fkm_compile::Verdict;
use fkm_crds::Reason;

use crate::status::{Complaint, Judgement};

/// Merges what the groups of one route say of it. `None`: it is in none.
///
/// Conflicts and size differ from group to group: a route that is shadowed in some of its groups only is accepted with a
/// warning; one that is too large for any of them is not.
pub(crate) fn merge<'a>(verdicts: impl IntoIterator<Item = &'a Verdict>) -> Option<Judgement> {
    verdicts
        .into_iter()
        .map(judgement)
        .reduce(|one, other| Judgement {
            accepted: match (one.accepted, other.accepted) {
                (Ok(one), Ok(other)) => Ok(joined(one, other)),
                (Ok(warning), Err(complaint)) | (Err(complaint), Ok(warning)) => {
                    if complaint.reason == Reason::Conflicted {
                        Ok(joined(warning, complaint.message))
                    } else {
                        Err(complaint)
                    }
                }
                (Err(one), Err(other)) if one.reason == Reason::Conflicted => Err(other),
                (Err(one), Err(_)) => Err(one),
            },
            resolved: one.resolved.and(other.resolved),
            served: one.served.max(other.served),
        })
}

/// What one verdict says.
pub(crate) fn judgement(verdict: &Verdict) -> Judgement {
    let complaint = |complaint: &fkm_compile::Complaint| Complaint {
        reason: complaint.reason,
        message: complaint.message(),
    };
    Judgement {
        accepted: verdict
            .accepted
            .as_ref()
            .map(|_| verdict.warnings())
            .map_err(complaint),
        resolved: verdict.resolved.as_ref().copied().map_err(complaint),
        served: verdict.served,
    }
}

fn joined(one: String, other: String) -> String {
    if one.is_empty() || one == other {
        other
    } else if other.is_empty() {
        one
    } else {
        format!("{one}; {other}")
    }
}

#[cfg(test)]
mod tests {
    use fkm_compile::Fault;

    use super::*;

    fn fault(reason: Reason, message: &str) -> Fault {
        Fault {
            reason,
            path: "spec.rules[0]".to_owned(),
            message: message.to_owned(),
        }
    }

    fn refused(reason: Reason) -> Verdict {
        let faults = vec![fault(reason, "why")];
        Verdict {
            accepted: Err(fkm_compile::Complaint { reason, faults }),
            resolved: Ok(()),
            served: None,
        }
    }

    fn taken(warnings: Vec<Fault>) -> Verdict {
        Verdict {
            accepted: Ok(warnings),
            resolved: Ok(()),
            served: Some(3),
        }
    }

    #[test]
    fn table() {
        let warning = || taken(vec![fault(Reason::Conflicted, "never matches")]);
        let cases = [
            ("one", vec![taken(vec![])], Ok("")),
            (
                "the same warning twice",
                vec![warning(), warning()],
                Ok("spec.rules[0]: never matches"),
            ),
            (
                "shadowed in one",
                vec![taken(vec![]), refused(Reason::Conflicted)],
                Ok("spec.rules[0]: why"),
            ),
            (
                "shadowed in all",
                vec![refused(Reason::Conflicted), refused(Reason::Conflicted)],
                Err(Reason::Conflicted),
            ),
            (
                "too large in one",
                vec![refused(Reason::TooLarge), taken(vec![])],
                Err(Reason::TooLarge),
            ),
            (
                "too large and shadowed",
                vec![refused(Reason::Conflicted), refused(Reason::TooLarge)],
                Err(Reason::TooLarge),
            ),
        ];
        for (case, verdicts, expected) in cases {
            let merged = merge(&verdicts).unwrap();
            let actual = merged
                .accepted
                .as_deref()
                .map_err(|complaint| complaint.reason);
            assert_eq!(actual, expected, "{case}");
        }
        assert!(merge(&[]).is_none());
        assert_eq!(
            merge(&[refused(Reason::Conflicted), taken(vec![])])
                .unwrap()
                .served,
            Some(3)
        );
    }
}
