//! The active snapshot: replaced whole, read without a lock, kept when a newer one is refused.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwapOption;
use fkm_snapshot::{PodContext, Problem, Secrets, SnapshotHash, ValidSnapshot};
use tokio::sync::watch;

use crate::metrics::Metrics;
use crate::runtime::Runtime;
use crate::upstream::client::Clients;

/// What is served now, and how it changes.
#[derive(Debug)]
pub struct Store {
    active: ArcSwapOption<Runtime>,
    context: ArcSwapOption<PodContext>,
    clients: Clients,
    metrics: Metrics,
    ready: watch::Sender<bool>,
}

// === impl Store ===

impl Store {
    pub(crate) fn new(clients: Clients, metrics: Metrics) -> Self {
        Self {
            active: ArcSwapOption::empty(),
            context: ArcSwapOption::empty(),
            clients,
            metrics,
            ready: watch::Sender::new(false),
        }
    }

    /// Takes payload bytes with their keys, or refuses them and keeps what is served.
    pub fn apply(&self, payload: &[u8], secrets: &Secrets) -> Result<SnapshotHash, Vec<Problem>> {
        let runtime = ValidSnapshot::from_payload(payload)
            .and_then(|snapshot| Runtime::try_new(snapshot, secrets, &self.clients, &self.metrics));
        match runtime {
            Ok(runtime) => Ok(self.swap(runtime)),
            Err(problems) => {
                self.metrics.snapshots_rejected.inc();
                for problem in &problems {
                    tracing::error!(
                        path = problem.path,
                        problem = problem.message,
                        "snapshot refused, the last good one stays"
                    );
                }
                Err(problems)
            }
        }
    }

    /// Takes new keys for the snapshot that is served; nothing changes when one is missing.
    pub fn apply_secrets(&self, secrets: &Secrets) -> Result<(), Vec<Problem>> {
        let Some(active) = self.current() else {
            return Ok(());
        };
        let runtime = Runtime::try_new(
            active.snapshot.clone(),
            secrets,
            &self.clients,
            &self.metrics,
        )?;
        self.swap(runtime);
        Ok(())
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

    fn swap(&self, runtime: Runtime) -> SnapshotHash {
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
