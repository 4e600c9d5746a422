//! A platform engineer applies, edits and deletes; an application notices the difference and nothing else.

use std::time::Duration;

use fkm_tests::http;
use fkm_tests::sdk::{Sdk, ask};
use fkm_upstream::{Step, Streamed};
use tokio::time::Instant;

use crate::scene::{Scene, question, route};

const ROUTE: [&str; 4] = ["llmroute", "-n", "shop", "assistant"];

#[tokio::test]
async fn apply_edit_and_delete_a_route() {
    let scene = Scene::start().await;
    scene.a.set_default(Step::answer("from a"));
    scene.b.set_default(Step::answer("from b"));
    the_sdks_are_answered_and_the_status_says_so(&scene).await;
    the_second_provider_answers_while_the_first_is_down(&scene).await;
    an_edit_is_live_within_a_second_and_cuts_no_stream(&scene).await;
    a_deleted_route_leaves_a_clean_error(&scene).await;
}

async fn the_sdks_are_answered_and_the_status_says_so(scene: &Scene) {
    let base_url = scene.sidecar.base_url();
    for (sdk, finish) in [(Sdk::OpenAi, "stop"), (Sdk::Anthropic, "end_turn")] {
        for stream in [false, true] {
            let answer = ask(sdk, &base_url, "m", stream).await.unwrap();
            let expected = serde_json::json!({"text": "from a", "finish": finish});
            assert_eq!(answer, expected, "{sdk:?}, stream {stream}");
        }
    }
    let installation = &scene.installation;
    for condition in ["Accepted", "ResolvedRefs", "Programmed", "Ready"] {
        installation
            .condition(&ROUTE, condition, "True")
            .await
            .unwrap();
    }
    let summary = [
        &["get"],
        &ROUTE[..],
        &["-o", "jsonpath={.status.sidecars.summary}"],
    ]
    .concat();
    assert_eq!(installation.kubectl(&summary).await.unwrap(), "1/1");
    let pool = ["providerpool", "-n", "fkm-system", "a"];
    installation
        .condition(&pool, "Ready", "True")
        .await
        .unwrap();
}

async fn the_second_provider_answers_while_the_first_is_down(scene: &Scene) {
    scene.a.refuse().await;
    let answer = ask(Sdk::OpenAi, &scene.sidecar.base_url(), "m", false)
        .await
        .unwrap();
    assert_eq!(answer["text"], "from b");
    scene.a.reopen().unwrap();
}

async fn an_edit_is_live_within_a_second_and_cuts_no_stream(scene: &Scene) {
    let before = scene.a.requests().len();
    let stream = Streamed {
        delay_millis: 40,
        ..Streamed::counting(60)
    };
    scene.a.script(vec![Step::Streamed(stream)]);
    let (url, body) = (scene.chat_url(), question(true));
    let streaming = tokio::spawn(async move { http::post(&url, &body).await });
    let begun = scene
        .a
        .wait_until(Duration::from_secs(5), |requests| requests.len() > before);
    begun.await.unwrap();
    scene.installation.apply(&route(&["b", "a"])).await.unwrap();
    let applied = Instant::now();
    loop {
        let reply = http::post(&scene.chat_url(), &question(false))
            .await
            .unwrap();
        assert_eq!(reply.status, 200, "{reply:?}");
        if reply.header("x-fkm-provider") == "b" {
            break;
        }
        assert!(
            applied.elapsed() < Duration::from_secs(1),
            "the edit is not live"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let stream = streaming.await.unwrap().unwrap().body;
    assert!(
        stream.contains("59 ") && stream.ends_with("data: [DONE]\n\n"),
        "{stream}"
    );
}

async fn a_deleted_route_leaves_a_clean_error(scene: &Scene) {
    scene
        .installation
        .kubectl(&[&["delete"], &ROUTE[..]].concat())
        .await
        .unwrap();
    let deleted = Instant::now();
    let reply = loop {
        let reply = http::post(&scene.chat_url(), &question(false))
            .await
            .unwrap();
        if reply.status == 404 {
            break reply;
        }
        assert!(deleted.elapsed() < Duration::from_secs(10), "{reply:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    for part in ["no LLMRoute selects this pod", "model_not_found"] {
        assert!(reply.body.contains(part), "{reply:?}");
    }
    assert!(scene.sidecar.is_ready().await, "an empty snapshot is ready");
}

#[tokio::test]
async fn a_route_that_is_narrowed_lists_what_is_left() {
    let scene = Scene::start().await;
    let narrowed = route(&["a"]).replace(
        "  - name: all\n",
        "  - name: all\n    matches: [{ models: [other, m-2] }]\n",
    );
    scene.installation.apply(&narrowed).await.unwrap();
    scene.sidecar.until_config_holds("m-2").await.unwrap();
    let reply = http::post(&scene.chat_url(), &question(false))
        .await
        .unwrap();
    assert_eq!(reply.status, 404);
    assert!(reply.body.contains("there are: m-2, other"), "{reply:?}");
}
