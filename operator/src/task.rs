//! The only place where a task starts, so that a shutdown can wait for all of them.
//!
//! *Flow*: [`Tasks::stop`] asks everyone to end; [`Tasks::finish`] waits until they have, and after its deadline drops
//! what is left.
//!
//! *Guarantees*: a task that panics is told to whoever waits at [`Tasks::panicked`]: a process that has lost one of its
//! parts without notice is worse than none.
//!
//! *Assumptions*: a task watches [`Tasks::stopping`] at every place where it waits for long.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use thiserror::Error;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Span, debug, error};

/// The tasks of the process. Cheap to clone; all clones are one.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    stopping: CancellationToken,
    dropping: CancellationToken,
    panicked: watch::Sender<Option<&'static str>>,
}

/// Tasks that did not end in time and were dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{count} tasks did not end within {deadline:?} and were dropped")]
pub struct Unfinished {
    /// How many.
    pub count: usize,
    /// What they had been given.
    pub deadline: Duration,
}

// === impl Tasks ===

impl Tasks {
    /// No tasks yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts a task, in the span of the caller. The handle need not be kept.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the place that it is to be done in"
    )]
    pub fn spawn<F>(&self, name: &'static str, task: F) -> JoinHandle<()>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (dropping, panicked) = (self.dropping.clone(), self.panicked.clone());
        let task = async move {
            // Nobody looks at what a broken task has left: the process ends.
            let task = AssertUnwindSafe(task).catch_unwind();
            match dropping.run_until_cancelled_owned(task).await {
                Some(Ok(())) => {}
                Some(Err(panic)) => {
                    error!(task = name, error = panic_text(&*panic), "task panicked");
                    panicked.send_replace(Some(name));
                }
                None => debug!(task = name, "task dropped"),
            }
        };
        tokio::spawn(self.tracker.track_future(task.instrument(Span::current())))
    }

    /// Waits for a task to panic, and gives its name. Not missed when it has happened before.
    pub async fn panicked(&self) -> &'static str {
        let mut panicked = self.panicked.subscribe();
        let name = panicked.wait_for(Option::is_some).await;
        name.ok()
            .and_then(|name| *name)
            .expect("the sender is ours, and it was waited for")
    }

    /// Is cancelled when the process should end.
    pub fn stopping(&self) -> CancellationToken {
        self.stopping.clone()
    }

    /// Asks every task to end.
    pub fn stop(&self) {
        self.stopping.cancel();
    }

    /// Asks every task to end and waits for them; drops those that have not ended by then.
    pub async fn finish(&self, deadline: Duration) -> Result<(), Unfinished> {
        self.stop();
        self.tracker.close();
        if tokio::time::timeout(deadline, self.tracker.wait())
            .await
            .is_ok()
        {
            return Ok(());
        }
        let count = self.tracker.len();
        self.dropping.cancel();
        self.tracker.wait().await;
        Err(Unfinished { count, deadline })
    }
}

/// What a panic said.
pub(crate) fn panic_text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("no message").to_owned()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn waits_for_tasks_that_end() {
        let tasks = Tasks::new();
        let done = Arc::new(AtomicBool::new(false));
        let (stopping, flag) = (tasks.stopping(), Arc::clone(&done));
        tasks.spawn("obedient", async move {
            stopping.cancelled().await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            flag.store(true, Ordering::SeqCst);
        });
        assert_eq!(tasks.finish(Duration::from_secs(2)).await, Ok(()));
        assert!(done.load(Ordering::SeqCst));
    }

    #[tokio::test(start_paused = true)]
    async fn drops_tasks_that_do_not() {
        let tasks = Tasks::new();
        let kept = Arc::new(());
        let held = Arc::clone(&kept);
        tasks.spawn("deaf", async move {
            std::future::pending::<()>().await;
            drop(held);
        });
        let deadline = Duration::from_secs(2);
        assert_eq!(
            tasks.finish(deadline).await,
            Err(Unfinished { count: 1, deadline })
        );
        assert_eq!(Arc::strong_count(&kept), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_is_told_also_to_who_asks_late() {
        let tasks = Tasks::new();
        let early = tasks.panicked();
        tasks.spawn("fine", async {});
        tasks.spawn("broken", async { panic!("no bread") });
        assert_eq!(early.await, "broken");
        assert_eq!(tasks.panicked().await, "broken");
        assert_eq!(tasks.finish(Duration::from_secs(1)).await, Ok(()));
    }
}
