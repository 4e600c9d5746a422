//! The spec of each object that was accepted last, kept as a ControllerRevision in the operator's own namespace; and one
//! that was pushed to some pods without being accepted for all, as it is when it is too large for others.
//!
//! *Guarantees*: the revision of a generation exists before that generation is pushed, so a bad edit leaves the good
//! spec serving after a restart too; of one object the highest generation wins, two are kept, and all go with it; a
//! replica whose watch lags behind deletes nothing of an object that it does not know yet.
//!
//! *Assumptions*: generations only grow, and a generation never changes its spec: two replicas that write the same
//! name write the same content, so "already exists" is success.

mod record;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::{StreamExt, stream};
use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::jiff::Timestamp;
use kube::api::{DeleteParams, PostParams};
use kube::{Api, Client, Error};
use thiserror::Error as ThisError;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::{info, warn};

use crate::metrics::WriteMetrics;

use self::record::History;
pub(crate) use self::record::SELECTOR;
pub(crate) use self::record::{Grade, Owner, Stored};

/// How long one write may take.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the writes of one pass may take together: everybody waits for them.
const STORE_TIMEOUT: Duration = Duration::from_secs(10);
/// Writes at one time.
const CONCURRENCY: usize = 8;
const KIND: &str = "ControllerRevision";

/// What is kept, by the uid of its object.
#[derive(Debug)]
pub(crate) struct Revisions {
    api: Api<ControllerRevision>,
    metrics: WriteMetrics,
    stored: BTreeMap<String, History>,
    /// The owners that were seen alive here, as long as they are or have revisions.
    seen: BTreeSet<String>,
}

/// Why a spec could not be stored.
#[derive(Debug, ThisError)]
pub(crate) enum StoreError {
    #[error("the API server did not answer within {WRITE_TIMEOUT:?}")]
    Timeout,
    #[error(
        "the API server did not take the revision; maybe the Role of the operator's namespace is not applied"
    )]
    Api(#[source] Error),
}

// === impl Revisions ===

impl Revisions {
    /// Knows nothing before [`absorb`](Self::absorb).
    pub(crate) fn new(client: Client, namespace: &str, metrics: WriteMetrics) -> Self {
        Self {
            api: Api::namespaced(client, namespace),
            metrics,
            stored: BTreeMap::new(),
            seen: BTreeSet::new(),
        }
    }

    /// Takes in what the watch knows. What was stored here and the watch does not know yet stays.
    pub(crate) fn absorb(&mut self, watched: &[Arc<ControllerRevision>]) {
        for (uid, History { accepted, pushed }) in record::histories(watched) {
            let history = self.stored.entry(uid).or_default();
            let pushed = pushed.map(|stored| (stored, Grade::Pushed));
            let accepted = accepted.map(|stored| (stored, Grade::Accepted));
            for (stored, grade) in pushed.into_iter().chain(accepted) {
                history.add(stored, grade);
            }
        }
    }

    /// The spec that stands in for the live one of an object.
    pub(crate) fn stand_in(&self, uid: &str) -> Option<&Stored> {
        self.stored.get(uid)?.stand_in()
    }

    /// Whether this generation, or a later one, is stored: only then may it be pushed, or told as accepted.
    pub(crate) fn holds(&self, uid: &str, generation: i64, grade: Grade) -> bool {
        let history = self.stored.get(uid);
        history.is_some_and(|history| history.holds(generation, grade))
    }

    /// Stores specs, unless they are there. What cannot be stored within [`STORE_TIMEOUT`] is not held, and is for the
    /// next time.
    pub(crate) async fn store(&mut self, specs: Vec<(Owner, Stored, Grade)>) {
        let is_new = |(owner, stored, grade): &(Owner, Stored, Grade)| {
            !self.holds(&owner.uid, stored.generation, *grade)
        };
        let new: Vec<_> = specs.into_iter().filter(is_new).collect();
        let deadline = Instant::now() + STORE_TIMEOUT;
        let mut left = new.len();
        let mut writes = stream::iter(new)
            .map(async |(owner, stored, grade)| {
                let created = create(&self.api, &owner, &stored, grade).await;
                (created, owner, stored, grade)
            })
            .buffer_unordered(CONCURRENCY);
        let mut written = Vec::new();
        while let Ok(Some(write)) = timeout_at(deadline, writes.next()).await {
            let (created, owner, stored, grade) = write;
            left -= 1;
            let Owner { kind, name, uid } = owner;
            let generation = stored.generation;
            self.metrics.wrote(KIND, created.is_ok());
            match created {
                Ok(()) => {
                    info!(kind, %name, generation, ?grade, "spec stored");
                    written.push((uid, stored, grade));
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    warn!(kind, %name, generation, error, "spec not stored, so not pushed; trying again");
                }
            }
        }
        drop(writes);
        if left > 0 {
            warn!(left, limit = ?STORE_TIMEOUT, "specs not stored in time, so not pushed; trying again");
        }
        for (uid, stored, grade) in written {
            self.stored.entry(uid).or_default().add(stored, grade);
        }
    }

    /// Deletes revisions that nobody needs any more, a few at a time. What is left is found again the next time.
    pub(crate) async fn prune(
        &mut self,
        watched: &[Arc<ControllerRevision>],
        alive: &BTreeSet<String>,
        now: Timestamp,
    ) {
        self.stored.retain(|uid, _| alive.contains(uid));
        self.seen.extend(alive.iter().cloned());
        let owners = record::owners(watched);
        self.seen
            .retain(|uid| alive.contains(uid) || owners.contains(uid.as_str()));
        let gone = |uid: &str| self.seen.contains(uid) && !alive.contains(uid);
        let mut surplus = record::surplus(watched, alive, gone, now);
        surplus.truncate(CONCURRENCY);
        let deletions = surplus.iter().map(|name| delete(&self.api, name));
        let Ok(deleted) = timeout(WRITE_TIMEOUT, join_all(deletions)).await else {
            warn!(count = surplus.len(), error = %StoreError::Timeout, "revisions not deleted; trying again later");
            return;
        };
        for (name, deleted) in surplus.iter().zip(deleted) {
            self.metrics.wrote(KIND, deleted.is_ok());
            if let Err(error) = deleted {
                let error = &error as &dyn std::error::Error;
                warn!(name, error, "revision not deleted; trying again later");
            }
        }
    }
}

async fn delete(api: &Api<ControllerRevision>, name: &str) -> Result<(), StoreError> {
    match api.delete(name, &DeleteParams::default()).await {
        Ok(_) => Ok(()),
        Err(Error::Api(status)) if status.is_not_found() => Ok(()),
        Err(error) => Err(StoreError::Api(error)),
    }
}

async fn create(
    api: &Api<ControllerRevision>,
    owner: &Owner,
    stored: &Stored,
    grade: Grade,
) -> Result<(), StoreError> {
    let revision = record::revision(owner, stored, grade);
    let params = PostParams {
        field_manager: Some(crate::FIELD_MANAGER.to_owned()),
        ..PostParams::default()
    };
    match timeout(WRITE_TIMEOUT, api.create(&params, &revision)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(Error::Api(status))) if status.is_already_exists() => Ok(()),
        Ok(Err(error)) => Err(StoreError::Api(error)),
        Err(_) => Err(StoreError::Timeout),
    }
}

#[cfg(test)]
mod tests;
