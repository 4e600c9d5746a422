//! Keys: missing, rotated, removed.

use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::time::Instant;

use crate::manifests;
use crate::sidecar::Sidecar;
use crate::world::{SYSTEM, World};

const ROTATED_WITHIN: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_secret_drops_only_what_needs_it() -> Result<()> {
    let mut world = World::start().await?;
    let pod = world.running_pod("checkout-1", |_| {}).await?;
    world
        .apply(&manifests::pool("https://llm.example.com/v1"))
        .await?;
    world.apply(&manifests::route_that_needs_the_key()).await?;
    let condition = world
        .route_condition(("ResolvedRefs", "False", "SecretNotFound"))
        .await?;
    ensure!(
        condition.message.contains("llm-key"),
        "{}",
        condition.message
    );
    world
        .pool_condition(("ResolvedRefs", "False", "SecretNotFound"))
        .await?;
    world.event(SYSTEM, "chat", "SecretNotFound").await?;

    let mut sidecar = Sidecar::connect(&world, &pod).await?;
    sidecar.take().await?;
    assert_eq!(sidecar.held.providers(), ["canned"]);
    assert_eq!(sidecar.held.rules(), ["keyed", "first"]);
    assert_eq!(sidecar.held.unavailable(), [("keyed", "SecretNotFound")]);
    world
        .route_condition(("Programmed", "True", "Programmed"))
        .await?;
    world
        .route_condition(("Ready", "False", "SecretNotFound"))
        .await?;

    // It comes, is rotated, and goes; each time the sidecar has it soon.
    world.apply(&manifests::secret("sk-first")).await?;
    sidecar.take().await?;
    assert_eq!(sidecar.held.providers(), ["keyed", "canned"]);
    assert_eq!(sidecar.held.key(), Some("sk-first"));
    assert_eq!(sidecar.held.unavailable(), []);
    world.route_condition(("Ready", "True", "Ready")).await?;

    let before = sidecar.held.hash();
    world.apply(&manifests::secret("sk-second")).await?;
    let rotated = Instant::now();
    sidecar.take().await?;
    ensure!(
        rotated.elapsed() < ROTATED_WITHIN,
        "rotated after {:?}",
        rotated.elapsed()
    );
    assert_eq!(sidecar.held.key(), Some("sk-second"));
    assert_eq!(
        sidecar.held.hash(),
        before,
        "a rotation does not change the snapshot"
    );
    world.programmed("1/1").await?;

    world
        .kubectl(&["delete", "secret", "-n", SYSTEM, "llm-key"])
        .await?;
    sidecar.take().await?;
    assert_eq!(sidecar.held.providers(), ["canned"]);
    assert_eq!(sidecar.held.key(), None);
    world
        .route_condition(("ResolvedRefs", "False", "SecretNotFound"))
        .await?;
    world.stop_operator().await
}
