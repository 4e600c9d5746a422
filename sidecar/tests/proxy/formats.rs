//! A provider of every format, asked by a client of `OpenAI`'s and one of Anthropic's: whole answers, streams and errors.
//!
//! The provider's answers are written by the formats themselves; that these are what real providers send is shown where the
//! formats are judged by recorded traffic.

use fkm_llm::fold::unfold;
use fkm_llm::ir::{Choice, Extra, FinishReason, OutputPart, Response, Text, Usage};
use fkm_llm::{ClientError, ErrorKind, Format, StreamOptions, format};
use fkm_upstream::{Step, Upstream};
use http::StatusCode;
use serde_json::{Value, json};

use crate::harness::{Sidecar, Speaks, provider, snapshot};

fn hello() -> Response {
    Response {
        id: Some("answer-1".to_owned()),
        model: Some("m-upstream".to_owned()),
        choices: vec![Choice {
            index: 0,
            parts: vec![OutputPart::Text(Text::plain("Hello."))],
            finish_reason: FinishReason::Stop,
            extra: Extra::default(),
        }],
        usage: Some(Usage {
            input_tokens: 11,
            output_tokens: 7,
            ..Usage::default()
        }),
        ..Response::default()
    }
}

/// An HTTP answer, byte for byte.
fn http(status: &str, content_type: &str, body: &[u8]) -> Step {
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    Step::Raw([head.as_bytes(), body].concat())
}

fn whole(home: Format) -> Step {
    let body = format(home).encode_response(&hello()).unwrap().body;
    http("200 OK", "application/json", &body)
}

fn streamed(home: Format) -> Step {
    let options = StreamOptions {
        include_usage: true,
        ..StreamOptions::default()
    };
    let mut encoder = format(home).stream_encoder(&options);
    let mut frames = Vec::new();
    for event in unfold(&hello()) {
        encoder.push(&event, &mut frames);
    }
    encoder.end(&mut frames);
    http(
        "200 OK",
        format(home).stream_content_type(),
        &frames.concat(),
    )
}

/// A provider of `home` that names the model in its paths.
fn of(home: Format, base_url: &str) -> Value {
    let mut provider = provider("a", base_url, 0);
    provider["connection"]["http"]["dialect"] = json!({
        "format": home, "auth": "Bearer", "path": "/whole/{model}/chat/completions", "streamPath": "/live/{model}/chat/completions",
    });
    provider
}

#[tokio::test]
async fn every_format_answers_both_clients() {
    for home in Format::ALL {
        let upstream = Upstream::start().await.unwrap();
        let sidecar = Sidecar::start(&snapshot(&[of(home, &upstream.base_url())])).await;
        for client in Speaks::BOTH {
            for stream in [false, true] {
                upstream.script(vec![if stream { streamed(home) } else { whole(home) }]);
                let reply = client.ask(&sidecar, stream).await;
                let seen = client.read(&reply, stream);
                assert_eq!(
                    seen.text, "Hello.",
                    "{home} to {client:?}, {stream}: {reply:?}"
                );
                assert!(
                    seen.complete && !seen.error,
                    "{home} to {client:?}, {stream}: {reply:?}"
                );
            }
        }
        let paths: Vec<String> = upstream
            .requests()
            .iter()
            .map(|one| one.path.clone())
            .collect();
        assert!(paths[0].contains("/whole/m-upstream/"), "{paths:?}");
        assert!(paths[1].contains("/live/m-upstream/"), "{paths:?}");
    }
}

#[tokio::test]
async fn an_error_of_every_format_is_told_in_the_clients_own() {
    for home in Format::ALL {
        let upstream = Upstream::start().await.unwrap();
        let sidecar = Sidecar::start(&snapshot(&[of(home, &upstream.base_url())])).await;
        let error = ClientError::new(ErrorKind::InvalidRequest, "The question is too long.");
        let body = format(home).encode_error(&error);
        for client in Speaks::BOTH {
            upstream.script(vec![http("400 Bad Request", "application/json", &body)]);
            let reply = client.ask(&sidecar, false).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{home}: {reply:?}");
            let told = reply.json()["error"]["message"]
                .as_str()
                .unwrap()
                .to_owned();
            assert!(told.contains("The question is too long."), "{home}: {told}");
        }
    }
}
