//! The fault upstream as a program, for tests in other languages and for trying things by hand.
#![expect(
    clippy::print_stdout,
    reason = "its one line of output is its interface"
)]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Parser;
use fkm_upstream::{Options, Step, Upstream};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

/// A scripted LLM provider on loopback.
///
/// Prints one JSON line with its addresses (`baseUrl`, `control`) and runs until SIGTERM or Ctrl-C. Orders are taken on
/// the control address: GET /__requests, POST /__script, /__default, /__reset, /__refuse, /__reopen.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Where the provider listens; port 0 is a free one
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Where orders are taken
    #[arg(long, default_value = "127.0.0.1:0")]
    control: SocketAddr,
    /// A JSON array of steps, one for each coming POST
    #[arg(long)]
    script: Option<PathBuf>,
    /// One step as JSON, for when the script is at its end
    #[arg(long)]
    default: Option<String>,
    /// Closes a connection that is idle for so many milliseconds
    #[arg(long)]
    idle_close_millis: Option<u64>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let args = Args::parse();
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut options = Options {
        listen: args.listen,
        control: Some(args.control),
        idle_close: args.idle_close_millis.map(Duration::from_millis),
        ..Options::default()
    };
    if let Some(step) = &args.default {
        options.default = serde_json::from_str(step).context("--default is no step")?;
    }
    let upstream = Upstream::start_with(options).await?;
    if let Some(path) = &args.script {
        let text = std::fs::read(path).with_context(|| path.display().to_string())?;
        let steps: Vec<Step> = serde_json::from_slice(&text)
            .with_context(|| format!("{} is no script", path.display()))?;
        upstream.script(steps);
    }
    println!(
        "{}",
        json!({"baseUrl": upstream.base_url(), "control": upstream.control_url()})
    );
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
