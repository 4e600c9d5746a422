//! How a spec stands in a ControllerRevision, and which of them count. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::runtime::RawExtension;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use kube::ResourceExt;
use serde_json::Value;

use crate::object::ObjectName;

/// Selects our revisions among others.
pub(crate) const SELECTOR: &str =
    "app.kubernetes.io/managed-by=fkm-operator,fluxkontext.dev/owner-uid";

const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "fkm-operator");
const OWNER_UID: &str = "fluxkontext.dev/owner-uid";
const PUSHED: &str = "fluxkontext.dev/pushed";
/// The last accepted one, and the one before it for a person who wants to see what changed.
const KEPT: usize = 2;
/// Far more than a watch lags behind.
const ORPHANED_AFTER: SignedDuration = SignedDuration::from_mins(5);

/// Whose spec it is. Other namespaces are out of reach for owner references, hence the uid in the name and in a label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) kind: &'static str,
    pub(crate) name: ObjectName,
    pub(crate) uid: String,
}

/// A spec that was right when it was live.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stored {
    pub(crate) generation: i64,
    pub(crate) spec: Value,
}

/// Why a spec is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Grade {
    /// It was pushed to some pods, and not accepted for all: it stands in only where nothing better is known.
    Pushed,
    /// It was accepted.
    Accepted,
}

/// What is kept of one object: of each grade the highest generation.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct History {
    pub(crate) accepted: Option<Stored>,
    pub(crate) pushed: Option<Stored>,
}

/// The object to create.
pub(crate) fn revision(owner: &Owner, stored: &Stored, grade: Grade) -> ControllerRevision {
    let Owner { kind, name, uid } = owner;
    let generation = stored.generation;
    let (managed_by, us) = MANAGED_BY;
    let mut labels = BTreeMap::from([
        (managed_by.to_owned(), us.to_owned()),
        (OWNER_UID.to_owned(), uid.clone()),
    ]);
    let mut suffix = "";
    if grade == Grade::Pushed {
        labels.insert(PUSHED.to_owned(), "true".to_owned());
        suffix = "-pushed";
    }
    let annotation = ("fluxkontext.dev/owner".to_owned(), format!("{kind} {name}"));
    ControllerRevision {
        metadata: ObjectMeta {
            name: Some(format!(
                "{}-{uid}-{generation}{suffix}",
                kind.to_lowercase()
            )),
            labels: Some(labels),
            annotations: Some([annotation].into()),
            ..ObjectMeta::default()
        },
        revision: Some(generation),
        data: RawExtension(stored.spec.clone()),
    }
}

/// What is kept of each owner.
pub(crate) fn histories(revisions: &[Arc<ControllerRevision>]) -> BTreeMap<String, History> {
    let mut histories: BTreeMap<String, History> = BTreeMap::new();
    for revision in revisions {
        let (Some(uid), Some(generation)) = (owner_uid(revision), revision.revision) else {
            continue;
        };
        let RawExtension(spec) = &revision.data;
        let stored = Stored {
            generation,
            spec: spec.clone(),
        };
        let history = histories.entry(uid.to_owned()).or_default();
        history.add(stored, grade(revision));
    }
    histories
}

// === impl History ===

impl History {
    /// Takes it in, if it is higher than what is there.
    pub(crate) fn add(&mut self, stored: Stored, grade: Grade) {
        let place = match grade {
            Grade::Accepted => &mut self.accepted,
            Grade::Pushed => &mut self.pushed,
        };
        if place
            .as_ref()
            .is_none_or(|known| known.generation < stored.generation)
        {
            *place = Some(stored);
        }
    }

    /// Whether this generation, or a later one, is kept for this reason or a better one.
    pub(crate) fn holds(&self, generation: i64, grade: Grade) -> bool {
        let pushed = self.pushed.as_ref().filter(|_| grade == Grade::Pushed);
        let mut kept = self.accepted.iter().chain(pushed);
        kept.any(|stored| stored.generation >= generation)
    }

    /// What stands in for a live spec that cannot be served: the last that was accepted. One that was only pushed is
    /// right for some pods and not for others, so it comes second.
    pub(crate) fn stand_in(&self) -> Option<&Stored> {
        self.accepted.as_ref().or(self.pushed.as_ref())
    }
}

/// The uids of all owners.
pub(crate) fn owners(revisions: &[Arc<ControllerRevision>]) -> BTreeSet<&str> {
    let owners = revisions.iter();
    owners.filter_map(|revision| owner_uid(revision)).collect()
}

/// The names of the accepted ones below the highest two of an owner, of the pushed ones that are not above all others, and
/// of those whose owner is gone: `gone` says so, or it is not alive although the revision is [`ORPHANED_AFTER`] old. A
/// younger one may be of an owner that our watch does not show yet.
pub(crate) fn surplus(
    revisions: &[Arc<ControllerRevision>],
    alive: &BTreeSet<String>,
    gone: impl Fn(&str) -> bool,
    now: Timestamp,
) -> Vec<String> {
    let mut of_owner: BTreeMap<&str, Vec<&ControllerRevision>> = BTreeMap::new();
    for revision in revisions {
        if let Some(uid) = owner_uid(revision) {
            of_owner.entry(uid).or_default().push(revision);
        }
    }
    let mut surplus = Vec::new();
    for (uid, mut owned) in of_owner {
        if alive.contains(uid) {
            owned = outdated(owned);
        } else if !gone(uid) {
            owned.retain(|revision| is_orphaned_at(now, revision));
        }
        surplus.extend(owned.into_iter().map(ResourceExt::name_any));
    }
    surplus
}

/// Those of one owner that are of no more use.
fn outdated(mut owned: Vec<&ControllerRevision>) -> Vec<&ControllerRevision> {
    // Highest first; of one generation, the accepted one.
    let order = |revision: &&ControllerRevision| (revision.revision, grade(revision));
    owned.sort_by_key(|revision| std::cmp::Reverse(order(revision)));
    let (mut first, mut accepted) = (true, 0);
    owned.retain(|revision| {
        let kept = match grade(revision) {
            Grade::Pushed => first,
            Grade::Accepted => {
                accepted += 1;
                accepted <= KEPT
            }
        };
        first = false;
        !kept
    });
    owned
}

fn grade(revision: &ControllerRevision) -> Grade {
    match revision.labels().contains_key(PUSHED) {
        true => Grade::Pushed,
        false => Grade::Accepted,
    }
}

fn is_orphaned_at(now: Timestamp, revision: &ControllerRevision) -> bool {
    let created = revision.metadata.creation_timestamp.as_ref();
    created.is_some_and(|created| now.duration_since(created.0) >= ORPHANED_AFTER)
}

fn owner_uid(revision: &ControllerRevision) -> Option<&str> {
    revision.labels().get(OWNER_UID).map(String::as_str)
}
