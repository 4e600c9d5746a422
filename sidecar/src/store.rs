//! The active snapshot: replaced whole, read without a lock, kept when a newer one is refused.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwapOption;
use fkm_snapshot::{PodContext, Problem, Secrets, SnapshotHash, ValidSnapshot};
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::metrics::Metrics;
use crate::runtime::Runtime;
use crate::signin::SignIns;
use crate::task::Tasks;
use crate::upstream::client::{Clients, Pool};

/// What is served now, and how it changes.
#[derive(Debug)]
pub struct Store {
    active: ArcSwapOption<Runtime>,
    context: ArcSwapOption<PodContext>,
    clients: Clients,
    sign_ins: SignIns,
    metrics: Metrics,
    ready: watch::Sender<bool>,
    tasks: Tasks,
    /// One change at a time: each is built from what the one before left.
    changing: Mutex<()>,
}

// === impl Store ===

impl Store {
    pub(crate) fn new(clients: Clients, sign_ins: SignIns, metrics: Metrics, tasks: Tasks) -> Self {
        Self {
            active: ArcSwapOption::empty(),
            context: ArcSwapOption::empty(),
            clients,
            sign_ins,
            metrics,
            ready: watch::Sender::new(false),
            tasks,
            changing: Mutex::default(),
        }
    }

    /// Takes payload bytes with their keys, or refuses them and keeps what is served.
    pub fn apply(&self, payload: &[u8], secrets: &Secrets) -> Result<SnapshotHash, Vec<Problem>> {
        match ValidSnapshot::from_payload(payload) {
            Ok(snapshot) => self.apply_valid(snapshot, secrets),
            Err(problems) => Err(self.refused(problems)),
        }
    }

    /// Takes a snapshot that has been checked, with its keys, or refuses it and keeps what is served.
    pub fn apply_valid(
        &self,
        snapshot: ValidSnapshot,
        secrets: &Secrets,
    ) -> Result<SnapshotHash, Vec<Problem>> {
        let _changing = self.changing.lock();
        match self.build(snapshot, secrets) {
            Ok(built) => Ok(self.swap(built)),
            Err(problems) => Err(self.refused(problems)),
        }
    }

    /// Takes new keys for the snapshot that is served; nothing changes when one is missing. `None`: nothing is served yet.
    pub fn apply_secrets(&self, secrets: &Secrets) -> Result<Option<SnapshotHash>, Vec<Problem>> {
        let _changing = self.changing.lock();
        let Some(active) = self.current() else {
            return Ok(None);
        };
        let snapshot = active.snapshot.clone();
        let built = self.build(snapshot, secrets)?;
        Ok(Some(self.swap(built)))
    }

    fn build(
        &self,
        snapshot: ValidSnapshot,
        secrets: &Secrets,
    ) -> Result<(Runtime, Vec<Pool>), Vec<Problem>> {
        let (clients, sign_ins) = (&self.clients, &self.sign_ins);
        Runtime::try_new(snapshot, secrets, clients, sign_ins, &self.metrics)
    }

    fn refused(&self, problems: Vec<Problem>) -> Vec<Problem> {
        self.metrics.snapshots_rejected.inc();
        for problem in &problems {
            let (path, problem) = (&problem.path, &problem.message);
            tracing::error!(path, problem, "snapshot refused, the last good one stays");
        }
        problems
    }

    /// Takes what is known of this pod.
    pub fn set_context(&self, context: PodContext) {
        self.context.store(Some(Arc::new(context)));
    }

    /// Identity of the snapshot that is served, and the version of its keys.
    pub fn applied(&self) -> Option<(SnapshotHash, String)> {
        self.current()
            .map(|runtime| (runtime.snapshot.hash(), runtime.secrets_version.clone()))
    }

    /// True from the first snapshot on.
    pub fn ready(&self) -> watch::Receiver<bool> {
        self.ready.subscribe()
    }

    pub(crate) fn current(&self) -> Option<Arc<Runtime>> {
        self.active.load_full()
    }

    pub(crate) fn context(&self) -> Option<Arc<PodContext>> {
        self.context.load_full()
    }

    fn swap(&self, (runtime, new_pools): (Runtime, Vec<Pool>)) -> SnapshotHash {
        for preconnect in new_pools.into_iter().filter_map(Pool::preconnect) {
            let draining = self.tasks.draining().clone();
            self.tasks.spawn(async move {
                tokio::select! {
                    () = draining.cancelled() => {}
                    () = preconnect => {}
                }
            });
        }
        let hash = runtime.snapshot.hash();
        let rules = runtime.rules.len();
        self.active.store(Some(Arc::new(runtime)));
        self.metrics.snapshots_applied.inc();
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        self.metrics.snapshot_applied_at.set(now.as_secs_f64());
        self.ready.send_replace(true);
        tracing::info!(hash = hash.short(), rules, "snapshot applied");
        hash
    }
}
