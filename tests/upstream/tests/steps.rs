//! Each step of a script, seen from a client, byte for byte.

#[path = "steps/client.rs"]
mod client;

use std::time::Duration;

use client::{Client, Ended, chat};
use fkm_upstream::{
    Answer, BreakBody, Cut, End, Options, Status, Step, Streamed, ToolCall, Upstream, UsageChunk,
};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep};

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
async fn streams_as_asked() {
    let (_upstream, mut client) = start(Vec::new()).await;
    let mut asked = chat(true);
    let text = client.post(CHAT, &asked).await.text();
    assert!(
        text.ends_with("data: [DONE]\n\n") && !text.contains("usage"),
        "{text}"
    );
    assert_eq!(text.matches("data: ").count(), 1 + 4 + 1 + 1);
    asked["stream_options"] = json!({"include_usage": true});
    let text = client.post(CHAT, &asked).await.text();
    assert!(text.contains(r#""total_tokens":18"#), "{text}");
    let seen = client.post(MESSAGES, &chat(true)).await;
    assert_eq!(seen.ended, Ended::Complete);
    assert!(seen.head.contains("text/event-stream"), "{}", seen.head);
    assert!(
        seen.text().starts_with("event: message_start\n"),
        "{}",
        seen.text()
    );
    assert!(
        seen.text().contains("event: message_stop\n"),
        "{}",
        seen.text()
    );
}

#[tokio::test]
async fn responses_are_answered_whole_and_as_a_stream() {
    let whole = Answer {
        text: "hi".to_owned(),
        tool_calls: weather(),
        ..Answer::default()
    };
    let streamed = Streamed {
        pieces: vec!["h".to_owned(), "i".to_owned()],
        tool_calls: weather(),
        ..Streamed::default()
    };
    let (_upstream, mut client) = start(vec![Step::Answer(whole), Step::Streamed(streamed)]).await;
    let body = client.post(RESPONSES, &chat(false)).await.json();
    assert_eq!(body["output"][0]["content"][0]["text"], "hi");
    assert_eq!(body["output"][1]["arguments"], r#"{"city":"Ulm"}"#);
    assert_eq!(body["usage"]["total_tokens"], 18);
    let stream = client.post(RESPONSES, &chat(true)).await.text();
    let events: Vec<Value> = stream
        .lines()
        .filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok())
        .collect();
    assert_eq!(events.len(), 2 + 2 + 2 + 3 + 4 + 1);
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], number);
    }
    let last = &events[events.len() - 1];
    assert_eq!(last["type"], "response.completed");
    assert_eq!(
        last["response"]["output"],
        body["output"]
            .to_string()
            .replace("upstream0", "upstream1")
            .parse::<Value>()
            .unwrap()
    );
}

#[tokio::test]
async fn streams_cut_at_every_frame_and_end_in_three_ways() {
    let (upstream, mut whole) = start(vec![Step::Streamed(Streamed::counting(5))]).await;
    let whole = whole.post(CHAT, &chat(false)).await.text();
    let frames: Vec<_> = whole.split_inclusive("\n\n").collect();
    assert_eq!(frames.len(), 1 + 5 + 1 + 1);
    for (end, ended) in [
        (End::Clean, Ended::Complete),
        (End::Close, Ended::Closed),
        (End::Reset, Ended::Reset),
    ] {
        for count in 0..=frames.len() {
            upstream.reset();
            upstream.script(vec![Step::Streamed(Streamed {
                cut: Cut::AfterFrame(count),
                end,
                ..Streamed::counting(5)
            })]);
            let mut client = Client::connect(upstream.address()).await;
            let seen = client.post(CHAT, &chat(true)).await;
            assert_eq!(seen.ended, ended, "{count}");
            let same = seen.text().matches("data: ").count();
            assert_eq!(same, count, "{end:?}: {}", seen.text());
        }
    }
}

#[tokio::test]
async fn streams_cut_at_any_byte_and_in_any_pieces() {
    let frames = vec![
        "data: {\"a\":\"\u{e9}\"}\n\n".to_owned(),
        ": quiet\n\n".to_owned(),
    ];
    let bytes = frames.concat().into_bytes();
    for rechunk in [0, 1, 7] {
        for at in 0..=bytes.len() {
            let (_upstream, mut client) = start(vec![Step::Streamed(Streamed {
                frames: frames.clone(),
                cut: Cut::AtByte(at),
                end: End::Close,
                rechunk,
                ..Streamed::default()
            })])
            .await;
            let seen = client.post(CHAT, &chat(true)).await;
            assert_eq!(
                (seen.body.as_slice(), seen.ended),
                (&bytes[..at], Ended::Closed)
            );
        }
    }
}

#[tokio::test]
async fn usage_chunk_is_as_told() {
    for (usage_chunk, expected) in [(UsageChunk::Always, true), (UsageChunk::Never, false)] {
        let (_upstream, mut client) = start(vec![Step::Streamed(Streamed {
            usage_chunk,
            ..Streamed::default()
        })])
        .await;
        let mut asked = chat(true);
        asked["stream_options"] = json!({"include_usage": !expected});
        assert_eq!(
            client
                .post(CHAT, &asked)
                .await
                .text()
                .contains("total_tokens"),
            expected
        );
    }
}

