//! `fkm dev`: compile and sidecar in one process, fed from a folder.
//!
//! *Flow*: the folder is [read](reload) → its objects are kept as an API server [keeps](objects) them → compiled for one
//! [pod](build) → applied to the sidecar's store. Any change of the [folder] begins anew.

mod build;
mod changes;
mod folder;
mod found;
mod objects;
mod reload;
mod settings;

use std::thread;

use anyhow::Context;
use fkm_sidecar::app::Running;
use fkm_sidecar::args::LogFormat;
use fkm_telemetry::logs;
use tokio::signal::unix::{SignalKind, signal};

use crate::args::DevArgs;
use crate::exit::{Exit, complain};
use folder::Folder;
use reload::Reloader;
use settings::Settings;

/// More threads than this do not make a proxy for one person faster.
const MAX_THREADS: usize = 4;

/// Serves until SIGTERM or SIGINT.
pub(crate) fn run(args: &DevArgs) -> Exit {
    let mut mistakes = Vec::new();
    let settings = settings::check(args, &mut mistakes);
    if let Err(error) = logs::init(&telemetry(args)) {
        mistakes.push(format!("--log: {:#}", anyhow::Error::from(error)));
    }
    let Some(settings) = settings.filter(|_| mistakes.is_empty()) else {
        for mistake in &mistakes {
            complain(mistake);
        }
        return Exit::Usage;
    };
    match serve(&settings) {
        Ok(()) => Exit::Ok,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "fkm dev ends");
            Exit::Failed
        }
    }
}

fn serve(settings: &Settings) -> anyhow::Result<()> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads.min(MAX_THREADS))
        .enable_all()
        .build()
        .context("the runtime cannot be started")?;
    runtime.block_on(until_signal(settings))
}

async fn until_signal(settings: &Settings) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be handled")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be handled")?;
    // before the first reading, so that no change falls between the two
    let folder = Folder::watch(&settings.folder)?;
    let running = Running::start(&settings.sidecar).await?;
    let reloader = Reloader::new(settings, running.store().clone());
    let ended = tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
        result = keep_up(reloader, folder) => result,
    };
    running.shut_down().await;
    ended
}

/// Reads the folder now and after every change. Returns only when reading broke down.
async fn keep_up(mut reloader: Reloader, mut folder: Folder) -> anyhow::Result<()> {
    loop {
        let reload = move || {
            reloader.reload();
            reloader
        };
        reloader = tokio::task::spawn_blocking(reload)
            .await
            .context("reading the folder broke down")?;
        folder.changed().await;
    }
}

/// Spans of exchanges are for a trace exporter, which is not here; what the store tells of a good snapshot is told with
/// what changed.
fn telemetry(args: &DevArgs) -> logs::Settings {
    logs::Settings {
        service_name: "fkm".to_owned(),
        service_version: env!("CARGO_PKG_VERSION").to_owned(),
        log_filter: format!("{},fkm_span=off,fkm_sidecar::store=warn", args.log),
        format: match args.log_format {
            LogFormat::Auto => logs::LogFormat::Auto,
            LogFormat::Json => logs::LogFormat::Json,
            LogFormat::Text => logs::LogFormat::Text,
        },
        otlp_endpoint: None,
        resource: Vec::new(),
    }
}
