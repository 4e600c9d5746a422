//! The operator goes away and comes back; sidecars do not care.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fkm_tests::{Sidecar, http};
use fkm_upstream::{Step, Streamed};
use serde_json::Value;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::scene::{Scene, question};

/// The value of a metric without labels.
fn metric(page: &str, name: &str) -> f64 {
    let line = page.lines().find(|line| {
        line.strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(' '))
    });
    let value = line
        .unwrap_or_else(|| panic!("{name} is not in {page}"))
        .rsplit(' ')
        .next();
    value.unwrap().parse().unwrap()
}

async fn hash(sidecar: &Sidecar) -> Value {
    let config: Value = serde_json::from_str(&sidecar.config().await.unwrap()).unwrap();
    config["hash"].clone()
}

/// Asks without a pause until told to stop; how many were answered. Panics when one is not.
fn traffic(url: String, stop: Arc<AtomicBool>) -> JoinHandle<u32> {
    tokio::spawn(async move {
        let mut answered = 0;
        while !stop.load(Ordering::Relaxed) {
            let reply = http::post(&url, &question(answered % 2 == 0))
                .await
                .unwrap();
            assert_eq!(reply.status, 200, "{reply:?}");
            answered += 1;
        }
        answered
    })
}

#[tokio::test]
async fn an_operator_that_is_killed_under_traffic_fails_no_request() {
    let mut scene = Scene::start().await;
    let before = hash(&scene.sidecar).await;
    let stop = Arc::new(AtomicBool::new(false));
    let traffic = traffic(scene.chat_url(), stop.clone());
    tokio::time::sleep(Duration::from_millis(300)).await;
    scene.installation.kill_operator().unwrap();
    tokio::time::sleep(Duration::from_millis(700)).await;
    stop.store(true, Ordering::Relaxed);
    let answered = traffic.await.unwrap();
    assert!(answered > 20, "{answered} requests");

    // A sidecar restarted meanwhile serves from what it kept.
    scene.sidecar.restart().await.unwrap();
    assert!(scene.sidecar.is_ready().await);
    let reply = http::post(&scene.chat_url(), &question(false))
        .await
        .unwrap();
    assert_eq!(
        (reply.status.as_u16(), reply.header("x-fkm-provider")),
        (200, "a")
    );

    // One that has nothing to serve is not ready.
    let pod = scene
        .installation
        .create_pod("shop", "app-2", "app")
        .await
        .unwrap();
    let mut new = scene.installation.start_sidecar(&pod).await.unwrap();
    assert!(!new.is_ready().await);
    let url = format!("{}/chat/completions", new.base_url());
    assert_eq!(
        http::post(&url, &question(false)).await.unwrap().status,
        503
    );

    // The operator is back: the same snapshot, and nothing of it is sent again.
    scene.installation.start_operator().await.unwrap();
    new.until_ready().await.unwrap();
    until_connected(&scene.sidecar).await;
    let route = ["llmroute", "-n", "shop", "assistant"];
    scene
        .installation
        .condition(&route, "Programmed", "True")
        .await
        .unwrap();
    let page = scene.sidecar.metrics().await.unwrap();
    assert!(
        metric(&page, "fkm_snapshot_received_bytes_total").abs() < f64::EPSILON,
        "{page}"
    );
    assert_eq!(hash(&scene.sidecar).await, before);
    assert_eq!(
        hash(&new).await,
        before,
        "the same group, the same bytes, after a restart"
    );
}

async fn until_connected(sidecar: &Sidecar) {
    let until = Instant::now() + Duration::from_secs(30);
    while metric(&sidecar.metrics().await.unwrap(), "fkm_push_connected") < 1.0 {
        assert!(Instant::now() < until, "the sidecar does not come back");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn sigterm_ends_operator_and_sidecar_in_good_order() {
    let mut scene = Scene::start().await;
    scene.a.script(vec![Step::Streamed(Streamed {
        delay_millis: 50,
        ..Streamed::counting(20)
    })]);
    let url = scene.chat_url();
    let streaming = tokio::spawn(async move { http::post(&url, &question(true)).await });
    scene
        .a
        .wait_until(Duration::from_secs(5), |requests| !requests.is_empty())
        .await
        .unwrap();
    assert_eq!(scene.installation.stop_operator().await.unwrap(), Some(0));
    assert_eq!(scene.sidecar.stop().await.unwrap(), Some(0));
    let stream = streaming.await.unwrap().unwrap();
    assert!(
        stream.body.contains("19 ") && stream.body.ends_with("data: [DONE]\n\n"),
        "{}",
        stream.body
    );
}
