//! The only place where tasks are started.

use tokio::task::JoinHandle;

/// Starts a task.
#[expect(
    clippy::disallowed_methods,
    reason = "the programs of the bench are killed when it is over; there is nothing to drain"
)]
pub fn spawn<T: Send + 'static>(future: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
    tokio::spawn(future)
}
