//! Counts of tokens: by the provider that would answer, or estimated and marked.

use fkm_upstream::Upstream;
use http::StatusCode;
use serde_json::{Value, json};

use crate::formats::http;
use crate::harness::{Sidecar, anthropic, provider, snapshot};

/// A provider of Anthropic's format that counts.
fn counting(name: &str, upstream: &Upstream, priority: i32) -> Value {
    let mut provider = anthropic(name, &upstream.base_url(), priority);
    provider["connection"]["http"]["dialect"]["countPath"] = json!("/messages/count_tokens");
    provider
}

fn question() -> String {
    let words = "word ".repeat(400);
    json!({"model": "alias", "messages": [{"role": "user", "content": words}]}).to_string()
}

const PATH: &str = "/anthropic/v1/messages/count_tokens";

#[tokio::test]
async fn the_provider_counts_for_clients_of_its_format() {
    let (a, b) = (
        Upstream::start().await.unwrap(),
        Upstream::start().await.unwrap(),
    );
    let providers = [counting("a", &a, 0), counting("b", &b, 1)];
    let sidecar = Sidecar::start(&snapshot(&providers)).await;
    a.script(vec![http("529 Overloaded", "application/json", b"{}")]);
    b.script(vec![http(
        "200 OK",
        "application/json",
        br#"{"input_tokens": 77}"#,
    )]);
    let reply = sidecar.post(PATH, question()).await;
    assert_eq!(reply.json(), json!({"input_tokens": 77}), "{reply:?}");
    assert_eq!(
        (
            reply.header("x-fkm-provider"),
            reply.header("x-fkm-estimated")
        ),
        ("b", "")
    );
    let sent = b.requests().pop().unwrap();
    assert_eq!(
        (sent.path.as_str(), &sent.json()["model"]),
        ("/v1/messages/count_tokens", &json!("m-upstream"))
    );
}

#[tokio::test]
async fn an_answer_without_a_count_is_a_failed_attempt() {
    let a = Upstream::start().await.unwrap();
    let sidecar = Sidecar::start(&snapshot(&[counting("a", &a, 0)])).await;
    a.script(vec![http("200 OK", "application/json", b"{}")]);
    let reply = sidecar.post(PATH, question()).await;
    assert_eq!(reply.status, StatusCode::BAD_GATEWAY, "{reply:?}");
}

#[tokio::test]
async fn what_nobody_counts_is_estimated_and_says_so() {
    let (a, b) = (
        Upstream::start().await.unwrap(),
        Upstream::start().await.unwrap(),
    );
    // Another model would answer first, so that the second one's count says nothing.
    let providers = [provider("a", &a.base_url(), 0), counting("b", &b, 1)];
    let sidecar = Sidecar::start(&snapshot(&providers)).await;
    let reply = sidecar.post(PATH, question()).await;
    let tokens = reply.json()["input_tokens"].as_u64().unwrap();
    assert!((500..530).contains(&tokens), "{tokens}");
    assert_eq!(reply.header("x-fkm-estimated"), "input_tokens");
    let body = json!({"contents": [{"parts": [{"text": "word ".repeat(400)}]}]}).to_string();
    let reply = sidecar
        .post("/gemini/v1beta/models/m:countTokens", body)
        .await;
    assert!(
        sidecar
            .metrics()
            .await
            .contains("fkm_counts_estimated_total 2")
    );
    let tokens = reply.json()["totalTokens"].as_u64().unwrap();
    assert!((500..530).contains(&tokens), "{tokens}");
    assert_eq!((a.requests().len(), b.requests().len()), (0, 0));
    let unknown = json!({"model": "", "messages": []}).to_string();
    assert_eq!(
        sidecar.post(PATH, unknown).await.status,
        StatusCode::BAD_REQUEST
    );
}
