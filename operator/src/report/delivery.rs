//! How far the newest snapshot of its group has come in one pod. Pure.

use fkm_snapshot::Problem;

use crate::assignment::Acknowledgement;
use crate::group::{Target, TargetPod};
use crate::status::Delivery;

/// How many problems of a refusal are told.
const MAX_PROBLEMS: usize = 3;

/// Compares what the pod is to have with what its sidecar said.
pub(super) fn delivery(
    target: &Target,
    pod: &TargetPod,
    said: Option<&Acknowledgement>,
) -> Delivery {
    if let Some(why) = &pod.denied {
        return Delivery::Denied(why.clone());
    }
    let Some(said) = said else {
        return Delivery::Disconnected;
    };
    if let Some(rejected) = said
        .rejected
        .as_ref()
        .filter(|rejected| rejected.hash == target.hash)
    {
        return Delivery::Rejected(text(&rejected.problems));
    }
    let in_use = said.programmed.as_ref().is_some_and(|programmed| {
        programmed.hash == target.hash && programmed.secrets_version == target.secrets_version
    });
    if in_use {
        Delivery::Programmed
    } else {
        Delivery::Waiting
    }
}

fn text(problems: &[Problem]) -> String {
    let mut text = problems
        .iter()
        .take(MAX_PROBLEMS)
        .map(Problem::to_string)
        .collect::<Vec<_>>()
        .join("; ");
    if problems.len() > MAX_PROBLEMS {
        text.push_str("; …");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use fkm_push::PodIdentity;
    use fkm_snapshot::{ProblemCode, SnapshotHash};

    use super::*;
    use crate::assignment::{Programmed, Rejected};

    #[test]
    fn table() {
        let (old, new) = (SnapshotHash::of(b"old"), SnapshotHash::of(b"new"));
        let programmed = |hash, version: &str| {
            Some(Programmed {
                hash,
                secrets_version: version.to_owned(),
                objects: Arc::default(),
            })
        };
        let rejected = |hash| {
            let problems = vec![Problem::new("rules[0].name", ProblemCode::Invalid, "bad")];
            Some(Rejected {
                hash,
                objects: Arc::default(),
                problems,
            })
        };
        let refusal = Delivery::Rejected("rules[0].name: bad".to_owned());
        let cases = [
            ("nothing yet", None, None, Delivery::Waiting),
            (
                "the newest",
                programmed(new, "2"),
                None,
                Delivery::Programmed,
            ),
            (
                "an older one",
                programmed(old, "2"),
                None,
                Delivery::Waiting,
            ),
            ("older keys", programmed(new, "1"), None, Delivery::Waiting),
            (
                "refused the newest",
                programmed(old, "2"),
                rejected(new),
                refusal,
            ),
            (
                "refused an older one",
                programmed(new, "2"),
                rejected(old),
                Delivery::Programmed,
            ),
        ];
        let mut pod = TargetPod {
            namespace: "shop".to_owned(),
            name: "pod".to_owned(),
            uid: "u".to_owned(),
            running: true,
            denied: None,
        };
        let target = Target {
            hash: new,
            secrets_version: "2".to_owned(),
            pools: BTreeSet::new(),
            pods: Vec::new(),
        };
        for (case, programmed, rejected, expected) in cases {
            let said = Acknowledgement {
                pod: PodIdentity::default(),
                sidecar_version: String::new(),
                programmed,
                rejected,
                overdue: false,
            };
            assert_eq!(delivery(&target, &pod, Some(&said)), expected, "{case}");
        }
        assert_eq!(delivery(&target, &pod, None), Delivery::Disconnected);
        pod.denied = Some("foreign image".to_owned());
        assert_eq!(
            delivery(&target, &pod, None),
            Delivery::Denied("foreign image".to_owned())
        );
    }
}
