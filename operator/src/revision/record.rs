//! How an accepted spec stands in a ControllerRevision, and which of them count. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::runtime::RawExtension;
use kube::ResourceExt;
use serde_json::Value;

use crate::object::ObjectName;

/// Selects our revisions among others.
pub(crate) const SELECTOR: &str =
    "app.kubernetes.io/managed-by=fkm-operator,fluxkontext.dev/owner-uid";

const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "fkm-operator");
const OWNER_UID: &str = "fluxkontext.dev/owner-uid";
/// The last accepted one, and the one before it for a person who wants to see what changed.
const KEPT: usize = 2;

/// Whose spec it is. Other namespaces are out of reach for owner references, hence the uid in the name and in a label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) kind: &'static str,
    pub(crate) name: ObjectName,
    pub(crate) uid: String,
}

/// An accepted spec.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stored {
    pub(crate) generation: i64,
    pub(crate) spec: Value,
}

/// The object to create.
pub(crate) fn revision(owner: &Owner, stored: &Stored) -> ControllerRevision {
    let Owner { kind, name, uid } = owner;
    let generation = stored.generation;
    let (managed_by, us) = MANAGED_BY;
    let labels = [
        (managed_by.to_owned(), us.to_owned()),
        (OWNER_UID.to_owned(), uid.clone()),
    ];
    let annotation = ("fluxkontext.dev/owner".to_owned(), format!("{kind} {name}"));
    ControllerRevision {
        metadata: ObjectMeta {
            name: Some(format!("{}-{uid}-{generation}", kind.to_lowercase())),
            labels: Some(labels.into()),
            annotations: Some([annotation].into()),
            ..ObjectMeta::default()
        },
        revision: Some(generation),
        data: RawExtension(stored.spec.clone()),
    }
}

/// The highest of each owner.
pub(crate) fn latest(revisions: &[Arc<ControllerRevision>]) -> BTreeMap<String, Stored> {
    let mut latest: BTreeMap<String, Stored> = BTreeMap::new();
    for revision in revisions {
        let (Some(uid), Some(generation)) = (owner_uid(revision), revision.revision) else {
            continue;
        };
        let RawExtension(spec) = &revision.data;
        if latest
            .get(uid)
            .is_none_or(|known| known.generation < generation)
        {
            latest.insert(
                uid.to_owned(),
                Stored {
                    generation,
                    spec: spec.clone(),
                },
            );
        }
    }
    latest
}

/// The names of those whose owner is gone, and of those below the highest two.
pub(crate) fn surplus(
    revisions: &[Arc<ControllerRevision>],
    alive: &BTreeSet<String>,
) -> Vec<String> {
    let mut of_owner: BTreeMap<&str, Vec<&ControllerRevision>> = BTreeMap::new();
    for revision in revisions {
        if let Some(uid) = owner_uid(revision) {
            of_owner.entry(uid).or_default().push(revision);
        }
    }
    let mut surplus = Vec::new();
    for (uid, mut owned) in of_owner {
        owned.sort_by_key(|revision| std::cmp::Reverse(revision.revision));
        let kept = if alive.contains(uid) { KEPT } else { 0 };
        surplus.extend(owned.into_iter().skip(kept).map(ResourceExt::name_any));
    }
    surplus
}

fn owner_uid(revision: &ControllerRevision) -> Option<&str> {
    revision.labels().get(OWNER_UID).map(String::as_str)
}
