//! Each step of a script, seen from a client, byte for byte.

#[path = "steps/client.rs"]
mod client;
#[path = "steps/connections.rs"]
mod connections;
#[path = "steps/streams.rs"]
mod streams;

use std::time::Duration;

use client::{Client, Ended, chat};
use fkm_upstream::{Answer, BreakBody, End, Status, Step, ToolCall, Upstream};
use serde_json::{Value, json};
use tokio::time::Instant;

const CHAT: &str = "/v1/chat/completions";
const MESSAGES: &str = "/v1/messages";
const RESPONSES: &str = "/v1/responses";
const SOON: Duration = Duration::from_secs(5);

async fn start(script: Vec<Step>) -> (Upstream, Client) {
    let upstream = Upstream::start().await.expect("there is a free port");
    upstream.script(script);
    let client = Client::connect(upstream.address()).await;
    (upstream, client)
}

fn weather() -> Vec<ToolCall> {
    vec![ToolCall {
        id: "call_1".to_owned(),
        name: "weather".to_owned(),
        arguments: r#"{"city":"Ulm"}"#.to_owned(),
    }]
}

#[tokio::test]
async fn answers_in_both_formats_on_one_connection() {
    let (upstream, mut client) = start(vec![Step::answer("one"), Step::answer("two")]).await;
    let first = client.post(CHAT, &chat(false)).await;
    assert_eq!((first.status, first.ended), (200, Ended::Complete));
    assert_eq!(first.json()["choices"][0]["message"]["content"], "one");
    assert_eq!(first.json()["usage"]["total_tokens"], 18);
    let second = client.post(MESSAGES, &chat(false)).await;
    assert_eq!(second.json()["content"][0]["text"], "two");
    assert_eq!(second.json()["usage"]["output_tokens"], 7);
    let third = client.post(CHAT, &chat(false)).await;
    assert_eq!(
        third.json()["choices"][0]["message"]["content"],
        "Hello from the upstream."
    );

    let requests = upstream.requests();
    assert_eq!(requests.len(), 3);
    assert!(
        requests
            .iter()
            .all(|request| request.connection == 0 && !request.cancelled())
    );
    assert_eq!(requests[1].path, MESSAGES);
    assert_eq!(requests[1].json(), chat(false));
    assert_eq!(requests[1].header("authorization"), Some("Bearer sk-test"));
}

