//! Starts child processes from a thread that lives as long as this process.
//!
//! The kernel sends a child its death signal when the *thread* that started it ends, not the process: started from a
//! test's own thread, a cluster that several tests share would die with the first of them.

use std::io;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use anyhow::{Context, Result};

type Order = (Command, SyncSender<io::Result<Child>>);

static SPAWNER: LazyLock<SyncSender<Order>> = LazyLock::new(|| {
    let (orders, received) = sync_channel(1);
    thread::spawn(move || serve(&received));
    orders
});

/// A command for `program` that dies with this process where `setpriv` is there to arrange it.
pub(crate) fn command(program: &Path) -> Command {
    const SETPRIV: &str = "/usr/bin/setpriv";
    if !Path::new(SETPRIV).exists() {
        return Command::new(program);
    }
    let mut command = Command::new(SETPRIV);
    command.args(["--pdeathsig", "KILL", "--"]).arg(program);
    command
}

/// Starts the command; blocks only for as long as the kernel takes.
pub(crate) fn spawn(command: Command) -> Result<Child> {
    let (reply, replied) = sync_channel(1);
    SPAWNER
        .send((command, reply))
        .context("the spawning thread is gone")?;
    Ok(replied.recv().context("the spawning thread is gone")??)
}

fn serve(orders: &Receiver<Order>) {
    while let Ok((mut command, reply)) = orders.recv() {
        let _ = reply.send(command.spawn());
    }
}
