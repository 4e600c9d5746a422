//! A process of the bench: its log, when it is ready, its end.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::time::Instant;

const READY_WITHIN: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(5);

/// A running program. Dropping it kills it and waits for its end; it also dies with the thread that started it.
#[derive(Debug)]
pub struct Process {
    name: String,
    log: PathBuf,
    child: Child,
}

/// A command that dies with this process where `setpriv` is there to arrange it.
pub fn command(program: &Path) -> Command {
    const SETPRIV: &str = "/usr/bin/setpriv";
    if !Path::new(SETPRIV).exists() {
        return Command::new(program);
    }
    let mut command = Command::new(SETPRIV);
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

/// A port of 127.0.0.1 that was free a moment ago.
pub fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// Runs a command to its end; kills it when it takes longer than `within`.
pub fn run(command: &mut Command, within: Duration) -> Result<Output> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("{command:?} does not run"))?;
    let deadline = Instant::now() + within;
    // Its output is a few lines, so the pipes do not fill up meanwhile.
    while child.try_wait()?.is_none() {
        if Instant::now() > deadline {
            child.kill()?;
            child.wait()?;
            bail!("{command:?} did not end within {within:?}");
        }
        sleep(POLL);
    }
    Ok(child.wait_with_output()?)
}

// === impl Process ===

impl Process {
    /// Starts it, with its output in `folder/NAME.log`, and waits until it accepts connections at `address`.
    pub fn start(
        name: &str,
        command: &mut Command,
        folder: &Path,
        address: SocketAddr,
    ) -> Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let output = File::create(&log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()
            .with_context(|| format!("{command:?} does not run"))?;
        let mut process = Self {
            name: name.to_owned(),
            log,
            child,
        };
        process.wait_ready(address)?;
        Ok(process)
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Fails, with its log, where it has ended.
    pub fn check(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => bail!("{} ended with {status}:\n{}", self.name, self.log()),
        }
    }

    fn wait_ready(&mut self, address: SocketAddr) -> Result<()> {
        let deadline = Instant::now() + READY_WITHIN;
        while TcpStream::connect(address).is_err() {
            self.check()?;
            if Instant::now() > deadline {
                bail!(
                    "{} does not listen on {address} after {READY_WITHIN:?}:\n{}",
                    self.name,
                    self.log()
                );
            }
            sleep(POLL);
        }
        Ok(())
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Where these fail, it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
