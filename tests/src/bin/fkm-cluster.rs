//! A cluster in the foreground, to try things on: `make cluster`.
#![expect(clippy::print_stdout, reason = "it talks to the person in front of it")]

use std::path::Path;

use anyhow::Result;
use fkm_tests::{Cluster, Options};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;

#[tokio::main]
async fn main() -> Result<()> {
    // From before the start: an impatient Ctrl-C stops what has started already.
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        result = run() => result,
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
    }
}

/// Starts everything and then waits; dropping the future stops everything.
async fn run() -> Result<()> {
    let started = Instant::now();
    let cluster = Cluster::start_with(Options {
        controller_manager: true,
        own: true,
    })
    .await?;
    apply_crds(&cluster).await?;
    println!(
        "\nThe cluster is ready after {:.1} s. In another terminal:\n",
        started.elapsed().as_secs_f32()
    );
    println!(
        "  export KUBECONFIG={}",
        cluster.kubeconfig_path().display()
    );
    if let Some(folder) = cluster
        .kubectl_path()
        .parent()
        .filter(|folder| folder.is_absolute())
    {
        println!("  export PATH={}:$PATH", folder.display());
    }
    println!("  kubectl get namespaces\n\nPods are objects here and do not run: there is no node.");
    println!(
        "Logs: {}\nStop with Ctrl-C; nothing is kept.",
        cluster.log_folder().display()
    );
    std::future::pending().await
}

/// Applies the CRDs of the repository, if they have been generated.
async fn apply_crds(cluster: &Cluster) -> Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crds");
    let mut manifests: Vec<_> = std::fs::read_dir(&folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    manifests.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "yaml")
    });
    manifests.sort();
    for manifest in manifests {
        cluster.apply_crds(&manifest).await?;
        println!(
            "applied {}",
            manifest.file_name().unwrap_or_default().display()
        );
    }
    Ok(())
}
