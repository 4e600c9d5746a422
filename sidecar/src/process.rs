//! The life of the process: checks the settings, starts the runtime, waits for a signal, drains.

use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use anyhow::Context;
use fkm_telemetry::logs;
use tokio::signal::unix::{SignalKind, signal};

use crate::app::Running;
use crate::args::{Args, EXIT_USAGE, LogFormat, Settings};

/// More threads than this do not make a proxy beside one pod faster.
const MAX_THREADS: usize = 4;

/// How long blocking work that nobody waits for any more may take.
const LEFT_OVERS: Duration = Duration::from_secs(1);

/// How long the last spans may take to leave.
const FLUSH: Duration = Duration::from_secs(2);

/// Runs the sidecar until SIGTERM or SIGINT.
pub fn run(args: &Args) -> ExitCode {
    let settings = match args.validate() {
        Ok(settings) => settings,
        Err(mistakes) => return usage(&mistakes),
    };
    let threads = match args.worker_threads {
        // Follows the cgroup's quota, not the node's cores.
        0 => thread::available_parallelism()
            .map_or(1, usize::from)
            .min(MAX_THREADS),
        given => given,
    };
    let mut builder = match threads {
        1 => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    match builder.worker_threads(threads).enable_all().build() {
        Ok(runtime) => {
            let code = runtime.block_on(serve(args, &settings));
            // A name look-up that hangs must not keep the process.
            runtime.shutdown_timeout(LEFT_OVERS);
            code
        }
        Err(error) => {
            complain(&format!("cannot start the runtime: {error}"));
            ExitCode::FAILURE
        }
    }
}

async fn serve(args: &Args, settings: &Settings) -> ExitCode {
    let guard = match logs::init(&telemetry(args)) {
        Ok(guard) => guard,
        Err(error) => return usage(&[describe(&error.into())]),
    };
    let code = match until_signal(settings).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = describe(&error), "the sidecar ends");
            ExitCode::FAILURE
        }
    };
    // Blocks, and the exporter needs this runtime meanwhile.
    let flushed = tokio::task::spawn_blocking(move || guard.shutdown(FLUSH)).await;
    if let Ok(Err(error)) = flushed {
        tracing::warn!(%error, "the last traces are lost");
    }
    code
}

async fn until_signal(settings: &Settings) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be handled")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be handled")?;
    let running = Running::start(settings).await?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    running.shut_down().await;
    Ok(())
}

/// Spans of exchanges are for the trace exporter; log lines carry what they need themselves.
fn telemetry(args: &Args) -> logs::Settings {
    logs::Settings {
        service_name: "fkm-sidecar".to_owned(),
        service_version: env!("CARGO_PKG_VERSION").to_owned(),
        log_filter: format!("{},fkm_span=off", args.log),
        format: match args.log_format {
            LogFormat::Auto => logs::LogFormat::Auto,
            LogFormat::Json => logs::LogFormat::Json,
            LogFormat::Text => logs::LogFormat::Text,
        },
        otlp_endpoint: args.otlp_endpoint.clone(),
        resource: Vec::new(),
    }
}

fn usage(mistakes: &[String]) -> ExitCode {
    for mistake in mistakes {
        complain(mistake);
    }
    ExitCode::from(EXIT_USAGE)
}

#[expect(
    clippy::print_stderr,
    reason = "before logs are started there is no other place"
)]
fn complain(text: &str) {
    eprintln!("fkm-sidecar: {text}");
}

fn describe(error: &anyhow::Error) -> String {
    format!("{error:#}")
}