#[tokio::test]
async fn tools_are_called_in_both_formats() {
    let answer = Answer {
        text: String::new(),
        tool_calls: weather(),
        ..Answer::default()
    };
    let (upstream, mut client) = start(Vec::new()).await;
    upstream.set_default(Step::Answer(answer));
    let seen = client.post(CHAT, &chat(false)).await.json();
    assert_eq!(seen["choices"][0]["finish_reason"], "tool_calls");
    assert_eq!(seen["choices"][0]["message"]["content"], Value::Null);
    assert_eq!(
        seen["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"],
        weather()[0].arguments
    );
    let seen = client.post(MESSAGES, &chat(false)).await.json();
    assert_eq!(
        seen["content"],
        json!([
            {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Ulm"}}
        ])
    );
    let seen = client.post(MESSAGES, &chat(true)).await.text();
    assert!(
        seen.contains("input_json_delta") && seen.contains("tool_use"),
        "{seen}"
    );
    let seen = client.post(CHAT, &chat(true)).await.text();
    assert!(
        seen.contains(r#""tool_calls":[{"#) && seen.contains(r#"\"Ulm\""#),
        "{seen}"
    );
}

#[tokio::test]
async fn errors_have_status_headers_and_the_formats_body() {
    let own = Status {
        status: 529,
        headers: vec![("content-type".to_owned(), "text/plain".to_owned())],
        body: "busy".to_owned(),
    };
    let (_upstream, mut client) = start(vec![
        Step::rate_limited(2),
        Step::status(529),
        Step::Status(own),
    ])
    .await;
    let limited = client.post(CHAT, &chat(false)).await;
    assert_eq!(limited.status, 429);
    assert!(
        limited.head.contains("retry-after: 2\r\n"),
        "{}",
        limited.head
    );
    assert_eq!(limited.json()["error"]["code"], "rate_limit_exceeded");
    let overloaded = client.post(MESSAGES, &chat(false)).await;
    assert_eq!(overloaded.status, 529);
    assert_eq!(overloaded.json()["error"]["type"], "overloaded_error");
    let own = client.post(CHAT, &chat(false)).await;
    assert_eq!((own.status, own.text().as_str()), (529, "busy"));
    assert!(!own.head.contains("application/json"), "{}", own.head);
}

#[tokio::test]
async fn hangs_before_and_after_the_head_until_the_client_leaves() {
    let (upstream, mut client) = start(vec![Step::Hang, Step::HangAfterHeaders]).await;
    let seen = client.post(CHAT, &chat(false)).await;
    assert_eq!((seen.head.as_str(), seen.ended), ("", Ended::Waiting));
    assert!(!upstream.requests()[0].cancelled());
    drop(client);
    let left = Instant::now();
    let requests = upstream
        .wait_until(SOON, |all| all[0].cancelled())
        .await
        .unwrap();
    let noticed = requests[0].cancelled_at.unwrap() - left;
    assert!(noticed < Duration::from_secs(1), "{noticed:?}");
    assert!(requests[0].cancelled_after() >= Some(Duration::from_millis(300)));
    assert_eq!(requests[0].answered_at, None);

    let mut client = Client::connect(upstream.address()).await;
    let seen = client.post(CHAT, &chat(true)).await;
    assert_eq!(
        (seen.status, seen.body.len(), seen.ended),
        (200, 0, Ended::Waiting)
    );
    assert!(seen.head.contains("text/event-stream"), "{}", seen.head);
}

#[tokio::test]
async fn a_body_breaks_after_its_head() {
    for (end, ended) in [(End::Close, Ended::Closed), (End::Reset, Ended::Reset)] {
        for after in [0, 1, 20, 100_000] {
            let (_upstream, mut client) = start(vec![Step::BreakBody(BreakBody {
                answer: Answer::default(),
                after,
                end,
            })])
            .await;
            let seen = client.post(CHAT, &chat(false)).await;
            assert_eq!((seen.status, seen.ended), (200, ended));
            assert!(
                seen.body.len() == after || after == 100_000,
                "{}",
                seen.body.len()
            );
            let promised = format!("content-length: {}\r\n", seen.body.len());
            assert!(!seen.head.contains(&promised), "{}", seen.head);
        }
    }
}

#[tokio::test]
async fn raw_bytes_are_sent_as_they_are() {
    let (_upstream, mut client) =
        start(vec![Step::Raw(b"HTTP/1.1 2\xff0 no\r\n\r\n".to_vec())]).await;
    let seen = client.post(CHAT, &chat(false)).await;
    assert_eq!(
        (seen.head.as_str(), seen.ended),
        ("HTTP/1.1 2\u{fffd}0 no\r\n\r\n", Ended::Closed)
    );
}

#[tokio::test]
async fn the_key_is_echoed_in_body_and_header() {
    let (_upstream, mut client) = start(vec![Step::EchoKey { status: 401 }]).await;
    let seen = client.post(CHAT, &chat(false)).await;
    assert_eq!(seen.status, 401);
    assert!(
        seen.head.contains("x-echoed-key: sk-test\r\n"),
        "{}",
        seen.head
    );
    assert!(
        seen.text().contains("provided: sk-test."),
        "{}",
        seen.text()
    );
}

#[tokio::test]
async fn a_step_can_be_delayed() {
    let (_upstream, mut client) = start(vec![Step::status(500).delayed(60)]).await;
    let begun = Instant::now();
    assert_eq!(client.post(CHAT, &chat(false)).await.status, 500);
    assert!(begun.elapsed() >= Duration::from_millis(60));
}
