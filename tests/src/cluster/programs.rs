//! Where the programs of the control plane are: `tests/cluster/build.sh` finds or builds them.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

/// Paths of the programs.
#[derive(Debug)]
pub(crate) struct Programs {
    pub(crate) etcd: PathBuf,
    pub(crate) api_server: PathBuf,
    pub(crate) controller_manager: PathBuf,
    pub(crate) kubectl: PathBuf,
}

// === impl Programs ===

impl Programs {
    /// Asks the build script, which takes minutes the first time on a machine and says so on stderr.
    pub(crate) async fn find() -> Result<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("cluster/build.sh");
        // Not captured: libtest hides what a test prints, but not what its child processes do.
        let output = Command::new(&script)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .output()
            .await
            .with_context(|| format!("{} does not run", script.display()))?;
        ensure!(
            output.status.success(),
            "{} failed: {}",
            script.display(),
            output.status
        );
        let stdout = String::from_utf8(output.stdout)?;
        let folder = Path::new(
            stdout
                .lines()
                .last()
                .context("the build script printed no folder")?,
        );
        Ok(Self {
            etcd: program(folder, "etcd"),
            api_server: program(folder, "kube-apiserver"),
            controller_manager: program(folder, "kube-controller-manager"),
            kubectl: program(folder, "kubectl"),
        })
    }
}

/// The program in `folder` or, for what that lacks, its bare name: found on `PATH` when it is run.
fn program(folder: &Path, name: &str) -> PathBuf {
    let built = folder.join(name);
    if built.exists() {
        built
    } else {
        PathBuf::from(name)
    }
}
