//! Once content has been shown: a stream ends complete, or with an error that no client takes for an end.

use fkm_upstream::{Cut, End, Step, Streamed, UsageChunk};
use serde_json::json;

use crate::harness::{Speaks, pair, provider, question, snapshot};

/// Frames of the stream: role, 4 pieces, finish, usage, `[DONE]`.
const PIECES: usize = 4;
const FINISH: usize = 1 + PIECES + 1;
const ALL: usize = FINISH + 2;

#[tokio::test]
async fn for_every_frame_and_both_ends() {
    let (a, _b, sidecar) = pair().await;
    let mut seen = 0;
    for frames in 2..=ALL {
        for end in [End::Clean, End::Close, End::Reset] {
            let stream = Streamed {
                cut: Cut::AfterFrame(frames),
                end,
                ..Streamed::counting(PIECES)
            };
            a.script(vec![Step::Streamed(stream)]);
            let reply = sidecar.chat(&question(true)).await;
            let got = reply.streamed();
            let case = format!("{frames} frames, {end:?}: {:?}", reply.frames());
            assert_eq!(reply.header("x-fkm-provider"), "a", "{case}");
            assert_eq!(got.error, frames < FINISH, "{case}");
            assert_eq!(got.done, frames >= FINISH, "{case}");
            assert_eq!(got.finished, frames >= FINISH, "{case}");
            seen += 1;
        }
    }
    assert_eq!(seen, 21);
}

/// Every cut of a stream by every end, for a client of one format and a provider of another.
async fn cuts_are_never_taken_for_the_end(client: Speaks, provider: Speaks) {
    let (a, b, sidecar) = pair().await;
    let both = [
        provider.provider("a", &a.base_url(), 0),
        provider.provider("b", &b.base_url(), 1),
    ];
    sidecar.apply(&snapshot(&both));
    a.script(vec![Step::Streamed(Streamed::counting(PIECES))]);
    let whole = client.read(&client.ask(&sidecar, true).await, true);
    let mut outcomes = (0, 0, 0);
    for frames in 1..=12 {
        for end in [End::Clean, End::Close, End::Reset] {
            let cut = Cut::AfterFrame(frames);
            a.script(vec![Step::Streamed(Streamed {
                cut,
                end,
                ..Streamed::counting(PIECES)
            })]);
            b.script(vec![Step::answer("from b")]);
            let reply = client.ask(&sidecar, true).await;
            let seen = client.read(&reply, true);
            let case = format!("{client:?} to {provider:?}, {frames} frames, {end:?}: {seen:?}");
            assert_ne!(seen.complete, seen.error, "{case}");
            match (reply.header("x-fkm-provider"), seen.complete) {
                ("b", true) => outcomes.0 += 1,
                ("a", true) => {
                    assert_eq!(seen, whole, "{case}");
                    outcomes.1 += 1;
                }
                ("a", false) => {
                    assert!(whole.text.starts_with(&seen.text), "{case}");
                    outcomes.2 += 1;
                }
                other => panic!("{case}: {other:?}"),
            }
        }
    }
    let (failed_over, complete, broken) = outcomes;
    assert!(
        failed_over >= 3 && complete >= 3 && broken >= 9,
        "{outcomes:?}"
    );
}

#[tokio::test]
async fn for_every_pair_of_formats() {
    for client in Speaks::BOTH {
        for provider in Speaks::BOTH {
            cuts_are_never_taken_for_the_end(client, provider).await;
        }
    }
}

#[tokio::test]
async fn every_byte_is_as_good_a_place_to_break() {
    let (a, _b, sidecar) = pair().await;
    a.script(vec![Step::Streamed(Streamed::counting(2))]);
    let whole = sidecar.chat(&question(true)).await;
    let upstream_length = 8 + whole.body.len();
    for at in (0..upstream_length).step_by(13) {
        let stream = Streamed {
            cut: Cut::AtByte(at),
            end: End::Close,
            ..Streamed::counting(2)
        };
        a.script(vec![Step::Streamed(stream)]);
        let reply = sidecar.chat(&question(true)).await;
        if reply.header("x-fkm-provider") == "b" {
            continue;
        }
        let got = reply.streamed();
        assert_ne!(
            got.error,
            got.done,
            "cut at byte {at}: {:?}",
            reply.frames()
        );
        assert_eq!(
            got.done,
            got.finished,
            "cut at byte {at}: {:?}",
            reply.frames()
        );
        assert!("0 1 ".starts_with(&got.text), "{got:?}");
    }
}

