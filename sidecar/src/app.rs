//! The one file that knows all parts: binds, builds, serves, drains.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use fkm_telemetry::metrics::Registry;
use thiserror::Error;

use crate::args::{Settings, Source};
use crate::context::Context;
use crate::metrics::Metrics;
use crate::server::listener::Listener;
use crate::server::{admin, probes};
use crate::signin::SignIns;
use crate::snapshot_source::file::{self, FileError};
use crate::snapshot_source::push;
use crate::stack;
use crate::steps::accept::BodyBudget;
use crate::store::Store;
use crate::task::Tasks;
use crate::upstream::client::Clients;
use crate::upstream::dialer::Surroundings;
use crate::upstream::tls::Roots;
pub use crate::upstream::tls::RootsError;

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
    context: Arc<Context>,
    addresses: Addresses,
    drain: Duration,
}

/// Why a sidecar did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// An address is taken or not ours.
    #[error("cannot start")]
    Listen(#[source] io::Error),
    /// A file of certificates cannot be used.
    #[error("cannot start")]
    Roots(#[from] RootsError),
    /// The snapshot file or one of its keys cannot be used.
    #[error("the snapshot file cannot be served")]
    File(#[from] FileError),
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
        let roots = Roots::load(&settings.network)?;
        let context = Arc::new(build(&addresses, settings, roots));
        start_source(&context, &settings.source)?;
        for listener in llm {
            let context = context.clone();
            listener.spawn(&context.tasks.clone(), move |request| {
                let context = context.clone();
                async move { stack::serve(&context, request).await }
            });
        }
        for listener in admin {
            let context = context.clone();
            listener.spawn(&context.tasks.clone(), move |request| {
                std::future::ready(admin::answer(&context, &request))
            });
        }
        let probed = context.clone();
        probe.spawn(&context.tasks, move |request| {
            std::future::ready(probes::answer(&probed, &request))
        });
        tracing::info!(llm = ?addresses.llm, admin = ?addresses.admin, probe = %addresses.probe, "listening");
        Ok(Self {
            context,
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
        &self.context.store
    }

    /// The spawner, for what runs beside the sidecar in the same process.
    pub fn tasks(&self) -> &Tasks {
        &self.context.tasks
    }

    /// Stops accepting, lets running exchanges finish up to the drain deadline, tells the others. Returns whether all
    /// finished by themselves.
    pub async fn shut_down(self) -> bool {
        tracing::info!(deadline = ?self.drain, "draining");
        let clean = self.context.tasks.shut_down(self.drain).await;
        tracing::info!(clean, "stopped");
        clean
    }
}

fn build(addresses: &Addresses, settings: &Settings, roots: Roots) -> Context {
    let mut registry = Registry::default();
    let metrics = Metrics::register(&mut registry);
    let own_ports = addresses
        .llm
        .iter()
        .chain(&addresses.admin)
        .map(SocketAddr::port)
        .chain([addresses.probe.port()]);
    let clients = Clients::new(Surroundings {
        settings: settings.network.clone(),
        roots,
        own_ports: own_ports.collect(),
    });
    let tasks = Tasks::default();
    let sign_ins = SignIns::new(
        settings.ambient.clone(),
        metrics.sign_ins.clone(),
        tasks.clone(),
    );
    Context {
        store: Arc::new(Store::new(
            clients,
            sign_ins,
            metrics.clone(),
            tasks.clone(),
        )),
        bodies: BodyBudget::new(metrics.clone()),
        tasks,
        metrics,
        registry,
    }
}

fn start_source(context: &Arc<Context>, source: &Source) -> Result<(), StartError> {
    match source {
        Source::File { path, secrets } => file::load(&context.store, path, secrets)?,
        Source::Push(settings) => push::spawn(context, settings.clone()),
        Source::Embedded => {}
    }
    Ok(())
}
