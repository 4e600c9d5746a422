//! Streams: their pieces, where they are cut, how they end.

use std::time::Duration;

use fkm_upstream::{Answer, Cut, End, Step, Streamed, UsageChunk};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::client::{Client, Ended, chat};
use super::{CHAT, MESSAGES, RESPONSES, SOON, start, weather};

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
