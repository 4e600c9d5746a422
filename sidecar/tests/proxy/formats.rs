//! A provider of every format, asked by a client of `OpenAI`'s and one of Anthropic's: whole answers, streams and errors; and
//! where the presets of the catalogue send them, with which key.
//!
//! The provider's answers are written by the formats themselves; that these are what real providers send is shown where the
//! formats are judged by recorded traffic.

use fkm_llm::fold::unfold;
use fkm_llm::ir::{Choice, Extra, FinishReason, OutputPart, Response, Text, Usage};
use fkm_llm::{ClientError, ErrorKind, Format, StreamOptions, format};
use fkm_upstream::{Step, Upstream};
use http::StatusCode;
use serde_json::{Value, json};

use crate::harness::{KEY, Sidecar, Speaks, provider, snapshot};

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
pub(crate) fn http(status: &str, content_type: &str, body: &[u8]) -> Step {
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    Step::Raw([head.as_bytes(), body].concat())
}

pub(crate) fn whole(home: Format) -> Step {
    let body = format(home).encode_response(&hello()).unwrap().body;
    http("200 OK", "application/json", &body)
}

pub(crate) fn streamed(home: Format) -> Step {
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
pub(crate) fn of(home: Format, base_url: &str) -> Value {
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

/// Where a preset sends a question and the same as a stream, and the header with its key. The name of the model is in need of
/// escapes.
struct Wire {
    preset: &'static str,
    path: &'static str,
    stream_path: &'static str,
    header: (&'static str, &'static str),
}

/// The paths are those of the providers' documentation: what is not OpenAI's format, and what shows its key in its own way.
const WIRES: [Wire; 7] = [
    Wire {
        preset: "openai",
        path: "/v1/chat/completions",
        stream_path: "/v1/chat/completions",
        header: ("authorization", "Bearer "),
    },
    Wire {
        preset: "azure",
        path: "/openai/v1/chat/completions",
        stream_path: "/openai/v1/chat/completions",
        header: ("api-key", ""),
    },
    Wire {
        preset: "anthropic",
        path: "/v1/messages",
        stream_path: "/v1/messages",
        header: ("x-api-key", ""),
    },
    Wire {
        preset: "bedrock",
        path: "/model/maker.m-v1%3A0/converse",
        stream_path: "/model/maker.m-v1%3A0/converse-stream",
        header: ("authorization", "Bearer "),
    },
    Wire {
        preset: "cohere",
        path: "/v2/chat",
        stream_path: "/v2/chat",
        header: ("authorization", "Bearer "),
    },
    Wire {
        preset: "gemini",
        path: "/v1beta/models/maker.m-v1%3A0:generateContent",
        stream_path: "/v1beta/models/maker.m-v1%3A0:streamGenerateContent?alt=sse",
        header: ("x-goog-api-key", ""),
    },
    Wire {
        preset: "vertex",
        path: "/v1/projects/PROJECT/locations/LOCATION/publishers/google/models/maker.m-v1%3A0:generateContent",
        stream_path: "/v1/projects/PROJECT/locations/LOCATION/publishers/google/models/maker.m-v1%3A0:streamGenerateContent?alt=sse",
        header: ("authorization", "Bearer "),
    },
];

/// The presets of the catalogue that lead with a conversation.
fn presets() -> Value {
    serde_json::from_str(include_str!("../../../operator/catalog/data/presets.json")).unwrap()
}

/// A provider of this preset, whose host is the upstream.
fn of_preset(preset: &Value, upstream: &Upstream) -> Value {
    let address = [&preset["baseUrl"], &preset["baseUrlForm"]];
    let address = address.into_iter().find_map(Value::as_str).unwrap();
    let (_, address) = address.split_once("://").unwrap();
    let path = address.find('/').map_or("", |at| &address[at..]);
    let mut provider = provider("a", &format!("http://{}{path}", upstream.address()), 0);
    provider["connection"]["http"]["dialect"] = preset["dialect"].clone();
    provider["models"]["m"]["upstreamName"] = json!("maker.m-v1:0");
    provider
}

#[tokio::test]
async fn presets_are_asked_where_they_listen_and_with_their_key() {
    let presets = presets();
    let all = presets.as_object().unwrap().iter();
    for (name, preset) in all.filter(|(_, preset)| preset["dialect"].is_object()) {
        let own =
            preset["dialect"]["format"] != "openai.chat" || preset["dialect"]["auth"] != "Bearer";
        let shown = WIRES.iter().any(|wire| wire.preset == name);
        assert!(shown || !own, "{name} is not in the table");
    }
    let upstream = Upstream::start().await.unwrap();
    let sidecar = Sidecar::start(&snapshot(&[])).await;
    for wire in WIRES {
        let preset = &presets[wire.preset];
        let home: Format = serde_json::from_value(preset["dialect"]["format"].clone()).unwrap();
        upstream.reset();
        sidecar.apply(&snapshot(&[of_preset(preset, &upstream)]));
        upstream.script(vec![whole(home), streamed(home)]);
        for (stream, path) in [(false, wire.path), (true, wire.stream_path)] {
            let reply = Speaks::OpenAi.ask(&sidecar, stream).await;
            let seen = Speaks::OpenAi.read(&reply, stream);
            assert!(
                seen.complete && seen.text == "Hello.",
                "{}: {reply:?}",
                wire.preset
            );
            let request = upstream.requests().pop().unwrap();
            assert_eq!(request.path, path, "{}", wire.preset);
            let (header, scheme) = wire.header;
            assert_eq!(
                request.headers[header],
                format!("{scheme}{KEY}"),
                "{}",
                wire.preset
            );
            let keys = ["authorization", "api-key", "x-api-key", "x-goog-api-key"];
            let sent = keys
                .into_iter()
                .filter(|key| request.headers.contains_key(*key));
            assert_eq!(sent.collect::<Vec<_>>(), [header], "{}", wire.preset);
        }
    }
}
