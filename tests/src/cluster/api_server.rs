//! kube-apiserver, which can be stopped and started again on the same port and state.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use http::Request;
use kube::Client;

use super::certs::Pki;
use super::programs::Programs;
use crate::ports;
use crate::process::Process;

/// The issuer of tokens, hence also the audience of a token that asks for none.
pub(crate) const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";

/// The API server of one cluster.
#[derive(Debug)]
pub(crate) struct ApiServer {
    program: PathBuf,
    folder: PathBuf,
    args: Vec<String>,
    port: u16,
    process: Option<Process>,
}

// === impl ApiServer ===

impl ApiServer {
    /// Chooses the port; nothing runs yet.
    pub(crate) fn new(
        programs: &Programs,
        folder: &Path,
        pki: &Pki,
        etcd_port: u16,
    ) -> Result<Self> {
        let port = ports::free()?;
        let args = vec![
            format!("--etcd-servers=http://127.0.0.1:{etcd_port}"),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--secure-port={port}"),
            format!("--tls-cert-file={}", pki.api_server.certificate.display()),
            format!("--tls-private-key-file={}", pki.api_server.key.display()),
            format!("--client-ca-file={}", pki.authority.display()),
            "--authorization-mode=RBAC".to_owned(),
            format!("--service-account-issuer={ISSUER}"),
            format!(
                "--service-account-key-file={}",
                pki.token_public_key.display()
            ),
            format!(
                "--service-account-signing-key-file={}",
                pki.token_key.display()
            ),
            "--service-cluster-ip-range=10.96.0.0/24".to_owned(),
            // Nothing routes to the `kubernetes` Service here, and loopback is no address for an endpoint.
            "--endpoint-reconciler-type=none".to_owned(),
            "--allow-privileged=true".to_owned(),
            "--profiling=false".to_owned(),
        ];
        let program = programs.api_server.clone();
        Ok(Self {
            program,
            folder: folder.to_owned(),
            args,
            port,
            process: None,
        })
    }

    pub(crate) fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    pub(crate) fn process(&self) -> Option<&Process> {
        self.process.as_ref()
    }

    /// Starts it unless it runs already, and waits until every hook of its start has passed.
    pub(crate) async fn start(&mut self, client: &Client) -> Result<()> {
        let process = match &mut self.process {
            Some(process) => process,
            none => none.insert(Process::spawn(
                "kube-apiserver",
                &self.program,
                &self.args,
                &self.folder,
            )?),
        };
        process.ready(async || ready(client).await).await
    }

    pub(crate) fn stop(&mut self) {
        self.process = None;
    }
}

async fn ready(client: &Client) -> Result<()> {
    let answer = client
        .request_text(Request::get("/readyz").body(Vec::new())?)
        .await?;
    ensure!(answer == "ok", "not ready: {answer}");
    Ok(())
}