#[tokio::test]
async fn done_without_a_finish_reason_is_no_end() {
    let (a, _b, sidecar) = pair().await;
    let content = r#"data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"half"},"finish_reason":null}]}"#;
    let frames = vec![format!("{content}\n\n"), "data: [DONE]\n\n".to_owned()];
    a.script(vec![Step::Streamed(Streamed {
        frames,
        ..Streamed::default()
    })]);
    let got = sidecar.chat(&question(true)).await.streamed();
    assert!(got.error && !got.done, "{got:?}");
}

#[tokio::test]
async fn an_error_inside_a_stream_is_passed_on_as_an_error() {
    let (a, _b, sidecar) = pair().await;
    let content = r#"data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"half"},"finish_reason":null}]}"#;
    let frames = vec![
        format!("{content}\n\n"),
        "data: {\"error\":{\"message\":\"gpu on fire\",\"code\":500}}\n\n".to_owned(),
        "data: [DONE]\n\n".to_owned(),
    ];
    a.script(vec![Step::Streamed(Streamed {
        frames,
        ..Streamed::default()
    })]);
    let reply = sidecar.chat(&question(true)).await;
    let got = reply.streamed();
    assert!(got.error && !got.done, "{:?}", reply.frames());
    assert!(reply.frames().last().unwrap().contains("gpu on fire"));
}

#[tokio::test]
async fn silence_after_the_finish_takes_nothing_away() {
    let (a, _b, sidecar) = pair().await;
    let chunk = |delta: &str, finish: &str| {
        format!(
            r#"data: {{"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{{"index":0,"delta":{delta},"finish_reason":{finish}}}]}}"#
        )
    };
    let said = [
        chunk(r#"{"content":"all"}"#, "null"),
        chunk("{}", r#""stop""#),
    ]
    .join("\n\n")
        + "\n\n";
    for done in ["", "data: [DONE]\n\n"] {
        // A body without a length, on a connection that stays open.
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
        let (silent, address) = silent_after(format!("{head}{said}{done}")).await;
        sidecar.apply(&snapshot(&[provider(
            "a",
            &format!("http://{address}/v1"),
            0,
        )]));
        let began = tokio::time::Instant::now();
        let got = sidecar.chat(&question(true)).await.streamed();
        assert!(got.done && !got.error && got.text == "all", "{got:?}");
        assert!(
            began.elapsed() < std::time::Duration::from_secs(5),
            "{:?}",
            began.elapsed()
        );
        silent.abort();
    }
    drop(a);
}

/// A provider that says this to everybody and then nothing, without closing.
async fn silent_after(said: String) -> (tokio::task::JoinHandle<()>, std::net::SocketAddr) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = socket.read(&mut request).await;
            socket.write_all(said.as_bytes()).await.unwrap();
            open.push(socket);
        }
    });
    (serving, address)
}

#[tokio::test]
async fn a_provider_that_falls_silent_is_an_error() {
    let (a, _b, sidecar) = pair().await;
    let mut snapshot = snapshot(&[provider("a", &a.base_url(), 0)]);
    snapshot["rules"][0]["policy"] = json!({"timeouts": {"betweenEvents": 200}});
    sidecar.apply(&snapshot);
    a.script(vec![Step::Streamed(Streamed {
        delay_millis: 1_000,
        ..Streamed::counting(2)
    })]);
    let reply = sidecar.chat(&question(true)).await;
    let got = reply.streamed();
    assert!(
        got.error && !got.done && got.text == "0 ",
        "{:?}",
        reply.frames()
    );
    assert!(reply.frames().last().unwrap().contains("betweenEvents"));
}

#[tokio::test]
async fn the_exchange_has_an_end_too() {
    let (a, _b, sidecar) = pair().await;
    let mut snapshot = snapshot(&[provider("a", &a.base_url(), 0)]);
    snapshot["rules"][0]["policy"] = json!({"timeouts": {"request": 400}});
    sidecar.apply(&snapshot);
    a.script(vec![Step::Streamed(Streamed {
        delay_millis: 100,
        ..Streamed::counting(50)
    })]);
    let reply = sidecar.chat(&question(true)).await;
    assert!(
        reply.streamed().error && !reply.streamed().done,
        "{:?}",
        reply.frames()
    );
    assert!(reply.frames().last().unwrap().contains("timeouts.request"));
}

