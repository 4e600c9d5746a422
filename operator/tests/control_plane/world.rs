//! One control plane with the shipped manifests, and the operator in this process.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use fkm_operator::app::App;
use fkm_operator::args::Settings;
use fkm_operator::push::JudgeSettings;
use fkm_telemetry::logs;
use fkm_tests::{Cluster, Options};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

/// The operator's namespace, where the pools are too.
pub(crate) const SYSTEM: &str = "fkm-system";
/// An app team's namespace.
pub(crate) const SHOP: &str = "shop";
pub(crate) const IMAGE: &str = "registry.example/fkm-sidecar:0.1.0";

const OPERATOR: &str = "fkm-operator";
/// Generous: the machine may be compiling at the same time.
const PATIENCE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(20);

pub(crate) struct World {
    pub(crate) cluster: Cluster,
    pub(crate) admin: Client,
    operator: Option<App>,
    identity: PathBuf,
    manifests: tempfile::TempDir,
}

// === impl World ===

impl World {
    /// A control plane with CRDs, RBAC and namespaces, and a running operator.
    pub(crate) async fn start() -> Result<Self> {
        let mut world = Self::without_operator().await?;
        world.start_operator().await?;
        Ok(world)
    }

    /// The same, and no operator yet.
    pub(crate) async fn without_operator() -> Result<Self> {
        start_logs();
        let cluster = Cluster::start_with(Options {
            own: true,
            ..Options::default()
        })
        .await?;
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        cluster.apply_crds(&root.join("crds")).await?;
        cluster.create_namespace(SYSTEM).await?;
        cluster.create_namespace(SHOP).await?;
        let rbac = root.join("deploy/rbac");
        for file in [
            "service-account.yaml",
            "cluster-role.yaml",
            "operator-namespace.yaml",
            "pool-namespace.yaml",
        ] {
            let path = rbac.join(file);
            kubectl(
                &cluster,
                &["apply", "-n", SYSTEM, "-f", &path.display().to_string()],
            )
            .await?;
        }
        let identity = cluster
            .kubeconfig_for_service_account(SYSTEM, OPERATOR)
            .await?;
        let admin = cluster.admin_client()?;
        let manifests = tempfile::tempdir()?;
        Ok(Self {
            cluster,
            admin,
            operator: None,
            identity,
            manifests,
        })
    }

    /// Starts the operator as its ServiceAccount and waits until it is ready.
    pub(crate) async fn start_operator(&mut self) -> Result<()> {
        let kubeconfig = Kubeconfig::read_from(&self.identity)?;
        let config =
            Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?;
        let local = "127.0.0.1:0".parse()?;
        let settings = Settings {
            namespace: SYSTEM.to_owned(),
            pool_namespaces: BTreeSet::from([SYSTEM.to_owned()]),
            judge: JudgeSettings::try_new([IMAGE])?,
            push_address: local,
            admin_address: local,
            extra_sans: BTreeSet::new(),
        };
        self.operator = Some(App::start_with(settings, config).await?);
        eventually("the operator is ready", async || {
            let answer = self.page("/readyz").await?;
            ensure!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            Ok(())
        })
        .await
    }

    /// Ends it as SIGTERM does.
    pub(crate) async fn stop_operator(&mut self) -> Result<()> {
        let operator = self.operator.take().context("no operator runs")?;
        Ok(operator.stop(Duration::from_secs(10)).await?)
    }

    pub(crate) fn push_endpoint(&self) -> Result<String> {
        let port = self
            .operator
            .as_ref()
            .context("no operator runs")?
            .push_address()
            .port();
        Ok(format!("https://127.0.0.1:{port}"))
    }

    /// The value of a metric without labels, or with exactly these.
    pub(crate) async fn metric(&self, name: &str) -> Result<u64> {
        let page = self.page("/metrics").await?;
        let line = page
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        Ok(line
            .with_context(|| format!("no metric {name} in\n{page}"))?
            .trim()
            .parse()?)
    }

    async fn page(&self, path: &str) -> Result<String> {
        page(
            self.operator
                .as_ref()
                .context("no operator runs")?
                .admin_address(),
            path,
        )
        .await
    }

    /// The kubeconfig of the operator's ServiceAccount.
    pub(crate) fn identity(&self) -> &Path {
        &self.identity
    }

    /// `kubectl apply`, as a user does it.
    pub(crate) async fn apply(&self, manifest: &str) -> Result<()> {
        let path = self.manifests.path().join("manifest.yaml");
        std::fs::write(&path, manifest)?;
        kubectl(&self.cluster, &["apply", "-f", &path.display().to_string()]).await
    }

    pub(crate) async fn kubectl(&self, args: &[&str]) -> Result<()> {
        kubectl(&self.cluster, args).await
    }
}

/// The operator's log on stderr, when `FKM_TEST_LOG` says what of it. Started by the first test that comes here.
fn start_logs() {
    let Some(filter) = std::env::var_os("FKM_TEST_LOG") else {
        return;
    };
    let settings = logs::Settings {
        service_name: OPERATOR.to_owned(),
        service_version: String::new(),
        log_filter: filter.to_string_lossy().into_owned(),
        format: logs::LogFormat::Text,
        otlp_endpoint: None,
        resource: Vec::new(),
    };
    // Nothing is to be flushed without an endpoint, and the second to come is refused.
    let _ = logs::init(&settings);
}

/// What the admin listener answers, with its head.
pub(crate) async fn page(address: SocketAddr, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: operator\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

async fn kubectl(cluster: &Cluster, args: &[&str]) -> Result<()> {
    let output = cluster.kubectl(args).await?;
    ensure!(
        output.status.success(),
        "kubectl {args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}

/// Tries until it holds; fails with the last reason why it does not.
pub(crate) async fn eventually<T>(what: &str, probe: impl AsyncFn() -> Result<T>) -> Result<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match probe().await {
            Ok(value) => return Ok(value),
            Err(error) if Instant::now() > deadline => {
                return Err(error.context(format!("not within {PATIENCE:?}: {what}")));
            }
            Err(_) => sleep(POLL).await,
        }
    }
}

/// Holds now and after a while.
pub(crate) async fn always(what: &str, probe: impl AsyncFn() -> Result<()>) -> Result<()> {
    for _ in 0..20 {
        if let Err(error) = probe().await {
            bail!("{what}: {error:#}");
        }
        sleep(POLL).await;
    }
    Ok(())
}
