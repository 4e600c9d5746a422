//! A real kube-apiserver with its etcd, on loopback, for one test or for `make cluster`.
//!
//! Flow: programs (built once per machine) → keys and certificates → etcd → API server → optionally the controller
//! manager → the `default` namespace. Everything lives in one temporary folder; several clusters run side by side.
//!
//! Guarantees: RBAC is on and tokens are real; dropping the value ends the processes and removes the folder; the
//! processes also die with this one, however it ends.
//!
//! Caveats: no kubelet, so Pods are objects that never run; without [`Options::controller_manager`] nothing is garbage
//! collected, a deleted namespace stays `Terminating`, and the aggregated roles (`view`, `edit`, `admin`) grant nothing.

mod api_server;
mod certs;
mod controller_manager;
mod etcd;
mod existing;
mod kubeconfig;
mod kubectl;
mod namespaces;
mod programs;
mod tokens;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use kube::{Client, Config};
use tempfile::TempDir;

pub use self::tokens::PodToken;

use self::api_server::ApiServer;
use self::certs::Pki;
use self::programs::Programs;
use crate::ports;
use crate::process::{self, Process};

/// A control plane and an administrator's way into it.
#[derive(Debug)]
pub struct Cluster {
    /// `None`: the cluster was there before and stays when this is dropped.
    /// First, because processes must end before their folder goes.
    control_plane: Option<ControlPlane>,
    kubeconfig: PathBuf,
    admin: Config,
    kubectl: PathBuf,
    folder: TempDir,
}

/// What a [`Cluster`] consists of. The default is the cheapest that RBAC, admission and tokens can be tested with.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Run kube-controller-manager too: owner references are collected, namespaces can be deleted. Costs 0.1 GB.
    pub controller_manager: bool,
    /// Start a control plane even when an existing cluster is named, as tests must that stop the API server.
    pub own: bool,
}

/// The processes of a cluster of our own, in the order they are to end.
#[derive(Debug)]
struct ControlPlane {
    controller_manager: Option<Process>,
    api_server: ApiServer,
    etcd: Process,
}

// === impl Cluster ===

impl Cluster {
    /// Starts the smallest control plane, or takes the cluster that `FKM_TEST_KUBECONFIG` or `KUBECONFIG` names.
    pub async fn start() -> Result<Self> {
        Self::start_with(Options::default()).await
    }

    /// [`Cluster::start`] with a say in what runs.
    pub async fn start_with(options: Options) -> Result<Self> {
        choose_crypto();
        if let Some(kubeconfig) = existing::kubeconfig().filter(|_| !options.own) {
            return Self::attach(&kubeconfig).await;
        }
        let programs = Programs::find().await?;
        let folder = new_folder()?;
        match ControlPlane::start(&programs, folder.path(), options).await {
            Ok((control_plane, admin)) => Ok(Self {
                kubeconfig: kubeconfig::admin_file(folder.path()),
                control_plane: Some(control_plane),
                admin,
                kubectl: programs.kubectl,
                folder,
            }),
            Err(error) => Err(error.context(keep_logs(folder))),
        }
    }

    /// The administrator's kubeconfig, for programs that take a path.
    pub fn kubeconfig_path(&self) -> &Path {
        &self.kubeconfig
    }

    /// A client with every right. It belongs to the runtime it is made on, so a shared cluster makes one per test.
    pub fn admin_client(&self) -> Result<Client> {
        Ok(Client::try_from(self.admin.clone())?)
    }

    /// The logs of the processes, kept only while the cluster runs.
    pub fn log_folder(&self) -> PathBuf {
        process::log_folder(self.folder.path())
    }

    /// The process ids of what runs, by name, for tests that measure or disturb it.
    pub fn processes(&self) -> Vec<(String, u32)> {
        let Some(own) = &self.control_plane else {
            return Vec::new();
        };
        let running = [
            Some(&own.etcd),
            own.api_server.process(),
            own.controller_manager.as_ref(),
        ];
        running
            .into_iter()
            .flatten()
            .map(|process| (process.name().to_owned(), process.id()))
            .collect()
    }

    /// Kills the API server as a crash would; etcd keeps its state.
    pub fn stop_api_server(&mut self) -> Result<()> {
        self.own()?.api_server.stop();
        Ok(())
    }

    /// Starts a stopped API server on its old port and state and waits until it is ready.
    pub async fn start_api_server(&mut self) -> Result<()> {
        let client = self.admin_client()?;
        self.own()?.api_server.start(&client).await
    }

    fn own(&mut self) -> Result<&mut ControlPlane> {
        match &mut self.control_plane {
            Some(own) => Ok(own),
            None => {
                bail!("the cluster is not ours to stop; start it with Options {{ own: true, .. }}")
            }
        }
    }

    /// Whether somebody makes the `default` service account of a new namespace.
    fn has_controller_manager(&self) -> bool {
        self.control_plane
            .as_ref()
            .is_none_or(|own| own.controller_manager.is_some())
    }
}

impl Drop for Cluster {
    #[expect(
        clippy::print_stderr,
        reason = "a failed test tells where its logs are"
    )]
    fn drop(&mut self) {
        self.control_plane = None;
        if std::thread::panicking() {
            let _ = fs::remove_dir_all(etcd::data_folder(self.folder.path()));
            self.folder.disable_cleanup(true);
            eprintln!("cluster: the logs are in {}", self.log_folder().display());
        }
    }
}

// === impl ControlPlane ===

impl ControlPlane {
    async fn start(programs: &Programs, folder: &Path, options: Options) -> Result<(Self, Config)> {
        fs::create_dir_all(process::log_folder(folder))?;
        let pki = Pki::generate(&folder.join("pki"))?;
        let etcd_port = ports::free()?;
        let mut api_server = ApiServer::new(programs, folder, &pki, etcd_port)?;
        let server = api_server.url();

        let etcd = etcd::start(programs, folder, etcd_port).await?;
        let admin_file = kubeconfig::admin_file(folder);
        kubeconfig::write(
            &admin_file,
            &kubeconfig::with_certificate(&server, &pki, &pki.admin),
        )?;
        let admin = kubeconfig::load(&admin_file).await?;
        let client = Client::try_from(admin.clone())?;
        api_server
            .start(&client)
            .await
            .context("the API server does not start")?;

        let controller_manager = if options.controller_manager {
            Some(controller_manager::start(programs, folder, &pki, &server)?)
        } else {
            None
        };
        namespaces::prepare_default(&client, controller_manager.is_some()).await?;
        let control_plane = Self {
            controller_manager,
            api_server,
            etcd,
        };
        Ok((control_plane, admin))
    }
}

/// Another provider may be compiled in by a dependency of a test: rustls then refuses to choose.
fn choose_crypto() {
    // An error says that somebody has chosen before.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

/// The folder of one cluster; it holds keys, so only its owner can enter.
fn new_folder() -> Result<TempDir> {
    Ok(tempfile::Builder::new().prefix("fkm-cluster-").tempdir()?)
}

/// Keeps the folder of a cluster that failed to start, but not its data, and says where it is.
fn keep_logs(folder: TempDir) -> String {
    let kept = folder.keep();
    let _ = fs::remove_dir_all(etcd::data_folder(&kept));
    format!(
        "no cluster; the logs are kept in {}",
        process::log_folder(&kept).display()
    )
}
