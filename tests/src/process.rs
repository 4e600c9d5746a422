//! One server process: its log, whether it still runs, when it is ready, its end.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use tokio::time::{Instant, sleep};

use crate::spawner;

/// Generous: the machine may be compiling at the same time.
const READY_WITHIN: Duration = Duration::from_mins(1);
/// Longer than any drain of a test.
const END_WITHIN: Duration = Duration::from_secs(40);
const POLL: Duration = Duration::from_millis(50);
/// How much of a log goes into an error.
const TAIL_LINES: usize = 25;

/// A running server. Dropping it kills it and waits for its end.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    log: PathBuf,
    child: Child,
}

/// Where the logs of a cluster in `folder` go.
pub(crate) fn log_folder(folder: &Path) -> PathBuf {
    folder.join("log")
}

// === impl Process ===

impl Process {
    /// Starts `program` with its output appended to the log of that name, so that a restart keeps what came before.
    pub(crate) fn spawn(
        name: &str,
        program: &Path,
        args: &[String],
        folder: &Path,
    ) -> Result<Self> {
        Self::spawn_with(name, program, args, &[], folder)
    }

    /// [`Process::spawn`] with more in its environment.
    pub(crate) fn spawn_with(
        name: &str,
        program: &Path,
        args: &[String],
        environment: &[(&str, String)],
        folder: &Path,
    ) -> Result<Self> {
        let log = log_folder(folder).join(format!("{name}.log"));
        let output = File::options().create(true).append(true).open(&log)?;
        let mut command = spawner::command(program);
        command
            .args(args)
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            // Ctrl-C in a terminal goes to the whole group; the order of the end is ours.
            .process_group(0);
        let child = spawner::spawn(command)
            .with_context(|| format!("{} does not run", program.display()))?;
        let name = name.to_owned();
        Ok(Self { name, log, child })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Asks it to end, and waits until it has; its exit code.
    pub(crate) async fn terminate(&mut self) -> Result<Option<i32>> {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-s", "TERM", &id]).status()?;
        let deadline = Instant::now() + END_WITHIN;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status.code());
            }
            if Instant::now() > deadline {
                bail!(
                    "{} does not end within {END_WITHIN:?}:\n{}",
                    self.name,
                    self.tail()
                );
            }
            sleep(POLL).await;
        }
    }

    /// Ends it as a crash would.
    pub(crate) fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits until `probe` succeeds; fails with the end of the log when the process ends or takes too long.
    pub(crate) async fn ready(&mut self, probe: impl AsyncFn() -> Result<()>) -> Result<()> {
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended with {status}:\n{}", self.name, self.tail());
            }
            match probe().await {
                Ok(()) => return Ok(()),
                Err(error) if Instant::now() > deadline => {
                    let message = format!(
                        "{} is not ready after {READY_WITHIN:?}:\n{}",
                        self.name,
                        self.tail()
                    );
                    return Err(error.context(anyhow!(message)));
                }
                Err(_) => sleep(POLL).await,
            }
        }
    }

    fn tail(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
