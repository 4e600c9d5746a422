//! The payload of the good manifests, as it is sent.

use fkm_snapshot::ValidSnapshot;
use serde_json::Value;

use crate::objects::{Objects, manifests};

#[test]
fn good_manifests_compile_without_a_word() {
    for (name, yaml) in manifests("good") {
        let compiled = Objects::parse(&yaml).compile();
        for (object, verdict) in compiled.routes.iter().chain(&compiled.pools) {
            assert_eq!(verdict.accepted, Ok(vec![]), "{name}: {object}");
            assert_eq!(verdict.resolved, Ok(()), "{name}: {object}");
            assert_eq!(
                verdict.served,
                Some(crate::objects::LIVE),
                "{name}: {object}"
            );
        }
        let valid = ValidSnapshot::from_payload(&compiled.payload).unwrap();
        assert_eq!(valid.get(), &compiled.snapshot);
        let shown: Value = serde_json::from_slice(&compiled.payload).unwrap();
        insta::assert_json_snapshot!(name, shown);
    }
}

#[test]
fn the_order_of_the_inputs_does_not_matter() {
    for (_, yaml) in manifests("good") {
        let documents: Vec<&str> = yaml.split("\n---\n").collect();
        let reversed: Vec<&str> = documents.iter().rev().copied().collect();
        let payload =
            |documents: &[&str]| Objects::parse(&documents.join("\n---\n")).compile().payload;
        assert_eq!(payload(&documents), payload(&reversed));
    }
}

#[test]
fn no_routes_is_the_empty_snapshot() {
    let compiled = Objects::default().compile();
    assert_eq!(compiled.payload, b"{}");
    assert!(compiled.secrets.is_empty());
}
