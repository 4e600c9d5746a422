//! The composition root: the only file that knows all parts, and in which order they start and end.
//!
//! *Flow*: listeners → client → CA → watches → compiler, report, events → the push listener, once every pod has its
//! standing. At the end everything is asked to stop at the same time: report and compiler at once, so that nobody takes
//! closing streams for missing sidecars; streams with `Unavailable`; events when they are written.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use fkm_telemetry::metrics::Registry;
use fkm_telemetry::names;
use kube::{Client, Config};
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::admin::{Pages, Readiness};
use crate::args::Settings;
use crate::assignment::{Acknowledgements, Assignments};
use crate::events::{EventWriter, Notices};
use crate::group::{Compiler, Outcome};
use crate::metrics::{GroupMetrics, SecretMetrics, WatchMetrics, WriteMetrics};
use crate::push::{
    Authenticator, Incident, Incidents, KubeReviewer, PushMetrics, PushServer, ServeError,
    ServingCertificate, Timings, TrustError, load_or_create_ca, service_names,
};
use crate::report::Report;
use crate::revision::Revisions;
use crate::secrets::SecretReader;
use crate::task::{Tasks, Unfinished};
use crate::watch::{Changes, watches};

/// TCP and TLS to the API server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Pause before the CA is asked for again.
const TRUST_RETRY: Duration = Duration::from_secs(2);

/// The running operator.
#[derive(Debug)]
pub struct App {
    tasks: Tasks,
    readiness: Readiness,
    push_address: SocketAddr,
    admin_address: SocketAddr,
    failures: mpsc::Receiver<ServeError>,
}

