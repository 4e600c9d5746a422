//! kubectl, as a user would run it against the cluster.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Output, Stdio};

use anyhow::{Context, Result, ensure};
use tokio::process::Command;

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
        let path = path.as_os_str();
        let [apply, wait] = [
            ["apply", "--server-side", "--force-conflicts", "-f"],
            ["wait", "--for=condition=Established", "--timeout=60s", "-f"],
        ];
        for args in [apply, wait] {
            let output = self
                .kubectl(args.iter().map(OsStr::new).chain([path]))
                .await?;
            let stderr = String::from_utf8_lossy(&output.stderr);
            ensure!(
                output.status.success(),
                "kubectl {} {} failed: {stderr}",
                args.join(" "),
                path.display()
            );
        }
        Ok(())
    }
}
