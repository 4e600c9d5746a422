//! The only place where tasks are started.

use tokio::task::JoinHandle;

/// Starts a task; whoever holds the handle ends it.
#[expect(
    clippy::disallowed_methods,
    reason = "a test upstream has nothing to drain: its listener is aborted, and its connections with it"
)]
pub(crate) fn spawn(future: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(future)
}