#[tokio::test]
async fn writes_wait_for_each_other() {
    let (_upstream, mut client) = start(vec![Step::Streamed(Streamed {
        delay_millis: 10,
        ..Streamed::counting(5)
    })])
    .await;
    let begun = Instant::now();
    let seen = client.post(CHAT, &chat(true)).await;
    assert_eq!(seen.ended, Ended::Complete);
    assert!(
        begun.elapsed() >= Duration::from_millis(70),
        "{:?}",
        begun.elapsed()
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
async fn a_stream_notices_its_client_leaving() {
    let (upstream, mut client) = start(vec![Step::Streamed(Streamed {
        delay_millis: 20,
        ..Streamed::counting(1000)
    })])
    .await;
    assert_eq!(client.post(CHAT, &chat(true)).await.ended, Ended::Waiting);
    drop(client);
    let requests = upstream
        .wait_until(SOON, |all| all[0].cancelled())
        .await
        .unwrap();
    assert!(requests[0].cancelled_after() < Some(Duration::from_secs(2)));
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
async fn a_connection_is_dropped_without_an_answer() {
    for (end, ended) in [(End::Close, Ended::Closed), (End::Reset, Ended::Reset)] {
        let (_upstream, mut client) = start(vec![Step::answer("first"), Step::Drop(end)]).await;
        assert_eq!(client.post(CHAT, &chat(false)).await.ended, Ended::Complete);
        let seen = client.post(CHAT, &chat(false)).await;
        assert_eq!((seen.head.as_str(), seen.ended), ("", ended));
    }
}

#[tokio::test]
async fn a_step_can_be_delayed() {
    let (_upstream, mut client) = start(vec![Step::status(500).delayed(60)]).await;
    let begun = Instant::now();
    assert_eq!(client.post(CHAT, &chat(false)).await.status, 500);
    assert!(begun.elapsed() >= Duration::from_millis(60));
}

#[tokio::test]
async fn refuses_and_reopens_on_the_same_port() {
    let (upstream, mut client) = start(Vec::new()).await;
    client.post(CHAT, &chat(false)).await;
    for _ in 0..3 {
        upstream.refuse().await;
        let refused = TcpStream::connect(upstream.address()).await.unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
        assert_ne!(client.read().await.ended, Ended::Waiting);
        upstream.reopen().unwrap();
        client = Client::connect(upstream.address()).await;
        assert_eq!(client.post(CHAT, &chat(false)).await.status, 200);
    }
}

#[tokio::test]
async fn idle_connections_are_closed() {
    let upstream = Upstream::start_with(Options {
        idle_close: Some(Duration::from_millis(50)),
        ..Options::default()
    })
    .await
    .unwrap();
    let mut client = Client::connect(upstream.address()).await;
    assert_eq!(client.post(CHAT, &chat(false)).await.ended, Ended::Complete);
    assert_eq!(client.read().await.ended, Ended::Closed);
}

#[tokio::test]
async fn chunked_requests_pipelined_requests_and_other_paths() {
    let (upstream, mut client) = start(vec![Step::answer("a"), Step::answer("b")]).await;
    let head = "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n";
    let chunked = format!("{head}transfer-encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n");
    let plain = format!("{head}content-length: 2\r\n\r\n{{}}");
    client.write((chunked + &plain).as_bytes()).await;
    sleep(Duration::from_millis(50)).await;
    let requests = upstream.requests();
    assert_eq!(requests.len(), 2);
    assert!(
        requests
            .iter()
            .all(|request| &*request.body == b"{}" && !request.cancelled())
    );
    drop(client);

    let mut client = Client::connect(upstream.address()).await;
    client.send("GET", "/v1/models", &Value::Null).await;
    assert_eq!(
        client.read().await.json()["data"][0]["id"],
        "upstream-model"
    );
    assert_eq!(client.post("/v1/nothing", &json!({})).await.status, 404);
    client.write(b"\x16\x03\x01 no http\r\n\r\n").await;
    assert_eq!(client.read().await.status, 400);
}

#[tokio::test]
async fn other_addresses_than_loopback_are_refused() {
    let options = Options {
        listen: "0.0.0.0:0".parse().unwrap(),
        ..Options::default()
    };
    let error = Upstream::start_with(options).await.unwrap_err();
    assert!(error.to_string().contains("loopback"), "{error}");
}

#[tokio::test]
async fn waiting_in_vain_says_what_was_there() {
    let (upstream, mut client) = start(Vec::new()).await;
    client.post(CHAT, &chat(false)).await;
    let within = Duration::from_millis(20);
    let error = upstream
        .wait_until(within, |all| all.len() == 2)
        .await
        .unwrap_err();
    assert_eq!(error.requests.len(), 1);
}
