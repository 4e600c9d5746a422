//! kubectl, as a user would run it against the cluster.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Output, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::process::Command;
use tokio::time::{Instant, sleep};

use super::Cluster;

impl Cluster {
    /// The path of kubectl, for instructions to people.
    pub fn kubectl_path(&self) -> &Path {
        &self.kubectl
    }

    /// Runs kubectl as the administrator; the exit status is the caller's to judge.
    pub async fn kubectl<A: AsRef<OsStr>>(
        &self,
        args: impl IntoIterator<Item = A>,
    ) -> Result<Output> {
        Command::new(&self.kubectl)
            .arg("--kubeconfig")
            .arg(&self.kubeconfig)
            // The default is a folder of the user's, shared by every cluster that ever had this port.
            .arg("--cache-dir")
            .arg(self.folder.path().join("kubectl"))
            .args(args)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .with_context(|| format!("{} does not run", self.kubectl.display()))
    }

    /// Applies the manifests of a file or a folder, server-side, and waits until the CRDs among them are served.
    pub async fn apply_crds(&self, path: &Path) -> Result<()> {
        let apply = ["apply", "--server-side", "--force-conflicts", "-f"];
        let wait = ["wait", "--for=condition=Established", "--timeout=60s", "-f"];
        self.on_file(&apply, path).await?;
        let deadline = Instant::now() + Duration::from_mins(1);
        loop {
            match self.on_file(&wait, path).await {
                // kubectl does not wait for conditions that are not there yet: it fails.
                Err(error)
                    if error.to_string().contains("accessor error")
                        && Instant::now() < deadline =>
                {
                    sleep(Duration::from_millis(100)).await;
                }
                ended => return ended,
            }
        }
    }

    async fn on_file(&self, args: &[&str], path: &Path) -> Result<()> {
        let words = args.iter().map(OsStr::new).chain([path.as_os_str()]);
        let output = self.kubectl(words).await?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        ensure!(
            output.status.success(),
            "kubectl {} {} failed: {stderr}",
            args.join(" "),
            path.display()
        );
        Ok(())
    }
}
