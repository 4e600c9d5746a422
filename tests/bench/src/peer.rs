//! What is measured, and how each is started: one worker thread each.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use clap::ValueEnum;
use fkm_snapshot::ValidSnapshot;
use serde::Serialize;
use serde_json::json;

use crate::body::MODEL;
use crate::child::{Process, command, free_address};
use crate::control::{CLIENT_KEY, Kept, probe};

/// The key that every proxy shows to the upstream instead of the client's.
pub const UPSTREAM_KEY: &str = "sk-bench-upstream";
/// The model's name upstream: another one, so that the sidecar's editor has work to do.
const UPSTREAM_MODEL: &str = "bench-model-upstream";
const SECRET: &str = "bench/key/k";
const KEY_VARIABLE: &str = "FKM_BENCH_KEY";

/// One side of the comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Peer {
    /// No proxy.
    Direct,
    /// nginx as a plain reverse proxy.
    Nginx,
    /// The least that a proxy on hyper does.
    BareProxy,
    /// The sidecar.
    Sidecar,
}

/// Programs that the peers need.
#[derive(Clone, Debug)]
pub struct Programs {
    /// The folder of `bare-proxy`, `bench-upstream` and `loadgen`.
    pub own: PathBuf,
    /// The sidecar.
    pub sidecar: PathBuf,
    /// nginx, where it is installed.
    pub nginx: Option<PathBuf>,
}

/// A peer that runs.
#[derive(Debug)]
pub struct Running {
    /// Which.
    pub peer: Peer,
    /// Where it listens.
    pub address: SocketAddr,
    /// Its process; for [`Peer::Direct`], none: the upstream's does not count.
    pub process: Option<Process>,
}

// === impl Peer ===

impl Peer {
    /// For tables and file names.
    pub fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Nginx => "nginx",
            Self::BareProxy => "bare-proxy",
            Self::Sidecar => "sidecar",
        }
    }

    /// Starts it before the upstream and sends a first request through it, which must arrive as this peer sends it.
    pub fn start(
        self,
        programs: &Programs,
        upstream: SocketAddr,
        folder: &Path,
    ) -> Result<Running> {
        let (address, process) = match self {
            Self::Direct => (upstream, None),
            Self::Nginx => start_nginx(programs, upstream, folder)?,
            Self::BareProxy => start_bare_proxy(programs, upstream, folder)?,
            Self::Sidecar => start_sidecar(programs, upstream, folder)?,
        };
        let kept = probe(address, upstream)
            .with_context(|| format!("no answer through {}", self.name()))?;
        self.check(&kept)?;
        Ok(Running {
            peer: self,
            address,
            process,
        })
    }

    /// A figure only counts where the work was done: the key replaced, by the sidecar the model too.
    fn check(self, kept: &Kept) -> Result<()> {
        let key = if self == Self::Direct {
            CLIENT_KEY
        } else {
            UPSTREAM_KEY
        };
        let model = if self == Self::Sidecar {
            UPSTREAM_MODEL
        } else {
            MODEL
        };
        ensure!(
            kept.head
                .contains(&format!("authorization: bearer {key}\r\n")),
            "{} did not send its key upstream:\n{}",
            self.name(),
            kept.head
        );
        ensure!(
            kept.body["model"] == model,
            "{} asked the upstream for model {} instead of {model:?}",
            self.name(),
            kept.body["model"]
        );
        Ok(())
    }
}

type Started = (SocketAddr, Option<Process>);

fn start_bare_proxy(programs: &Programs, upstream: SocketAddr, folder: &Path) -> Result<Started> {
    let address = free_address()?;
    let mut command = command(&programs.own.join("bare-proxy"));
    command.args(["--listen", &address.to_string()]);
    command.args(["--upstream", &upstream.to_string(), "--key", UPSTREAM_KEY]);
    let process = Process::start("bare-proxy", &mut command, folder, address)?;
    Ok((address, Some(process)))
}

fn start_nginx(programs: &Programs, upstream: SocketAddr, folder: &Path) -> Result<Started> {
    let program = programs
        .nginx
        .as_ref()
        .context("nginx is not installed; add --install")?;
    let address = free_address()?;
    let file = folder.join("nginx.conf");
    fs::write(&file, nginx_conf(address, upstream))?;
    let mut command = command(program);
    command
        .arg("-p")
        .arg(folder)
        .arg("-c")
        .arg(&file)
        .args(["-e", "stderr"]);
    let process = Process::start("nginx", &mut command, folder, address)?;
    Ok((address, Some(process)))
}

