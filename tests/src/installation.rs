//! The product on a real API server: CRDs, the RBAC that is shipped, the operator under its own identity, and sidecars for
//! pods that exist as objects.

mod pods;
mod sidecar;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use anyhow::{Context, Result, ensure};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use tempfile::TempDir;
use tokio::time::{Duration, Instant, sleep};

pub use pods::TestPod;
pub use sidecar::Sidecar;

use crate::cluster::{Cluster, Options};
use crate::process::{self, Process};
use crate::{http, ports};

/// The operator's namespace, and the only one with pools.
pub const SYSTEM: &str = "fkm-system";
/// The image that the operator lets be a sidecar.
pub const SIDECAR_IMAGE: &str = "registry.test/fkm-sidecar:test";

/// How long anything may take to come about; the machine may be compiling at the same time.
const WITHIN: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(50);

/// A cluster with the product on it. Dropping it ends everything.
#[derive(Debug)]
pub struct Installation {
    operator: Option<Process>,
    push_port: u16,
    admin_port: u16,
    kubeconfig: PathBuf,
    pool_namespaces: Vec<String>,
    folder: TempDir,
    /// Last, so that the others end first.
    pub cluster: Cluster,
}

// === impl Installation ===

impl Installation {
    /// A cluster of its own with everything on it; returns when the operator is ready.
    pub async fn start() -> Result<Self> {
        Self::start_with(Options {
            own: true,
            ..Options::default()
        })
        .await
    }

    /// [`Installation::start`] with a say in what else runs.
    pub async fn start_with(options: Options) -> Result<Self> {
        let cluster = Cluster::start_with(options).await?;
        let folder = tempfile::Builder::new()
            .prefix("fkm-installation-")
            .tempdir()?;
        fs::create_dir_all(process::log_folder(folder.path()))?;
        install(&cluster).await?;
        let kubeconfig = cluster
            .kubeconfig_for_service_account(SYSTEM, "fkm-operator")
            .await?;
        let mut installation = Self {
            operator: None,
            push_port: ports::free()?,
            admin_port: ports::free()?,
            kubeconfig,
            pool_namespaces: vec![SYSTEM.to_owned()],
            folder,
            cluster,
        };
        installation.start_operator().await?;
        Ok(installation)
    }

    /// Starts the operator, with its shipped RBAC and on its old ports, and waits until it is ready.
    pub async fn start_operator(&mut self) -> Result<()> {
        let arguments = [
            format!("--push-address=127.0.0.1:{}", self.push_port),
            format!("--admin-address=127.0.0.1:{}", self.admin_port),
            format!("--sidecar-images={SIDECAR_IMAGE}"),
            format!("--pool-namespaces={}", self.pool_namespaces.join(",")),
            "--extra-sans=127.0.0.1,localhost".to_owned(),
            "--log=trace,h2=debug,hyper_util=debug".to_owned(),
            "--log-format=json".to_owned(),
        ];
        let environment = [("KUBECONFIG", self.kubeconfig.display().to_string())];
        let program = program("fkm-operator")?;
        let mut operator = Process::spawn_with(
            "operator",
            &program,
            &arguments,
            &environment,
            self.folder.path(),
        )?;
        let ready = self.operator_url("/readyz");
        operator
            .ready(async || http::get(&ready).await.map(drop))
            .await?;
        self.operator = Some(operator);
        Ok(())
    }

    /// Ends the operator as a crash would.
    pub fn kill_operator(&mut self) -> Result<()> {
        match self.operator.take() {
            Some(mut operator) => operator.kill(),
            None => Ok(()),
        }
    }

    /// Asks the operator to end; its exit code.
    pub async fn stop_operator(&mut self) -> Result<Option<i32>> {
        let mut operator = self.operator.take().context("the operator does not run")?;
        operator.terminate().await
    }

    /// Lets pools live in these namespaces too: the shipped RBAC for each, and an operator that is told.
    pub async fn allow_pools(&mut self, namespaces: &[&str]) -> Result<()> {
        let path = shipped("deploy/rbac/pool-namespace.yaml");
        for namespace in namespaces {
            self.kubectl(&["apply", "--server-side", "-n", namespace, "-f", &path])
                .await?;
        }
        self.pool_namespaces
            .extend(namespaces.iter().map(|&namespace| namespace.to_owned()));
        self.stop_operator().await?;
        self.start_operator().await
    }

