//! The sidecar of one pod as a process on this machine, with the pod's own token.

use std::fs;
use std::path::PathBuf;

use anyhow::{Result, bail};
use tokio::time::{Duration, Instant, sleep};

use super::{Installation, POLL, TestPod, WITHIN, program};
use crate::process::Process;
use crate::{http, ports};

/// A running sidecar.
#[derive(Debug)]
pub struct Sidecar {
    process: Process,
    arguments: Vec<String>,
    folder: PathBuf,
    /// Port of the LLM listener.
    pub port: u16,
    admin_port: u16,
    probe_port: u16,
}

impl Installation {
    /// Starts the sidecar of `pod` with its own token.
    pub async fn start_sidecar(&self, pod: &TestPod) -> Result<Sidecar> {
        let token = self.token(pod).await?;
        self.start_sidecar_with(pod, &token).await
    }

    /// Starts the sidecar of `pod` with this token.
    pub async fn start_sidecar_with(&self, pod: &TestPod, token: &str) -> Result<Sidecar> {
        let folder =
            self.folder
                .path()
                .join(format!("sidecar-{}-{:x}", pod.name, fastrand::u32(..)));
        fs::create_dir_all(folder.join("state"))?;
        fs::create_dir_all(folder.join("log"))?;
        fs::write(folder.join("token"), token)?;
        fs::write(folder.join("ca.crt"), self.ca().await?)?;
        let [port, admin_port, probe_port] = [ports::free()?, ports::free()?, ports::free()?];
        let path = |name: &str| folder.join(name).display().to_string();
        let arguments = vec![
            format!("--listen=127.0.0.1:{port}"),
            format!("--admin-listen=127.0.0.1:{admin_port}"),
            format!("--probe-listen=127.0.0.1:{probe_port}"),
            format!("--operator=https://127.0.0.1:{}", self.push_port),
            format!("--operator-ca={}", path("ca.crt")),
            format!("--token-file={}", path("token")),
            format!("--state-dir={}", path("state")),
            format!("--pod-name={}", pod.name),
            format!("--pod-namespace={}", pod.namespace),
            format!("--pod-uid={}", pod.uid),
            "--drain-seconds=3".to_owned(),
            "--log=trace,h2=debug,hyper_util=debug".to_owned(),
            "--log-format=json".to_owned(),
        ];
        let process = Process::spawn("sidecar", &program("fkm-sidecar")?, &arguments, &folder)?;
        let mut sidecar = Sidecar {
            process,
            arguments,
            folder,
            port,
            admin_port,
            probe_port,
        };
        sidecar.until_alive().await?;
        Ok(sidecar)
    }
}

// === impl Sidecar ===

impl Sidecar {
    /// Where an application calls.
    pub fn base_url(&self) -> String {
        format!("http://127.0.0.1:{}/v1", self.port)
    }

    /// Its config dump.
    pub async fn config(&self) -> Result<String> {
        http::get(&format!("http://127.0.0.1:{}/config", self.admin_port)).await
    }

    /// Its metrics page.
    pub async fn metrics(&self) -> Result<String> {
        http::get(&self.probe("/metrics")).await
    }

    /// Whether it has a snapshot.
    pub async fn is_ready(&self) -> bool {
        http::get(&self.probe("/readyz")).await.is_ok()
    }

    /// Waits until it has a snapshot.
    pub async fn until_ready(&mut self) -> Result<()> {
        let ready = self.probe("/readyz");
        self.process
            .ready(async || http::get(&ready).await.map(drop))
            .await
    }

    /// Waits until its config dump holds `text`.
    pub async fn until_config_holds(&self, text: &str) -> Result<Duration> {
        let began = Instant::now();
        while began.elapsed() < WITHIN {
            if self
                .config()
                .await
                .is_ok_and(|config| config.contains(text))
            {
                return Ok(began.elapsed());
            }
            sleep(POLL / 5).await;
        }
        bail!("the config does not hold {text:?} within {WITHIN:?}")
    }

    /// Ends it and starts it again, with the same state folder.
    pub async fn restart(&mut self) -> Result<()> {
        self.process.terminate().await?;
        self.process = Process::spawn(
            "sidecar",
            &program("fkm-sidecar")?,
            &self.arguments,
            &self.folder,
        )?;
        self.until_alive().await
    }

    /// Asks it to end; its exit code.
    pub async fn stop(&mut self) -> Result<Option<i32>> {
        self.process.terminate().await
    }

    async fn until_alive(&mut self) -> Result<()> {
        let alive = self.probe("/livez");
        self.process
            .ready(async || http::get(&alive).await.map(drop))
            .await
    }

    fn probe(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.probe_port)
    }
}
