//! Watches the folder: says when something in it changed, a burst at a time.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{Config, Event, PollWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout_at};

/// A burst is over after so long without a change: an editor writes a file in several steps.
const QUIET: Duration = Duration::from_millis(100);
/// Or so long after its first change, even when they go on.
const MOST: Duration = Duration::from_millis(400);
/// How often a folder is looked at where the system does not tell of changes, or that is gone for now.
const POLL: Duration = Duration::from_millis(500);

/// A folder that is watched.
pub(super) struct Folder {
    path: PathBuf,
    signal: Arc<Signal>,
    /// Watches for as long as it lives.
    watcher: Box<dyn Watcher + Send>,
}

/// What the watcher's thread tells.
#[derive(Debug, Default)]
struct Signal {
    changed: Notify,
    /// The folder itself was removed or renamed, and the watch with it.
    lost: AtomicBool,
}

// === impl Folder ===

impl Folder {
    /// Begins to watch. Fails where neither the system tells of changes nor the folder can be read.
    pub(super) fn watch(path: &Path) -> anyhow::Result<Self> {
        let absolute = std::path::absolute(path);
        let path = absolute.with_context(|| format!("no absolute path of {}", path.display()))?;
        let signal = Arc::new(Signal::default());
        let watcher = watch(&path, &signal)?;
        Ok(Self {
            path,
            signal,
            watcher,
        })
    }

    /// Returns after the next burst of changes.
    pub(super) async fn changed(&mut self) {
        if self.signal.lost.load(Ordering::Relaxed) {
            self.renew().await;
            return;
        }
        self.signal.changed.notified().await;
        let deadline = Instant::now() + MOST;
        loop {
            let quiet = (Instant::now() + QUIET).min(deadline);
            match timeout_at(quiet, self.signal.changed.notified()).await {
                Ok(()) if Instant::now() < deadline => {}
                Ok(()) | Err(_) => return,
            }
        }
    }

    /// Waits until the folder is there again.
    async fn renew(&mut self) {
        loop {
            sleep(POLL).await;
            if !self.path.is_dir() {
                continue;
            }
            self.signal.lost.store(false, Ordering::Relaxed);
            match watch(&self.path, &self.signal) {
                Ok(watcher) => {
                    self.watcher = watcher;
                    return;
                }
                Err(error) => tracing::debug!(error = format!("{error:#}"), "not watched yet"),
            }
        }
    }
}

impl std::fmt::Debug for Folder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Folder")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// By what the system tells, else by looking.
fn watch(path: &Path, signal: &Arc<Signal>) -> anyhow::Result<Box<dyn Watcher + Send>> {
    let told = notify::recommended_watcher(handler(path, signal)).and_then(|mut watcher| {
        watcher.watch(path, RecursiveMode::Recursive)?;
        Ok(watcher)
    });
    match told {
        Ok(watcher) => Ok(Box::new(watcher)),
        Err(error) => {
            tracing::info!(%error, every = ?POLL, "the system does not tell of changes; looking for them");
            Ok(Box::new(look(path, signal)?))
        }
    }
}

fn look(path: &Path, signal: &Arc<Signal>) -> anyhow::Result<PollWatcher> {
    let config = Config::default()
        .with_poll_interval(POLL)
        .with_compare_contents(true);
    let mut watcher = PollWatcher::new(handler(path, signal), config)?;
    watcher
        .watch(path, RecursiveMode::Recursive)
        .with_context(|| format!("{} cannot be watched", path.display()))?;
    Ok(watcher)
}

fn handler(
    path: &Path,
    signal: &Arc<Signal>,
) -> impl FnMut(notify::Result<Event>) + Send + 'static {
    let (path, signal) = (path.to_owned(), signal.clone());
    move |event| {
        if event.as_ref().is_ok_and(|event| loses(event, &path)) {
            signal.lost.store(true, Ordering::Relaxed);
        }
        // after an error something may have been missed
        if event.as_ref().map_or(true, is_change) {
            signal.changed.notify_one();
        }
    }
}

/// Reading is no change; our own would never end.
fn is_change(event: &Event) -> bool {
    match event.kind {
        EventKind::Access(AccessKind::Close(AccessMode::Write)) => true,
        EventKind::Access(_) => event.need_rescan(),
        _ => true,
    }
}

/// Whether the folder itself went away.
fn loses(event: &Event, folder: &Path) -> bool {
    let moves = matches!(
        event.kind,
        EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_))
    );
    moves && event.paths.iter().any(|path| path == folder)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tokio::time::timeout;

    use super::*;

    /// Where the system tells nothing: a change is seen all the same, and reading is none.
    #[tokio::test]
    async fn looking_sees_changes() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.yaml");
        fs::write(&file, "a: 1\n").unwrap();
        let signal = Arc::new(Signal::default());
        let watcher = Box::new(look(folder.path(), &signal).unwrap());
        let mut folder = Folder {
            path: folder.path().to_owned(),
            signal,
            watcher,
        };
        // its first look is none at changes
        let _ = timeout(3 * POLL, folder.changed()).await;
        fs::read_to_string(&file).unwrap();
        timeout(3 * POLL, folder.changed()).await.unwrap_err();
        fs::write(&file, "a: 2\n").unwrap();
        timeout(10 * POLL, folder.changed()).await.unwrap();
    }
}
