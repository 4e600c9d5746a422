//! The life of a change, as a user sees it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use fkm_snapshot::{Problem, ProblemCode};
use tokio::time::Instant;

use crate::manifests;
use crate::sidecar::Sidecar;
use crate::world::{SHOP, World};

/// From the end of `kubectl apply` to the snapshot in the sidecar.
const LIVE_WITHIN: Duration = Duration::from_secs(1);
const BASE_URL: &str = "https://llm.example.com/v1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_route_lives_from_apply_to_delete() -> Result<()> {
    let mut world = World::start().await?;
    let pod = world.running_pod("checkout-1", |_| {}).await?;
    world.apply(&manifests::secret("sk-first")).await?;
    world.apply(&manifests::pool(BASE_URL)).await?;
    world.apply(&manifests::route("first")).await?;

    // Before the sidecar connects, the route waits for it.
    world
        .route_condition(("Accepted", "True", "Accepted"))
        .await?;
    world
        .route_condition(("Programmed", "False", "Disconnected"))
        .await?;
    world.programmed("0/1").await?;

    let mut sidecar = Sidecar::connect(&world, &pod).await?;
    sidecar.take().await?;
    assert_eq!(sidecar.held.rules(), ["first"]);
    assert_eq!(sidecar.held.providers(), ["keyed", "canned"]);
    assert_eq!(sidecar.held.key(), Some("sk-first"));
    assert_eq!(sidecar.held.context.pod, "checkout-1");
    assert_eq!(sidecar.held.context.service_account, "default");
    world.programmed("1/1").await?;
    world.route_condition(("Ready", "True", "Ready")).await?;
    let pool = world.pool_condition(("Ready", "True", "Ready")).await?;
    ensure!(
        world
            .pool()
            .await?
            .status
            .context("no status")?
            .attached_routes
            == Some(1),
        "{pool:?}"
    );

    // An edit is live within a second, and counts as programmed only when the sidecar said so.
    world.apply(&manifests::route("second")).await?;
    let applied = Instant::now();
    let taken = sidecar.take().await;
    let elapsed = applied.elapsed();
    taken?;
    assert_eq!(sidecar.held.rules(), ["second"]);
    ensure!(elapsed < LIVE_WITHIN, "live after {elapsed:?}");
    world.programmed("1/1").await?;

    // A removed route leaves an empty snapshot, which is valid.
    world
        .kubectl(&["delete", "llmroute", "-n", SHOP, "checkout"])
        .await?;
    sidecar.take().await?;
    assert_eq!(sidecar.held.rules(), Vec::<&str>::new());
    assert_eq!(sidecar.held.key(), None);
    world.stop_operator().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_snapshot_is_in_status_and_events_with_pod_and_path() -> Result<()> {
    let mut world = World::start().await?;
    let good = world.running_pod("checkout-1", |_| {}).await?;
    let bad = world.running_pod("checkout-2", |_| {}).await?;
    world.apply(&manifests::secret("sk-first")).await?;
    world.apply(&manifests::pool(BASE_URL)).await?;
    world.apply(&manifests::route("first")).await?;
    world
        .route_condition(("Accepted", "True", "Accepted"))
        .await?;
    let mut honest = Sidecar::connect(&world, &good).await?;
    // Key and pool may come after the route: what is refused must be the last of them.
    honest
        .take_until(|held| {
            held.key().is_some() && held.rules() == ["first"] && held.unavailable().is_empty()
        })
        .await?;
    let mut old = Sidecar::connect(&world, &bad).await?;
    old.refuse(Problem::new(
        "rules[0].name",
        ProblemCode::Unsupported,
        "too new for me",
    ))
    .await?;

    let condition = world
        .route_condition(("Programmed", "False", "Rejected"))
        .await?;
    let expected = "1 of 2 sidecars refused it: checkout-2: rules[0].name: too new for me";
    assert_eq!(condition.message, expected);
    world.programmed("1/2").await?;
    let status = world.route().await?.status.context("no status")?;
    let rejection = status.rejections.first().context("no rejection")?;
    assert_eq!(
        (rejection.pod.as_str(), rejection.generation),
        ("checkout-2", 1)
    );
    assert_eq!(rejection.message, "rules[0].name: too new for me");
    let counts = status.sidecars.context("no counts")?;
    assert_eq!(
        (counts.selected, counts.connected, counts.rejected),
        (2, 2, 1)
    );
    let note = world.event(SHOP, "checkout-2", "SnapshotRejected").await?;
    assert_eq!(note, "rules[0].name: too new for me");

    // What was refused is not sent again; what is new is.
    old.is_quiet().await?;
    world.apply(&manifests::route("second")).await?;
    old.take().await?;
    honest.take().await?;
    world.programmed("2/2").await?;
    assert!(
        world
            .route()
            .await?
            .status
            .context("no status")?
            .rejections
            .is_empty()
    );
    world.stop_operator().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_route_without_pods_is_ready() -> Result<()> {
    let mut world = World::start().await?;
    world.apply(&manifests::secret("sk-first")).await?;
    world.apply(&manifests::pool(BASE_URL)).await?;
    world.apply(&manifests::route("first")).await?;
    world
        .route_condition(("Programmed", "True", "NoWorkloads"))
        .await?;
    world.route_condition(("Ready", "True", "Ready")).await?;
    world.stop_operator().await
}