/// One process that passes everything on over connections that it keeps.
fn nginx_conf(address: SocketAddr, upstream: SocketAddr) -> String {
    format!(
        "daemon off;
master_process off;
worker_processes 1;
pid nginx.pid;
error_log stderr error;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    keepalive_requests 10000000;
    keepalive_timeout 300s;
    tcp_nodelay on;
    client_max_body_size 64m;
    client_body_buffer_size 1m;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    upstream provider {{
        server {upstream};
        keepalive 512;
        keepalive_requests 10000000;
    }}
    server {{
        listen {address} backlog=1024;
        location / {{
            proxy_pass http://provider;
            proxy_http_version 1.1;
            proxy_set_header Connection \"\";
            proxy_set_header Authorization \"Bearer {UPSTREAM_KEY}\";
            proxy_buffering off;
            proxy_read_timeout 300s;
        }}
    }}
}}
"
    )
}

fn start_sidecar(programs: &Programs, upstream: SocketAddr, folder: &Path) -> Result<Started> {
    if !programs.sidecar.exists() {
        let path = programs.sidecar.display();
        bail!(
            "there is no sidecar at {path}: build it with `cargo build --release -p fkm-sidecar`, or give --sidecar"
        );
    }
    let file = folder.join("snapshot.json");
    fs::write(&file, snapshot(upstream)?.get().to_payload())?;
    let address = free_address()?;
    let mut command = command(&programs.sidecar);
    command
        .env(KEY_VARIABLE, UPSTREAM_KEY)
        .arg("--snapshot")
        .arg(&file)
        .args(["--secret", &format!("{SECRET}=env:{KEY_VARIABLE}")])
        .args(["--listen", &address.to_string()])
        .args(["--admin-listen", &free_address()?.to_string()])
        .args(["--probe-listen", &free_address()?.to_string()])
        .args(["--worker-threads", "1"]);
    let process = Process::start("sidecar", &mut command, folder, address)?;
    Ok((address, Some(process)))
}

/// One rule, one pool, one provider: the shortest way through every step.
fn snapshot(upstream: SocketAddr) -> Result<ValidSnapshot> {
    let payload = json!({
        "pools": {"bench/pool": {"providers": [{
            "name": "upstream",
            "system": "openai",
            "connection": {"http": {
                "baseUrl": format!("http://{upstream}/v1"),
                "dialect": {"format": "openai.chat", "path": "/chat/completions", "auth": "Bearer"},
                "locality": "Local",
                "credentials": [{"name": "main", "secret": SECRET}],
            }},
            "models": {MODEL: {"upstreamName": UPSTREAM_MODEL}},
        }]}},
        "rules": [{
            "route": "bench/route",
            "name": "all",
            "backends": [{"name": "only", "pool": "bench/pool"}],
        }],
    });
    ValidSnapshot::from_payload(payload.to_string().as_bytes()).map_err(|problems| {
        anyhow!("the bench's snapshot is not what this sidecar reads: {problems:?}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(key: &str, model: &str) -> Kept {
        Kept {
            head: format!("post / http/1.1\r\nauthorization: bearer {key}\r\nhost: x"),
            body: json!({"model": model}),
        }
    }

    #[test]
    fn the_snapshot_is_valid() {
        snapshot(([127, 0, 0, 1], 9000).into()).unwrap();
    }

    #[test]
    fn a_peer_that_does_not_do_its_work_is_found_out() {
        Peer::Direct.check(&kept(CLIENT_KEY, MODEL)).unwrap();
        Peer::Sidecar
            .check(&kept(UPSTREAM_KEY, UPSTREAM_MODEL))
            .unwrap();
        for (peer, key, model) in [
            (Peer::Nginx, CLIENT_KEY, MODEL),
            (Peer::Sidecar, UPSTREAM_KEY, MODEL),
            (Peer::Sidecar, CLIENT_KEY, UPSTREAM_MODEL),
        ] {
            peer.check(&kept(key, model)).unwrap_err();
        }
    }
}
