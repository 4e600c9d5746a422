//! Every wrong manifest that the API server takes: which condition says what, and where.

use fkm_compile::{Complaint, Fault};
use fkm_crds::Reason;
use fkm_snapshot::ValidSnapshot;

use crate::objects::{Objects, manifests};

/// What a manifest's first line expects: who refuses it, where, and with which words.
struct Expectation<'a> {
    who: &'a str,
    path: &'a str,
    words: &'a str,
}

fn expectation(yaml: &str) -> Expectation<'_> {
    let line = yaml
        .lines()
        .next()
        .unwrap()
        .strip_prefix("# expect: ")
        .unwrap();
    let mut parts = line.splitn(3, ' ');
    let mut next = || parts.next().unwrap();
    Expectation {
        who: next(),
        path: next(),
        words: next(),
    }
}

fn faults(complaint: &Result<(), Complaint>) -> &[Fault] {
    complaint
        .as_ref()
        .map_or_else(|complaint| complaint.faults.as_slice(), |()| &[])
}

#[test]
fn each_names_field_value_and_fix() {
    let mut judged = 0;
    for (name, yaml) in manifests("wrong") {
        let Expectation { who, path, words } = expectation(&yaml);
        if matches!(who, "schema" | "cel") {
            continue;
        }
        judged += 1;
        let objects = Objects::parse(&yaml);
        let compiled = objects.compile();
        ValidSnapshot::from_payload(&compiled.payload)
            .unwrap_or_else(|problems| panic!("{name}: {problems:?}"));
        let world = objects.world();
        let pools = objects
            .pools
            .keys()
            .map(|pool| fkm_compile::judge_pool(pool, &world).unwrap());
        let verdicts: Vec<_> = compiled.routes.values().cloned().chain(pools).collect();
        let found = verdicts.iter().any(|verdict| {
            let faults = match who {
                "Accepted" => verdict
                    .accepted
                    .as_ref()
                    .err()
                    .map_or(&[][..], |complaint| &complaint.faults),
                "warning" => verdict.accepted.as_deref().unwrap_or_default(),
                "ResolvedRefs" => faults(&verdict.resolved),
                other => panic!("{name}: {other}"),
            };
            faults
                .iter()
                .any(|fault| fault.path == path && fault.message.contains(words))
        });
        assert!(found, "{name}: {verdicts:#?}");
    }
    assert!(judged >= 20, "{judged}");
}

#[test]
fn reasons() {
    let expected = [
        ("unknown-preset", Reason::Invalid),
        ("link-local-mapped", Reason::Invalid),
        ("shadowed-route", Reason::Conflicted),
        ("too-large", Reason::TooLarge),
        ("missing-pool", Reason::BackendNotFound),
        ("missing-model", Reason::ModelNotFound),
        ("missing-secret", Reason::SecretNotFound),
        ("missing-key", Reason::SecretNotFound),
        ("forbidden-namespace", Reason::RefNotPermitted),
        ("bad-ca", Reason::InvalidCertificate),
        ("missing-ca", Reason::CertificateNotFound),
    ];
    let manifests = manifests("wrong");
    for (name, reason) in expected {
        let (_, yaml) = manifests.iter().find(|(file, _)| file == name).unwrap();
        let objects = Objects::parse(yaml);
        let world = objects.world();
        let pools = objects
            .pools
            .keys()
            .map(|pool| fkm_compile::judge_pool(pool, &world).unwrap());
        let verdicts = objects.compile().routes.into_values().chain(pools);
        let reasons: Vec<Reason> = verdicts
            .flat_map(|verdict| [verdict.accepted.err(), verdict.resolved.err()])
            .flatten()
            .map(|complaint| complaint.reason)
            .collect();
        assert!(reasons.contains(&reason), "{name}: {reasons:?}");
    }
}

/// What depends on the missing thing stops; everything else goes on.
#[test]
fn a_missing_reference_drops_only_what_needs_it() {
    let manifests = manifests("wrong");
    let compile = |name: &str| {
        let (_, yaml) = manifests.iter().find(|(file, _)| file == name).unwrap();
        Objects::parse(yaml).compile().snapshot
    };
    let missing_model = compile("missing-model");
    let backends: Vec<&str> = missing_model.rules[0]
        .backends
        .iter()
        .map(|backend| backend.name.as_str())
        .collect();
    assert_eq!(backends, ["b"]);
    for (name, why) in [
        ("missing-pool", "BackendNotFound"),
        ("missing-secret", "SecretNotFound"),
        ("missing-key", "SecretNotFound"),
        ("forbidden-namespace", "RefNotPermitted"),
        ("bad-ca", "InvalidCertificate"),
    ] {
        let snapshot = compile(name);
        assert_eq!(snapshot.rules[0].unavailable, why, "{name}");
        assert!(
            snapshot.rules[0].backends.is_empty() && snapshot.pools.is_empty(),
            "{name}: {snapshot:?}"
        );
    }
}
