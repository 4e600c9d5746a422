//! What is sent, by what the sidecar holds and has refused.

use std::sync::Arc;

use fkm_snapshot::{Secrets, Snapshot, ValidSnapshot};

use super::*;
use crate::assignment::Payload;

fn wanted(feature: Option<&str>, secrets_version: &str) -> Assignment {
    let mut snapshot = Snapshot::default();
    snapshot.requires.extend(feature.map(Into::into));
    let snapshot = ValidSnapshot::try_new(&snapshot).unwrap();
    Assignment {
        snapshot: Arc::new(Payload::new(&snapshot, [])),
        secrets: Arc::new(Secrets {
            version: secrets_version.into(),
            ..Secrets::default()
        }),
        context: PodContext::default(),
    }
}

fn one(secrets_version: &str) -> Assignment {
    wanted(None, secrets_version)
}

fn other(secrets_version: &str) -> Assignment {
    wanted(Some("strategy.weighted"), secrets_version)
}

fn holding(assignment: &Assignment) -> Holding {
    let mut holding = Holding::new(&Hello {
        applied_hash: Some(assignment.snapshot.hash),
        applied_secrets_version: assignment.secrets.version.clone(),
        ..Hello::default()
    });
    holding.sent_context(&assignment.context);
    holding
}

fn nack(kept: &Assignment, refused: &Assignment) -> Nack {
    Nack {
        version: 1,
        hash: refused.snapshot.hash,
        problems: Vec::new(),
        kept_hash: Some(kept.snapshot.hash),
        kept_secrets_version: kept.secrets.version.clone(),
    }
}

const NOTHING: Plan = Plan {
    context: false,
    secrets: false,
    snapshot: false,
};
const SECRETS: Plan = Plan {
    secrets: true,
    ..NOTHING
};
const SNAPSHOT: Plan = Plan {
    snapshot: true,
    ..NOTHING
};
const BOTH: Plan = Plan {
    secrets: true,
    ..SNAPSHOT
};

#[test]
fn only_what_differs_is_sent() {
    let holding = holding(&one("s1"));
    assert_eq!(holding.plan(&one("s1")), NOTHING);
    assert_eq!(holding.plan(&one("s2")), SECRETS);
    assert_eq!(holding.plan(&other("s1")), SNAPSHOT);
    assert_eq!(holding.plan(&other("s2")), BOTH);
}

#[test]
fn a_new_sidecar_gets_all_but_secrets_that_are_not_there() {
    let new = Holding::new(&Hello::default());
    let all = Plan {
        context: true,
        ..BOTH
    };
    assert_eq!(new.plan(&one("s1")), all);
    let no_secrets = Plan {
        secrets: false,
        ..all
    };
    assert_eq!(new.plan(&one("")), no_secrets);
}

#[test]
fn a_refused_hash_is_not_sent_again_but_keys_still_rotate() {
    let (kept, refused) = (one("s1"), other("s1"));
    let mut holding = holding(&kept);
    let expected = holding.expected(SNAPSHOT, &refused).unwrap();
    holding.nacked(SNAPSHOT, expected, &nack(&kept, &refused));
    assert_eq!(holding.plan(&refused), NOTHING);
    assert!(!holding.has(&refused));
    assert_eq!(holding.plan(&other("s2")), SECRETS);
    let expected = holding.expected(SECRETS, &other("s2")).unwrap();
    assert_eq!(expected.hash, kept.snapshot.hash);
    assert_eq!(expected.secrets_version, "s2");
    assert_eq!(holding.plan(&kept), NOTHING);
}

#[test]
fn refused_secrets_are_sent_again_with_another_snapshot_only() {
    let kept = one("s1");
    let mut holding = holding(&kept);
    let expected = holding.expected(SECRETS, &one("s2")).unwrap();
    holding.nacked(SECRETS, expected, &nack(&kept, &one("s2")));
    assert_eq!(holding.plan(&one("s2")), NOTHING);
    assert_eq!(holding.plan(&one("s3")), SECRETS);
    assert_eq!(holding.plan(&other("s2")), BOTH);
}

