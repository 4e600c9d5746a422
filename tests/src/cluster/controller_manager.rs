//! kube-controller-manager: garbage collection, the end of namespaces, their `default` service accounts.

use std::path::Path;

use anyhow::Result;

use super::certs::Pki;
use super::kubeconfig;
use super::programs::Programs;
use crate::ports;
use crate::process::Process;

/// Starts it against the API server at `server`. It is at work once the `default` service account appears.
pub(crate) fn start(
    programs: &Programs,
    folder: &Path,
    pki: &Pki,
    server: &str,
) -> Result<Process> {
    let file = folder.join("controller-manager.kubeconfig");
    kubeconfig::write(
        &file,
        &kubeconfig::with_certificate(server, pki, &pki.controller_manager),
    )?;
    let args = [
        format!("--kubeconfig={}", file.display()),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--secure-port={}", ports::free()?),
        format!("--cert-dir={}", folder.join("pki").display()),
        // Each controller acts under its own roles, as in production.
        "--use-service-account-credentials=true".to_owned(),
        format!(
            "--service-account-private-key-file={}",
            pki.token_key.display()
        ),
        format!("--root-ca-file={}", pki.authority.display()),
        "--leader-elect=false".to_owned(),
    ];
    Process::spawn(
        "kube-controller-manager",
        &programs.controller_manager,
        &args,
        folder,
    )
}