#[tokio::test]
async fn the_usage_chunk_that_only_we_asked_for_is_taken_out() {
    let (a, _b, sidecar) = pair().await;
    let mut asked = question(true);
    asked["stream_options"] = json!({"include_usage": true});
    for (question, usage) in [(question(true), false), (asked, true)] {
        a.reset();
        let got = sidecar.chat(&question).await.streamed();
        assert_eq!((got.usage, got.done, got.error), (usage, true, false));
        let sent: serde_json::Value = serde_json::from_slice(&a.requests()[0].body).unwrap();
        assert_eq!(sent["stream_options"]["include_usage"], true);
    }
    let metrics = sidecar.metrics().await;
    let counted = r#"fkm_tokens_total{provider="a",model="m-upstream",token_type="input"} 22"#;
    assert!(metrics.contains(counted), "{metrics}");
}

#[tokio::test]
async fn answers_are_counted_in_money_where_their_price_is_known() {
    let (a, _b, sidecar) = pair().await;
    let mut priced = provider("a", &a.base_url(), 0);
    // 2 and 8 USD per million tokens
    priced["models"]["m"]["price"] =
        json!({"default": [{"input": 2_000_000_000_u64, "output": 8_000_000_000_u64}]});
    for (provider, cost, unpriced) in [
        (provider("a", &a.base_url(), 0), None, Some(1)),
        (priced, Some(11 * 2_000 + 7 * 8_000), Some(1)),
    ] {
        a.reset();
        sidecar.apply(&snapshot(&[provider]));
        assert!(sidecar.chat(&question(true)).await.streamed().done);
        let metrics = sidecar.metrics().await;
        let count = |name: &str| {
            let line = format!(r#"fkm_{name}_total{{provider="a",model="m-upstream"}} "#);
            let found = metrics.lines().find_map(|one| one.strip_prefix(&line))?;
            found.parse::<u64>().ok()
        };
        assert_eq!(count("cost_nano_usd"), cost, "{metrics}");
        assert_eq!(count("answers_unpriced"), unpriced, "{metrics}");
    }
}

#[tokio::test]
async fn a_provider_that_does_not_know_stream_options_is_not_sent_them() {
    let (a, _b, sidecar) = pair().await;
    let mut provider = provider("a", &a.base_url(), 0);
    provider["connection"]["http"]["dialect"]["streamUsage"] = json!(false);
    sidecar.apply(&snapshot(&[provider]));
    a.script(vec![Step::Streamed(Streamed {
        usage_chunk: UsageChunk::Never,
        ..Streamed::default()
    })]);
    assert!(sidecar.chat(&question(true)).await.streamed().done);
    let sent: serde_json::Value = serde_json::from_slice(&a.requests()[0].body).unwrap();
    assert_eq!(sent.get("stream_options"), None);
}

#[tokio::test]
async fn what_no_provider_counted_is_estimated_and_marked() {
    let (a, _b, sidecar) = pair().await;
    let metric = async |name: &str, token_type: &str| {
        let metrics = sidecar.metrics().await;
        let line = format!(
            r#"fkm_{name}_total{{provider="a",model="m-upstream",token_type="{token_type}"}} "#
        );
        let found = metrics.lines().find_map(|one| one.strip_prefix(&line))?;
        found.parse::<u64>().ok()
    };
    // Twelve bytes, and no word about them: three tokens.
    let pieces = vec!["four".to_owned(), "more".to_owned(), "last".to_owned()];
    for (cut, tokens) in [(Cut::Nowhere, 3), (Cut::AfterFrame(3), 3 + 2)] {
        a.script(vec![Step::Streamed(Streamed {
            pieces: pieces.clone(),
            usage_chunk: UsageChunk::Never,
            cut,
            ..Streamed::default()
        })]);
        sidecar.chat(&question(true)).await;
        assert_eq!(metric("estimated_tokens", "output").await, Some(tokens));
        assert_eq!(metric("tokens", "output").await, Some(tokens));
        assert_eq!(metric("tokens", "input").await, Some(0));
    }
    let metrics = sidecar.metrics().await;
    let unpriced = r#"fkm_answers_unpriced_total{provider="a",model="m-upstream"} 2"#;
    assert!(metrics.contains(unpriced), "{metrics}");
}

#[tokio::test]
async fn streams_cut_into_small_pieces_are_the_same() {
    let (a, _b, sidecar) = pair().await;
    a.script(vec![Step::Streamed(Streamed::counting(5))]);
    let whole = sidecar.chat(&question(true)).await.streamed();
    for rechunk in [1, 7, 64] {
        a.script(vec![Step::Streamed(Streamed {
            rechunk,
            ..Streamed::counting(5)
        })]);
        assert_eq!(
            sidecar.chat(&question(true)).await.streamed(),
            whole,
            "{rechunk} bytes a piece"
        );
    }
}
