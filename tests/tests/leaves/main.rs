//! Every leaf of both schemas has its test: changing only that field changes a request that a provider gets, an answer
//! that a client gets, what the sidecar shows, or a refusal.
//!
//! *Flow*: manifests → checks of the API server → typed kinds → selection → compiler → payload → a sidecar's store →
//! requests over HTTP to the fault upstream. A [`case::Case`] plays its scene twice as it is and once with one field
//! changed; the plays before must tell the same, the one after something else, and both what the case says.
//!
//! *Guarantees*: the field is found by its pointer in the generated schema, so a case cannot claim a leaf that it does
//! not change. A leaf without a case fails, a case of a leaf that is gone fails, and so does a value of an enum that no
//! case gives.
//!
//! *Caveats*: the status is no part of this; the operator writes it and its own tests read it. Which pods a route is for
//! is asked of [`fkm_crds::Selector::matches`], which is all that the operator's index asks too.
#![expect(
    clippy::unwrap_used,
    reason = "what a case is made of is right, or the test ends"
)]

mod case;
mod dialect_cases;
mod files;
mod format_cases;
mod media_cases;
mod objects;
mod pool_cases;
mod providers;
mod route_cases;
mod scene;
mod schema;
mod sign_in_cases;
mod signature;
mod tokens;
mod transcript;

use std::collections::BTreeSet;
use std::sync::Arc;

use fkm_crds::{Kind, schema_leaves};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::case::Case;

/// Cases that are played at the same time; each plays three scenes.
const AT_ONCE: usize = 6;

fn cases() -> Vec<Case> {
    let mut cases = pool_cases::all();
    cases.extend(sign_in_cases::all());
    cases.extend(dialect_cases::all());
    cases.extend(format_cases::all());
    cases.extend(media_cases::all());
    cases.extend(route_cases::all());
    cases
}

#[test]
fn every_leaf_has_a_case_and_every_case_a_leaf() {
    let cases = cases();
    let mut wrong = Vec::new();
    for kind in [Kind::ProviderPool, Kind::LLMRoute] {
        let of_kind = cases.iter().filter(|case| case.kind == kind);
        let mut changed = BTreeSet::new();
        for case in of_kind {
            match schema::leaf(kind, &case.pointer) {
                Some(leaf) => drop(changed.insert(leaf.path)),
                None => wrong.push(format!("{kind:?} {} is no leaf", case.pointer)),
            }
        }
        let leaves: BTreeSet<String> = schema_leaves(kind).into_iter().collect();
        let without = leaves.difference(&changed);
        wrong.extend(without.map(|leaf| format!("{kind:?} {leaf} has no case")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_value_of_an_enum_is_given_by_a_case() {
    let mut missing = BTreeSet::new();
    let mut given = BTreeSet::new();
    for case in cases() {
        let leaf = schema::leaf(case.kind, &case.pointer).unwrap();
        let values = leaf.schema["enum"].as_array().into_iter().flatten();
        let place = format!("{:?} {}", case.kind, leaf.path);
        missing.extend(
            values
                .filter(|value| !value.is_null())
                .map(|value| (place.clone(), value.to_string())),
        );
        for value in [case.before_change(), &case.value] {
            given.insert((place.clone(), value.to_string()));
        }
    }
    let missing: Vec<_> = missing.difference(&given).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn changing_only_a_leaf_changes_what_is_seen() {
    let turn = Arc::new(Semaphore::new(AT_ONCE));
    let mut playing = JoinSet::new();
    for case in cases() {
        let turn = turn.clone();
        playing.spawn(async move {
            let _turn = turn.acquire_owned().await;
            let checked = case.check().await;
            checked.map_err(|why| format!("--- {case}\n{why}"))
        });
    }
    let played = playing.join_all().await;
    let failed: Vec<String> = played.into_iter().filter_map(Result::err).collect();
    assert!(
        failed.is_empty(),
        "{} cases failed:\n{}",
        failed.len(),
        failed.join("\n")
    );
}