/// Something without which the operator is none.
#[derive(Debug, Error)]
pub enum Failure {
    /// No sidecar can connect.
    #[error("sidecars cannot be served")]
    Serve(#[from] ServeError),
    /// A part of the operator is gone.
    #[error("task {0:?} panicked")]
    Panic(&'static str),
}

/// Why the operator does not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// An address that is taken or not ours.
    #[error("cannot listen on {address}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Nothing says where the API server is.
    #[error("no way to the API server: neither a service account of this pod nor a kubeconfig")]
    Infer(#[source] kube::config::InferConfigError),
    /// What says it cannot be used.
    #[error("no client for the API server")]
    Client(#[source] kube::Error),
}

/// Metrics of every component.
struct Metrics {
    watch: WatchMetrics,
    secret: SecretMetrics,
    group: GroupMetrics,
    write: WriteMetrics,
    push: PushMetrics,
}

/// What the parts talk to each other through.
#[derive(Clone)]
struct Tables {
    changes: Changes,
    assignments: Assignments,
    acknowledgements: Acknowledgements,
}

// === impl App ===

impl App {
    /// Starts against the API server that the environment names.
    pub async fn start(settings: Settings) -> Result<Self, StartError> {
        let config = Config::infer().await.map_err(StartError::Infer)?;
        Self::start_with(settings, config).await
    }

    /// Starts against this API server. Returns when the listeners are bound; readiness comes later.
    pub async fn start_with(settings: Settings, mut config: Config) -> Result<Self, StartError> {
        // Its own retries wait up to 1000 s and know no deadline; everybody here has retries of his own.
        config.default_retry = false;
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        let client = Client::try_from(config).map_err(StartError::Client)?;
        let (admin, admin_address) = listen(settings.admin_address).await?;
        let (push, push_address) = listen(settings.push_address).await?;

        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry);
        let (tasks, readiness) = (Tasks::new(), Readiness::default());
        serve_admin(
            Pages::new(readiness.clone(), Arc::new(registry)),
            admin,
            &tasks,
        );

        let (incidents, refused) = Incidents::channel(metrics.push.clone());
        let tables = Tables {
            changes: Changes::new(),
            assignments: Assignments::new(),
            acknowledgements: Acknowledgements::new(),
        };
        let outcomes = start_control(
            &settings,
            &client,
            &tables,
            (refused, &metrics),
            (&tasks, &readiness),
        );
        let (failed, failures) = mpsc::channel(1);
        let server = PushServer {
            authenticator: Authenticator::new(Arc::new(KubeReviewer::new(client.clone()))),
            assignments: tables.assignments,
            acknowledgements: tables.acknowledgements,
            incidents,
            metrics: metrics.push,
            timings: Timings::default(),
            tasks: tasks.clone(),
        };
        let serving = serve_push(
            server,
            push,
            (client, settings),
            outcomes,
            (readiness.clone(), tasks.stopping()),
        );
        tasks.spawn("push", async move {
            if let Err(error) = serving.await {
                // The receiver is gone only when the process is ending anyway.
                let _ = failed.send(error).await;
            }
        });
        info!(%push_address, %admin_address, "started");
        Ok(Self {
            tasks,
            readiness,
            push_address,
            admin_address,
            failures,
        })
    }

    /// Where sidecars connect.
    pub fn push_address(&self) -> SocketAddr {
        self.push_address
    }

    /// Where probes and metrics are.
    pub fn admin_address(&self) -> SocketAddr {
        self.admin_address
    }

    /// Waits for something to fail without which the operator is none.
    pub async fn failed(&mut self) -> Failure {
        tokio::select! {
            Some(failure) = self.failures.recv() => failure.into(),
            task = self.tasks.panicked() => Failure::Panic(task),
        }
    }

    /// Ends everything in good order; what has not ended by then is dropped.
    pub async fn stop(self, deadline: Duration) -> Result<(), Unfinished> {
        self.readiness.set_draining();
        self.tasks.finish(deadline).await
    }
}

// === impl Metrics ===

impl Metrics {
    fn register(registry: &mut Registry) -> Self {
        let registry = registry.sub_registry_with_prefix(names::METRIC_PREFIX);
        let registry = registry.sub_registry_with_prefix("operator");
        Self {
            watch: WatchMetrics::register(registry),
            secret: SecretMetrics::register(registry),
            group: GroupMetrics::register(registry),
            write: WriteMetrics::register(registry),
            push: PushMetrics::register(registry),
        }
    }
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let bound = async {
        let listener = TcpListener::bind(address).await?;
        let local = listener.local_addr()?;
        Ok((listener, local))
    };
    bound
        .await
        .map_err(|source| StartError::Listen { address, source })
}

fn serve_admin(pages: Pages, listener: TcpListener, tasks: &Tasks) {
    let (stopping, connections) = (tasks.stopping(), tasks.clone());
    let spawn = move |connection| {
        let stopping = connections.stopping();
        connections.spawn("admin connection", until(stopping, connection));
    };
    tasks.spawn("admin", until(stopping, pages.serve(listener, spawn)));
}

/// Starts everything that reads from and writes to the API server.
fn start_control(
    settings: &Settings,
    client: &Client,
    tables: &Tables,
    (refused, metrics): (mpsc::Receiver<Incident>, &Metrics),
    (tasks, readiness): (&Tasks, &Readiness),
) -> watch::Receiver<Arc<Outcome>> {
    let (stores, watches) = watches(client, settings, &tables.changes, &metrics.watch);
    for watch in watches {
        tasks.spawn(watch.name, until(tasks.stopping(), watch.run));
    }
    let metadata = stores.secrets.clone();
    let secrets = SecretReader::new(
        client.clone(),
        metadata,
        tables.changes.clone(),
        metrics.secret.clone(),
    );
    tasks.spawn("secrets", until(tasks.stopping(), secrets.clone().run()));

    let (notices, told) = Notices::channel();
    let events = EventWriter::new(
        client.clone(),
        stores.pods.clone(),
        told,
        refused,
        metrics.write.clone(),
    );
    tasks.spawn("events", events.run(tasks.stopping()));
    let outcomes = watch::Sender::new(Arc::default());
    let (results, report_results) = (outcomes.subscribe(), outcomes.subscribe());
    let compiler = Compiler {
        stores: stores.clone(),
        secrets,
        revisions: Revisions::new(client.clone(), &settings.namespace, metrics.write.clone()),
        judge: settings.judge.clone(),
        changes: tables.changes.clone(),
        assignments: tables.assignments.clone(),
        outcomes,
        readiness: readiness.clone(),
        metrics: metrics.group.clone(),
    };
    tasks.spawn("compiler", compiler.run(tasks.stopping()));
    let report = Report {
        client: client.clone(),
        stores,
        outcomes: report_results,
        acknowledgements: tables.acknowledgements.clone(),
        notices,
        metrics: metrics.write.clone(),
    };
    tasks.spawn("report", report.run(tasks.stopping()));
    results
}

/// Serves sidecars once there is something to say to them.
async fn serve_push(
    server: PushServer,
    listener: TcpListener,
    (client, settings): (Client, Settings),
    mut outcomes: watch::Receiver<Arc<Outcome>>,
    (readiness, stopping): (Readiness, CancellationToken),
) -> Result<(), ServeError> {
    let prepared = async {
        let certificate = certificate(client, &settings).await;
        // The first outcome follows the first publication.
        outcomes.changed().await.ok().map(|()| certificate)
    };
    let Some(Some(certificate)) = stopping.run_until_cancelled(prepared).await else {
        return Ok(());
    };
    readiness.set_listening();
    info!("serving sidecars");
    server.serve(listener, &certificate).await
}

/// The certificate of the push listener, from the CA of all replicas. Asks until it has it.
async fn certificate(client: Client, settings: &Settings) -> ServingCertificate {
    let mut names = service_names(&settings.namespace);
    names.extend(settings.extra_sans.iter().cloned());
    loop {
        let now = SystemTime::now();
        let issued = async {
            let ca = load_or_create_ca(client.clone(), &settings.namespace, now).await?;
            ca.issue(&names, now)
        };
        match issued.await {
            Ok(certificate) => return certificate,
            Err(error) => trust_failed(&error),
        }
        sleep(TRUST_RETRY).await;
    }
}

fn trust_failed(error: &TrustError) {
    warn!(
        error = error as &dyn std::error::Error,
        "no certificate for the push listener yet; trying again"
    );
}

/// Runs it until the process is to end.
async fn until(stopping: CancellationToken, task: impl Future<Output = ()>) {
    let _ = stopping.run_until_cancelled_owned(task).await;
}
