//! The life of the process: settings → telemetry → start → wait for a signal → drain → exit code.

use std::process::ExitCode;
use std::time::Duration;

use fkm_telemetry::logs;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tracing::{error, info, warn};

use crate::app::App;
use crate::args::{Args, EXIT_USAGE, Settings};

/// How long streams and writes get to end; below the 30 s that a pod is given.
const DRAIN: Duration = Duration::from_secs(10);
/// How long the last spans get to be delivered.
const FLUSH: Duration = Duration::from_secs(3);

/// Answers what clap did not take, or `--help` and `--version`.
pub fn refuse(error: &clap::Error) -> ExitCode {
    // Nothing can be done for whoever closed the output.
    let _ = error.print();
    if error.use_stderr() {
        ExitCode::from(EXIT_USAGE)
    } else {
        ExitCode::SUCCESS
    }
}

/// Runs the operator until SIGTERM or SIGINT.
pub fn run(args: &Args) -> ExitCode {
    let settings = match Settings::try_from(args) {
        Ok(settings) => settings,
        Err(invalid) => return complain(&invalid.to_string(), EXIT_USAGE),
    };
    let runtime = match Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(&format!("the runtime does not start: {error}"), 1),
    };
    let telemetry = match runtime.block_on(async { logs::init(&telemetry(args)) }) {
        Ok(guard) => guard,
        Err(error) => return complain(&error.to_string(), EXIT_USAGE),
    };
    let code = runtime.block_on(serve(settings));
    if let Err(error) = telemetry.shutdown(FLUSH) {
        warn!(
            error = &error as &dyn std::error::Error,
            "telemetry not flushed"
        );
    }
    end(runtime);
    code
}

async fn serve(settings: Settings) -> ExitCode {
    let (mut term, mut int) = match (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) {
        (Ok(term), Ok(int)) => (term, int),
        (Err(error), _) | (_, Err(error)) => {
            error!(%error, "signals cannot be received");
            return ExitCode::FAILURE;
        }
    };
    let mut app = match App::start(settings).await {
        Ok(app) => app,
        Err(error) => {
            error!(
                error = &error as &dyn std::error::Error,
                "operator does not start"
            );
            return ExitCode::FAILURE;
        }
    };
    let failure = tokio::select! {
        _ = term.recv() => None,
        _ = int.recv() => None,
        failure = app.failed() => Some(failure),
    };
    info!("stopping");
    if let Err(unfinished) = app.stop(DRAIN).await {
        warn!(
            error = &unfinished as &dyn std::error::Error,
            "not everything ended in time"
        );
    }
    match failure {
        None => ExitCode::SUCCESS,
        Some(error) => {
            error!(error = &error as &dyn std::error::Error, "operator failed");
            ExitCode::FAILURE
        }
    }
}

fn telemetry(args: &Args) -> logs::Settings {
    logs::Settings {
        service_name: crate::NAME.to_owned(),
        service_version: env!("CARGO_PKG_VERSION").to_owned(),
        log_filter: args.log.clone(),
        format: args.log_format,
        otlp_endpoint: args.otlp_endpoint.clone(),
        resource: Vec::new(),
    }
}

/// What still blocks is left behind: the process ends anyway.
fn end(runtime: Runtime) {
    runtime.shutdown_timeout(Duration::from_secs(1));
}

#[expect(clippy::print_stderr, reason = "there is no log yet")]
fn complain(message: &str, code: u8) -> ExitCode {
    eprintln!("fkm-operator: {message}");
    ExitCode::from(code)
}
