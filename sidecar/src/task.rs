//! The only place that spawns: every task is tracked, so that shutdown can wait for it.
//!
//! Shutdown has three moments: *drain* (stop accepting, finish what runs), *force* (the deadline is over, say so to the
//! clients that still wait), *done* (every task has ended).

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long clients that were cut at the deadline get to read why.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Handle to all tasks of the process. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    drain: CancellationToken,
    force: CancellationToken,
}

impl Tasks {
    /// Starts a task that shutdown waits for.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the module that the lint points to"
    )]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        tokio::spawn(self.tracker.track_future(future))
    }

    /// Cancelled when draining begins.
    pub fn draining(&self) -> &CancellationToken {
        &self.drain
    }

    /// Cancelled when the drain deadline is over.
    pub fn forced(&self) -> &CancellationToken {
        &self.force
    }

    /// Drains: waits for the tasks up to `deadline`, then forces. Returns whether all ended by themselves.
    pub async fn shut_down(&self, deadline: Duration) -> bool {
        self.drain.cancel();
        self.tracker.close();
        if tokio::time::timeout(deadline, self.tracker.wait())
            .await
            .is_ok()
        {
            return true;
        }
        self.force.cancel();
        let _ = tokio::time::timeout(LAST_WORDS, self.tracker.wait()).await;
        false
    }
}
