//! The one file that knows all parts: binds, builds, serves, drains.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use fkm_telemetry::metrics::Registry;
use prometheus_client::metrics::gauge::Gauge;
use thiserror::Error;

use crate::args::{Settings, Source};
use crate::metrics::Metrics;
use crate::server::listener::Listener;
use crate::server::{admin, probes};
use crate::snapshot_source::file::{self, FileError};
use crate::snapshot_source::push;
use crate::stack;
use crate::steps::accept::BodyBudget;
use crate::store::Store;
use crate::task::Tasks;
use crate::upstream::client::Clients;

/// What the steps share.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) store: Arc<Store>,
    pub(crate) metrics: Metrics,
    pub(crate) registry: Registry,
    pub(crate) bodies: BodyBudget,
    pub(crate) tasks: Tasks,
}

/// Where a running sidecar listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    /// LLM traffic.
    pub llm: Vec<SocketAddr>,
    /// Config dump.
    pub admin: Vec<SocketAddr>,
    /// Probes and metrics.
    pub probe: SocketAddr,
}

/// A sidecar that serves.
#[derive(Debug)]
pub struct Running {
    app: Arc<App>,
    addresses: Addresses,
    drain: Duration,
}

/// Why a sidecar did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// An address is taken or not ours.
    #[error("cannot start")]
    Listen(#[source] io::Error),
    /// The snapshot file or one of its keys cannot be used.
    #[error("the snapshot file cannot be served")]
    File(#[from] FileError),
}

/// Counts an exchange for as long as it runs.
pub(crate) struct InFlight(Gauge);

// === impl App ===

impl App {
    pub(crate) fn in_flight(&self) -> InFlight {
        self.metrics.in_flight.inc();
        InFlight(self.metrics.in_flight.clone())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

// === impl Running ===

impl Running {
    /// Binds every listener, takes the first snapshot where it is at hand, and serves.
    pub async fn start(settings: &Settings) -> Result<Self, StartError> {
        let llm = Listener::bind_all("LLM traffic", &settings.listen)
            .await
            .map_err(StartError::Listen)?;
        let admin = Listener::bind_all("admin", &settings.admin_listen)
            .await
            .map_err(StartError::Listen)?;
        let probe = Listener::bind("probes", settings.probe_listen)
            .await
            .map_err(StartError::Listen)?;
        let addresses = Addresses {
            llm: llm.iter().map(Listener::address).collect(),
            admin: admin.iter().map(Listener::address).collect(),
            probe: probe.address(),
        };
        let app = Arc::new(build(&addresses));
        start_source(&app, &settings.source)?;
        for listener in llm {
            let app = app.clone();
            listener.spawn(&app.tasks.clone(), move |request| {
                let app = app.clone();
                async move { stack::serve(&app, request).await }
            });
        }
        for listener in admin {
            let app = app.clone();
            listener.spawn(&app.tasks.clone(), move |request| {
                std::future::ready(admin::answer(&app, &request))
            });
        }
        let probed = app.clone();
        probe.spawn(&app.tasks, move |request| {
            std::future::ready(probes::answer(&probed, &request))
        });
        tracing::info!(llm = ?addresses.llm, admin = ?addresses.admin, probe = %addresses.probe, "listening");
        Ok(Self {
            app,
            addresses,
            drain: settings.drain,
        })
    }

    /// Where it listens.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Where snapshots are handed in.
    pub fn store(&self) -> &Arc<Store> {
        &self.app.store
    }

    /// The spawner, for what runs beside the sidecar in the same process.
    pub fn tasks(&self) -> &Tasks {
        &self.app.tasks
    }

    /// Stops accepting, lets running exchanges finish up to the drain deadline, tells the others. Returns whether all
    /// finished by themselves.
    pub async fn shut_down(self) -> bool {
        tracing::info!(deadline = ?self.drain, "draining");
        let clean = self.app.tasks.shut_down(self.drain).await;
        tracing::info!(clean, "stopped");
        clean
    }
}

fn build(addresses: &Addresses) -> App {
    let mut registry = Registry::default();
    let metrics = Metrics::register(&mut registry);
    let own_ports = addresses
        .llm
        .iter()
        .chain(&addresses.admin)
        .map(SocketAddr::port)
        .chain([addresses.probe.port()]);
    let clients = Clients::new(own_ports.collect());
    App {
        store: Arc::new(Store::new(clients, metrics.clone())),
        bodies: BodyBudget::new(metrics.clone()),
        tasks: Tasks::default(),
        metrics,
        registry,
    }
}

fn start_source(app: &Arc<App>, source: &Source) -> Result<(), StartError> {
    match source {
        Source::File { path, secrets } => file::load(&app.store, path, secrets)?,
        Source::Push(settings) => push::spawn(app, settings.clone()),
        Source::Embedded => {}
    }
    Ok(())
}