    /// The operator's metrics page.
    pub async fn operator_metrics(&self) -> Result<String> {
        http::get(&self.operator_url("/metrics")).await
    }

    /// Where logs and state of the operator and the sidecars are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Applies manifests as a platform engineer would; fails with what kubectl says.
    pub async fn apply(&self, manifests: &str) -> Result<()> {
        let output = self.try_apply(manifests).await?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "kubectl apply failed: {stderr}\n{manifests}"
        );
        Ok(())
    }

    /// Applies manifests; the verdict is the caller's to judge.
    pub async fn try_apply(&self, manifests: &str) -> Result<Output> {
        let path = self
            .folder
            .path()
            .join(format!("{:x}.yaml", fastrand::u64(..)));
        fs::write(&path, manifests)?;
        let arguments = ["apply", "--server-side", "--force-conflicts", "-f"].map(Into::into);
        self.cluster
            .kubectl(arguments.into_iter().chain([path.into_os_string()]))
            .await
    }

    /// Runs kubectl; its standard output. Fails with what it says.
    pub async fn kubectl(&self, arguments: &[&str]) -> Result<String> {
        let output = self.cluster.kubectl(arguments).await?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "kubectl {arguments:?} failed: {stderr}"
        );
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Waits until an object's condition has this status; its reason and message.
    pub async fn condition(
        &self,
        object: &[&str],
        condition: &str,
        status: &str,
    ) -> Result<(String, String)> {
        let path = format!(
            "jsonpath={{range .status.conditions[?(@.type==\"{condition}\")]}}{{.status}}|{{.reason}}|{{.message}}{{end}}"
        );
        let mut last = String::new();
        let deadline = Instant::now() + WITHIN;
        while Instant::now() < deadline {
            last = self
                .kubectl(&[&["get"], object, &["-o", &path]].concat())
                .await?;
            let mut parts = last.splitn(3, '|').map(str::to_owned);
            if parts.next().as_deref() == Some(status) {
                return Ok((
                    parts.next().unwrap_or_default(),
                    parts.next().unwrap_or_default(),
                ));
            }
            sleep(POLL).await;
        }
        anyhow::bail!("{condition} of {object:?} is not {status} within {WITHIN:?} but: {last}")
    }

    /// The CA that sidecars trust, as it stands in the operator's Secret.
    pub async fn ca(&self) -> Result<String> {
        let path = r"jsonpath={.data.tls\.crt}";
        let encoded = self
            .kubectl(&["get", "secret", "fkm-ca", "-n", SYSTEM, "-o", path])
            .await?;
        Ok(String::from_utf8(BASE64_STANDARD.decode(encoded.trim())?)?)
    }

    fn operator_url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.admin_port)
    }
}

/// Applies what is shipped: CRDs and RBAC.
async fn install(cluster: &Cluster) -> Result<()> {
    for crd in ["providerpools", "llmroutes"] {
        cluster
            .apply_crds(Path::new(&shipped(&format!("crds/{crd}.yaml"))))
            .await?;
    }
    cluster.create_namespace(SYSTEM).await?;
    for manifest in [
        "service-account",
        "cluster-role",
        "operator-namespace",
        "pool-namespace",
    ] {
        let path = shipped(&format!("deploy/rbac/{manifest}.yaml"));
        let output = cluster
            .kubectl(["apply", "--server-side", "-n", SYSTEM, "-f", &path])
            .await?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{manifest}: {stderr}");
    }
    Ok(())
}

/// The path of a file of the repository.
fn shipped(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.join(path).display().to_string()
}

/// A program of the product, built beside this test.
pub(crate) fn program(name: &str) -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    // Tests are one folder below the programs; programs themselves are not.
    let folders = test.ancestors().skip(1).take(2);
    let found = folders
        .map(|folder| folder.join(name))
        .find(|path| path.is_file());
    found
        .with_context(|| format!("{name} is not built: cargo build -p fkm-operator -p fkm-sidecar"))
}
