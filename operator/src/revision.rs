//! The spec of each object that was accepted last, kept as a ControllerRevision in the operator's own namespace.
//!
//! *Guarantees*: the revision of a generation exists before that generation is pushed, so a bad edit leaves the good
//! spec serving after a restart too; of one object the highest generation wins, two are kept, and all go with it.
//!
//! *Assumptions*: generations only grow, and a generation never changes its spec: two replicas that write the same
//! name write the same content, so "already exists" is success.

mod record;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use k8s_openapi::api::apps::v1::ControllerRevision;
use kube::api::{DeleteParams, PostParams};
use kube::{Api, Client, Error};
use thiserror::Error as ThisError;
use tokio::time::timeout;
use tracing::{info, warn};

use crate::metrics::WriteMetrics;

pub(crate) use self::record::SELECTOR;
pub(crate) use self::record::{Owner, Stored};

/// How long one write may take.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);
/// Writes at one time.
const CONCURRENCY: usize = 8;
const KIND: &str = "ControllerRevision";

/// The accepted specs, by the uid of their object.
#[derive(Debug)]
pub(crate) struct Revisions {
    api: Api<ControllerRevision>,
    metrics: WriteMetrics,
    stored: BTreeMap<String, Stored>,
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
        }
    }

    /// Takes in what the watch knows. What was stored here and the watch does not know yet stays.
    pub(crate) fn absorb(&mut self, watched: &[Arc<ControllerRevision>]) {
        for (uid, stored) in record::latest(watched) {
            let newer = self
                .stored
                .get(&uid)
                .is_none_or(|known| known.generation < stored.generation);
            if newer {
                self.stored.insert(uid, stored);
            }
        }
    }

    /// The spec of an object that was accepted last.
    pub(crate) fn get(&self, uid: &str) -> Option<&Stored> {
        self.stored.get(uid)
    }

    /// Stores accepted specs, unless they are there; only then may they be pushed. Gives the uids of those that could
    /// not be stored.
    pub(crate) async fn store(&mut self, accepted: Vec<(Owner, Stored)>) -> BTreeSet<String> {
        let is_new = |(owner, stored): &(Owner, Stored)| {
            self.get(&owner.uid)
                .is_none_or(|known| known.generation < stored.generation)
        };
        let new: Vec<_> = accepted.into_iter().filter(is_new).collect();
        let mut writes = stream::iter(new)
            .map(async |(owner, stored)| (create(&self.api, &owner, &stored).await, owner, stored))
            .buffer_unordered(CONCURRENCY);
        let mut failed = BTreeSet::new();
        let mut written = Vec::new();
        while let Some((created, owner, stored)) = writes.next().await {
            let Owner { kind, name, uid } = owner;
            let generation = stored.generation;
            self.metrics.wrote(KIND, created.is_ok());
            match created {
                Ok(()) => {
                    info!(kind, %name, generation, "accepted spec stored");
                    written.push((uid, stored));
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    warn!(kind, %name, generation, error, "accepted spec not stored, so not pushed; trying again");
                    failed.insert(uid);
                }
            }
        }
        drop(writes);
        self.stored.extend(written);
        failed
    }

    /// Deletes the revisions that nobody needs any more. What fails is found again the next time.
    pub(crate) async fn prune(
        &mut self,
        watched: &[Arc<ControllerRevision>],
        alive: &BTreeSet<String>,
    ) {
        self.stored.retain(|uid, _| alive.contains(uid));
        for name in record::surplus(watched, alive) {
            let deleted = timeout(
                WRITE_TIMEOUT,
                self.api.delete(&name, &DeleteParams::default()),
            )
            .await;
            let failure = match deleted {
                Ok(Ok(_)) => None,
                Ok(Err(Error::Api(status))) if status.is_not_found() => None,
                Ok(Err(error)) => Some(StoreError::Api(error)),
                Err(_) => Some(StoreError::Timeout),
            };
            self.metrics.wrote(KIND, failure.is_none());
            if let Some(error) = failure {
                warn!(
                    name,
                    error = &error as &dyn std::error::Error,
                    "revision not deleted; trying again later"
                );
            }
        }
    }
}

async fn create(
    api: &Api<ControllerRevision>,
    owner: &Owner,
    stored: &Stored,
) -> Result<(), StoreError> {
    let revision = record::revision(owner, stored);
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
