//! From a change of anything watched to what each pod is to have.
//!
//! *Flow*: wait for the burst to be over → a [`View`] of everything → sort pods into groups → refuse those that may have
//! nothing → compile the groups whose fingerprint moved → store the specs that are to be pushed → publish the standing of
//! each pod → tell status.
//!
//! *Guarantees*: nothing is published before every store has its first list; a generation is pushed, and told as
//! accepted, only after it is stored; a group whose Secret is not read yet, or one of whose specs is not stored, keeps
//! what it had; a refusal waits for neither; an equal payload is the same allocation, so nothing is sent.

mod absence;
mod build;
mod debounce;
mod keys;
mod material;
mod merge;
mod outcome;
mod publish;
mod storing;
mod view;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use fkm_snapshot::Secrets;
use k8s_openapi::jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, debug, error, info, info_span};

use self::absence::Absences;
use self::build::{Batch, BuildError, Built};
use self::material::Material;
use self::view::View;
use crate::admin::Readiness;
use crate::assignment::{Assignments, Payload};
use crate::index::{self, GroupKey, Groups};
use crate::metrics::GroupMetrics;
use crate::push::JudgeSettings;
use crate::revision::Revisions;
use crate::secrets::SecretReader;
use crate::watch::{Changes, Stores};

pub(crate) use self::debounce::DEBOUNCE;
pub(crate) use self::outcome::{Found, Outcome, Target, TargetPod};

/// How soon a group that was held back is looked at again, if nothing changes before.
const AGAIN: Duration = Duration::from_secs(1);
/// How long readiness waits for groups that are held back: what ails them may last, and the others are to be served.
const PATIENCE: Duration = Duration::from_secs(10);

/// What compilation reads and writes.
pub(crate) struct Compiler {
    pub(crate) stores: Stores,
    pub(crate) secrets: SecretReader,
    pub(crate) revisions: Revisions,
    pub(crate) judge: JudgeSettings,
    pub(crate) changes: Changes,
    pub(crate) assignments: Assignments,
    pub(crate) outcomes: watch::Sender<Arc<Outcome>>,
    pub(crate) readiness: Readiness,
    pub(crate) metrics: GroupMetrics,
}

/// What one group has.
#[derive(Clone, Debug)]
struct Served {
    built: Built,
    /// `None` until it was published once.
    published: Option<(Arc<Payload>, Arc<Secrets>)>,
}

/// What is remembered from pass to pass.
#[derive(Debug, Default)]
struct Memory {
    groups: BTreeMap<GroupKey, Served>,
    /// The uids of the pods that have a standing.
    pods: HashSet<String>,
    absences: Absences,
    /// The end of the first pass.
    since: Option<Instant>,
}

// === impl Compiler ===

impl Compiler {
    /// Until the process is to end. Nothing happens before every store is synced.
    pub(crate) async fn run(mut self, stopping: CancellationToken) {
        let mut changes = self.changes.subscribe();
        tokio::select! {
            () = stopping.cancelled() => return,
            synced = self.stores.synced() => if !synced { return },
        }
        self.readiness.set_synced();
        info!("every watch has its first list");
        let mut memory = Memory::default();
        loop {
            let complete = self
                .pass(&mut memory)
                .instrument(info_span!("compile"))
                .await;
            tokio::select! {
                () = stopping.cancelled() => return,
                more = DEBOUNCE.next(&mut changes) => if !more { return },
                () = sleep(AGAIN), if !complete => {}
            }
        }
    }

    /// Brings every group up to date. `false`: one was held back.
    async fn pass(&mut self, memory: &mut Memory) -> bool {
        let material = Arc::new(self.material(memory));
        let groups = index::groups(&material.view.routes, &material.view.pods);
        memory.groups.retain(|key, _| groups.contains_key(key));
        // What is forbidden waits for nothing that can fail or take long.
        let verdicts = self.refuse(&groups, memory);

        let pending = groups.keys().filter(|key| material.is_group_pending(key));
        let mut unjudged: BTreeSet<GroupKey> = pending.cloned().collect();
        let Some(batch) = self.compile(&material, &groups, &unjudged, memory).await else {
            return false;
        };
        unjudged.extend(take_in(batch.groups, memory));

        let mut outcome = outcome::judged(&material, memory, &unjudged, &batch.pools);
        let view = &material.view;
        let specs = storing::to_store(view, memory, &unjudged, &outcome, &self.revisions);
        self.revisions.store(specs).await;
        outcome.retain_stored(&self.revisions);
        let mut held_back = storing::waiting(memory, &self.revisions);
        held_back.extend(unjudged);
        let targets = self.publish(
            &groups,
            &verdicts,
            &mut held_back,
            &material.secrets,
            memory,
        );
        outcome.aim(&targets);
        self.outcomes.send_replace(Arc::new(outcome));
        let since = *memory.since.get_or_insert_with(Instant::now);
        if held_back.is_empty() || since.elapsed() >= PATIENCE {
            self.readiness.set_published();
        }
        self.revisions
            .prune(&view.revisions, &view.owners(), Timestamp::now())
            .await;
        held_back.is_empty()
    }

    /// Everything as it stands now.
    fn material(&mut self, memory: &mut Memory) -> Material {
        let view = View::of(&self.stores);
        self.revisions.absorb(&view.revisions);
        let mut material = Material::new(view, self.secrets.states(), &self.revisions);
        let missing = material.missing_maps();
        material.awaited_maps = memory.absences.on_their_way_at(Instant::now(), missing);
        self.secrets.want(material.wanted_secrets());
        material
    }

    /// Compiles the groups whose fingerprint moved. `None`: compilation broke down; everybody keeps what he has.
    async fn compile(
        &self,
        material: &Arc<Material>,
        groups: &Groups,
        pending: &BTreeSet<GroupKey>,
        memory: &Memory,
    ) -> Option<Batch> {
        let mut moved = Vec::new();
        for key in groups.keys().filter(|key| !pending.contains(key)) {
            let fingerprint = material.fingerprint(key);
            let served = memory.groups.get(key);
            if served.is_none_or(|served| served.built.fingerprint != fingerprint) {
                let before = served.map(|served| served.built.payload.clone());
                moved.push((key.clone(), fingerprint, before));
            }
        }
        debug!(
            groups = groups.len(),
            moved = moved.len(),
            pending = pending.len(),
            "compiling"
        );
        let (material, metrics) = (material.clone(), self.metrics.clone());
        // Milliseconds each, but they add up: not on a thread that serves streams.
        let batch =
            tokio::task::spawn_blocking(move || build::build(&material, moved, &metrics)).await;
        batch
            .inspect_err(|error| error!(%error, "compilation broke down"))
            .ok()
    }
}

impl std::fmt::Debug for Compiler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compiler").finish_non_exhaustive()
    }
}

/// Takes in what was compiled; gives the groups that could not be.
fn take_in(
    built: Vec<(GroupKey, Result<Built, BuildError>)>,
    memory: &mut Memory,
) -> Vec<GroupKey> {
    let mut failed = Vec::new();
    for (key, result) in built {
        match result {
            Ok(built) => {
                let published = memory
                    .groups
                    .remove(&key)
                    .and_then(|served| served.published);
                memory.groups.insert(key, Served { built, published });
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                error!(namespace = key.namespace, routes = ?key.routes, error, "group not compiled; it keeps what it had");
                failed.push(key);
            }
        }
    }
    failed
}

#[cfg(test)]
mod tests;
