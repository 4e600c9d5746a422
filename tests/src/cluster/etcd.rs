//! etcd: one member, on loopback, in memory as far as durability goes.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tokio::net::TcpStream;

use super::programs::Programs;
use crate::process::Process;

/// Where etcd keeps the state of the cluster in `folder`.
pub(crate) fn data_folder(folder: &Path) -> PathBuf {
    folder.join("etcd")
}

/// Starts etcd on `port` and waits until it takes connections.
pub(crate) async fn start(programs: &Programs, folder: &Path, port: u16) -> Result<Process> {
    let url = format!("http://127.0.0.1:{port}");
    let args = [
        format!("--data-dir={}", data_folder(folder).display()),
        format!("--listen-client-urls={url}"),
        format!("--advertise-client-urls={url}"),
        // There are no peers: any port, never connected to.
        "--listen-peer-urls=http://127.0.0.1:0".to_owned(),
        // What a crash of the machine would lose is worth nothing; a killed etcd loses nothing.
        "--unsafe-no-fsync".to_owned(),
    ];
    let mut process = Process::spawn("etcd", &programs.etcd, &args, folder)?;
    let connect = async || {
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        Ok(())
    };
    process
        .ready(connect)
        .await
        .context("etcd does not start")?;
    Ok(process)
}