#[test]
fn a_first_snapshot_that_is_refused_leaves_nothing_to_send_secrets_for() {
    let mut holding = Holding::new(&Hello::default());
    holding.sent_context(&PodContext::default());
    let refused = other("s1");
    let expected = holding.expected(BOTH, &refused).unwrap();
    let nack = Nack {
        kept_hash: None,
        kept_secrets_version: String::new(),
        ..nack(&refused, &refused)
    };
    holding.nacked(BOTH, expected, &nack);
    assert_eq!(holding.plan(&refused), NOTHING);
    assert_eq!(holding.plan(&one("s1")), BOTH);
}

#[test]
fn a_refused_hash_may_be_tried_again_after_another_was_taken_but_not_after_secrets_alone() {
    let (kept, refused) = (one("s1"), other("s1"));
    let mut holding = holding(&kept);
    let expected = holding.expected(SNAPSHOT, &refused).unwrap();
    holding.nacked(SNAPSHOT, expected, &nack(&kept, &refused));
    let ack = |hash| Ack {
        version: 2,
        hash,
        secrets_version: "s1".into(),
    };
    holding.acked(SECRETS, ack(kept.snapshot.hash), &kept.secrets);
    assert_eq!(holding.plan(&refused), NOTHING);
    let third = ack(SnapshotHash::of(b"third"));
    holding.acked(SNAPSHOT, third, &kept.secrets);
    assert_eq!(holding.plan(&refused), SNAPSHOT);
}

/// With these keys.
fn keyed(assignment: Assignment, keys: &[(&str, &str)]) -> Assignment {
    let entries = keys
        .iter()
        .map(|(key, value)| (SecretId::new("llm", "keys", key), (*value).into()));
    let version = assignment.secrets.version.clone();
    let secrets = Secrets {
        version,
        entries: entries.collect(),
    };
    Assignment {
        secrets: Arc::new(secrets),
        ..assignment
    }
}

/// The keys that a sidecar gets which has kept `kept` and refused the first version of `wanted`.
fn kept_gets(kept: &Assignment, wanted: &Assignment) -> Option<Vec<(String, String)>> {
    let mut holding = holding(kept);
    holding.keep(kept);
    holding.refused_hash = Some(wanted.snapshot.hash);
    let plan = holding.plan(wanted);
    assert!(!plan.snapshot);
    let keys = holding.keys(plan, wanted);
    let shown = |(id, value): (&SecretId, &secrecy::SecretString)| {
        (id.to_string(), value.expose_secret().to_owned())
    };
    plan.secrets
        .then(|| keys.entries.iter().map(shown).collect())
}

#[test]
fn what_is_kept_gets_its_own_keys_and_no_others_in_their_place() {
    let kept = keyed(one("s1"), &[("a", "a1"), ("b", "b1")]);
    let wanted = |keys: &[_]| keyed(other("s2"), keys);
    let cases: [(&str, &[_], Option<&[_]>); 5] = [
        ("none of its keys", &[("c", "c1")], None),
        ("one, not rotated", &[("a", "a1"), ("c", "c1")], None),
        (
            "one, rotated",
            &[("a", "a2"), ("c", "c1")],
            Some(&[("a", "a2"), ("b", "b1")]),
        ),
        (
            "all, and more",
            &[("a", "a2"), ("b", "b1"), ("c", "c1")],
            Some(&[("a", "a2"), ("b", "b1"), ("c", "c1")]),
        ),
        ("none at all", &[], None),
    ];
    for (case, keys, expected) in cases {
        let expected = expected.map(|all: &[(&str, &str)]| {
            let named =
                |(key, value): &(&str, &str)| (format!("llm/keys/{key}"), (*value).to_owned());
            all.iter().map(named).collect::<Vec<_>>()
        });
        assert_eq!(kept_gets(&kept, &wanted(keys)), expected, "{case}");
    }
}
