//! The product on a real API server in the foreground, to try things on: `make cluster`.
#![expect(clippy::print_stdout, reason = "it talks to the person in front of it")]

use anyhow::Result;
use fkm_tests::{Installation, Options, Sidecar};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;

/// The namespace of the one pod that there is.
const APP: &str = "shop";

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
    let installation = Installation::start_with(Options {
        controller_manager: true,
        own: true,
    })
    .await?;
    installation.cluster.create_namespace(APP).await?;
    let pod = installation.create_pod(APP, "demo-1", "demo").await?;
    let mut sidecar = installation.start_sidecar(&pod).await?;
    sidecar.until_ready().await?;
    println!(
        "\nReady after {:.1} s: API server, CRDs, operator, one pod with its sidecar.",
        started.elapsed().as_secs_f32()
    );
    tell(&installation, &sidecar);
    std::future::pending().await
}

fn tell(installation: &Installation, sidecar: &Sidecar) {
    let cluster = &installation.cluster;
    println!("In another terminal:\n");
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
    println!("  kubectl apply --server-side -f deploy/samples/simulated.yaml");
    println!("  kubectl get llm -A                     # both kinds; READY and PROGRAMMED");
    println!("  kubectl explain llmroute.spec.rules    # what there is");
    println!(
        "  curl -sS {}/chat/completions -d '{{\"model\":\"small\",\"messages\":[{{\"role\":\"user\",\"content\":\"Hi\"}}]}}'",
        sidecar.base_url()
    );
    println!(
        "\nThe pod {APP}/demo-1 is an object that no node runs; its sidecar is a process here."
    );
    println!(
        "Logs: {} and {}",
        installation.folder().display(),
        cluster.log_folder().display()
    );
    println!("Stop with Ctrl-C; nothing is kept.");
}
