//! What survives the operator.

use anyhow::{Result, ensure};

use crate::manifests;
use crate::sidecar::Sidecar;
use crate::world::{SYSTEM, World, always, eventually};

const GOOD: &str = "https://llm.example.com/v1";
/// The metadata service in a spelling that the schema's patterns do not see.
const BAD: &str = "http://2852039166/v1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sidecar_that_has_everything_is_sent_nothing() -> Result<()> {
    let mut world = World::start().await?;
    let pod = world.running_pod("checkout-1", |_| {}).await?;
    world.apply(&manifests::secret("sk-first")).await?;
    world.apply(&manifests::pool(GOOD)).await?;
    world.apply(&manifests::route("first")).await?;
    world
        .route_condition(("Accepted", "True", "Accepted"))
        .await?;
    let mut sidecar = Sidecar::connect(&world, &pod).await?;
    sidecar
        .take_until(|held| held.key().is_some() && held.rules() == ["first"])
        .await?;
    world.programmed("1/1").await?;
    ensure!(
        world
            .metric("fkm_operator_push_snapshot_bytes_sent_total")
            .await?
            > 0
    );

    let status = world.route().await?.status;
    world.stop_operator().await?;
    let ended = sidecar.ended().await?;
    ensure!(
        ended.contains("Unavailable"),
        "a stream ends with a reason to come back: {ended}"
    );
    always("the status stays while nobody serves", async || {
        ensure!(world.route().await?.status == status, "it changed");
        Ok(())
    })
    .await?;

    world.start_operator().await?;
    let mut back = Sidecar::connect_with(&world, &pod, sidecar.held.clone()).await?;
    world.programmed("1/1").await?;
    back.is_quiet().await?;
    assert_eq!(
        world
            .metric("fkm_operator_push_snapshot_bytes_sent_total")
            .await?,
        0
    );
    assert_eq!(
        world.metric("fkm_operator_push_secrets_sent_total").await?,
        0
    );
    assert_eq!(world.route().await?.status, status, "a restart is no news");
    world.stop_operator().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_edit_leaves_the_good_spec_serving_also_after_a_restart() -> Result<()> {
    let mut world = World::start().await?;
    let pod = world.running_pod("checkout-1", |_| {}).await?;
    world.apply(&manifests::secret("sk-first")).await?;
    world.apply(&manifests::pool(GOOD)).await?;
    world.apply(&manifests::route("first")).await?;
    world
        .route_condition(("Accepted", "True", "Accepted"))
        .await?;
    let mut sidecar = Sidecar::connect(&world, &pod).await?;
    sidecar
        .take_until(|held| held.key().is_some() && held.rules() == ["first"])
        .await?;
    world.programmed("1/1").await?;
    let good = sidecar.held.hash();

    world.apply(&manifests::pool(BAD)).await?;
    let condition = world
        .pool_condition(("Accepted", "False", "Invalid"))
        .await?;
    ensure!(
        condition.message.contains("spec.providers[0].baseURL"),
        "{}",
        condition.message
    );
    ensure!(
        condition.message.contains("2852039166"),
        "{}",
        condition.message
    );
    ensure!(
        condition.message.ends_with("generation 1 goes on serving"),
        "{}",
        condition.message
    );
    world.pool_condition(("Stalled", "True", "Invalid")).await?;
    let note = world.event(SYSTEM, "chat", "Invalid").await?;
    ensure!(note.contains("2852039166"), "{note}");
    sidecar.is_quiet().await?;
    world.route_condition(("Ready", "True", "Ready")).await?;

    world.stop_operator().await?;
    world.start_operator().await?;
    // One that has lost everything gets the good spec, from the revision.
    let mut fresh = Sidecar::connect(&world, &pod).await?;
    fresh.take().await?;
    assert_eq!(
        fresh.held.hash(),
        good,
        "the first thing that is sent after a restart is right"
    );
    assert_eq!(fresh.held.providers(), ["keyed", "canned"]);
    world
        .pool_condition(("Accepted", "False", "Invalid"))
        .await?;

    // The next good edit is served.
    world
        .apply(&manifests::pool("https://other.example.com/v1"))
        .await?;
    fresh.take().await?;
    assert_ne!(fresh.held.hash(), good);
    world.pool_condition(("Ready", "True", "Ready")).await?;
    world.stop_operator().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_accepted_specs_are_kept_and_go_with_their_owner() -> Result<()> {
    let mut world = World::start().await?;
    world.apply(&manifests::secret("sk-first")).await?;
    world.apply(&manifests::route("first")).await?;
    let edits = [
        GOOD,
        BAD,
        "https://a.example.com",
        BAD,
        "https://b.example.com",
    ];
    for (base_url, accepted) in edits.into_iter().zip([true, false, true, false, true]) {
        world.apply(&manifests::pool(base_url)).await?;
        let (status, reason) = if accepted {
            ("True", "Accepted")
        } else {
            ("False", "Invalid")
        };
        world.pool_condition(("Accepted", status, reason)).await?;
    }
    eventually(
        "the last two good specs of the pool are left, and the route's",
        async || {
            let mut generations: Vec<_> = world
                .revisions()
                .await?
                .iter()
                .map(|name| generation(name))
                .collect();
            generations.sort();
            ensure!(
                generations == ["llmroute 1", "providerpool 3", "providerpool 5"],
                "{generations:?}"
            );
            Ok(())
        },
    )
    .await?;
    world
        .kubectl(&["delete", "-n", SYSTEM, "providerpool", "chat"])
        .await?;
    eventually("the revisions go with their owner", async || {
        let kept = world.revisions().await?;
        ensure!(
            kept.iter().all(|name| name.starts_with("llmroute")),
            "{kept:?}"
        );
        Ok(())
    })
    .await?;
    world.stop_operator().await
}

/// Kind and generation, of `<kind>-<uid>-<generation>`.
fn generation(name: &str) -> String {
    let kind = name.split('-').next().unwrap_or_default();
    format!("{kind} {}", name.rsplit('-').next().unwrap_or_default())
}
