//! A client of every format, at the paths of its SDK, with a provider of every format behind: whole answers, streams and
//! errors, and the lists of models of every family.

use fkm_llm::fold::fold;
use fkm_llm::ir::{Extra, FinishReason, InputPart, Message, Request, Text};
use fkm_llm::{ClientError, Dialect, ErrorKind, Format, Target, format};
use fkm_snapshot::{Auth, Capabilities};
use fkm_upstream::Upstream;
use http::StatusCode;
use serde_json::json;

use crate::formats::{http, of, streamed, whole};
use crate::harness::{Reply, Sidecar, provider, snapshot};

/// Where a client of a format asks, for whole answers and for streams.
fn paths(client: Format) -> [&'static str; 2] {
    match client {
        Format::OpenAiChat => ["/openai/v1/chat/completions"; 2],
        Format::OpenAiCompletions => ["/v1/completions"; 2],
        Format::OpenAiResponses => ["/openai/v1/responses"; 2],
        Format::AnthropicMessages => ["/anthropic/v1/messages"; 2],
        Format::CohereChat => ["/cohere/v2/chat"; 2],
        Format::GeminiGenerateContent => [
            "/gemini/v1beta/models/m:generateContent",
            "/gemini/v1beta/models/m:streamGenerateContent?alt=sse",
        ],
        Format::BedrockConverse => [
            "/bedrock/model/m/converse",
            "/bedrock/model/m/converse-stream",
        ],
    }
}

fn question(client: Format, stream: bool) -> Vec<u8> {
    let request = Request {
        model: "m".to_owned(),
        messages: vec![Message::User {
            parts: vec![InputPart::Text(Text::plain("Hi"))],
            extra: Extra::default(),
        }],
        max_output_tokens: Some(50),
        stream,
        ..Request::default()
    };
    let target = Target {
        model: "m",
        dialect: &Dialect::new(client, "/", Auth::Bearer),
        capabilities: &Capabilities::default(),
        max_output_tokens: None,
        stream,
    };
    format(client)
        .encode_request(&request, &target)
        .unwrap()
        .body
}

async fn ask(client: Format, sidecar: &Sidecar, stream: bool) -> Reply {
    let body = question(client, stream);
    let path = paths(client)[usize::from(stream)];
    sidecar.post(path, String::from_utf8(body).unwrap()).await
}

/// The text of an answer and why it ended, as a client of the format reads them.
fn read(client: Format, reply: &Reply, stream: bool) -> (String, FinishReason) {
    assert_eq!(reply.status, StatusCode::OK, "{client}: {reply:?}");
    let answer = if stream {
        let expected = format(client).stream_content_type();
        assert!(
            reply.header("content-type").starts_with(expected),
            "{client}: {reply:?}"
        );
        let mut decoder = format(client).stream_decoder(&Dialect::new(client, "/", Auth::Bearer));
        let mut events = Vec::new();
        decoder.push(&reply.body, &mut events).unwrap();
        decoder.end(&mut events).unwrap();
        fold(events).unwrap()
    } else {
        assert_eq!(reply.header("content-type"), "application/json");
        format(client).decode_response(&reply.body).unwrap()
    };
    (
        answer.choices[0].text(),
        answer.choices[0].finish_reason.clone(),
    )
}

#[tokio::test]
async fn every_client_is_answered_by_every_provider() {
    for home in Format::ALL {
        let upstream = Upstream::start().await.unwrap();
        let sidecar = Sidecar::start(&snapshot(&[of(home, &upstream.base_url())])).await;
        for client in Format::ALL {
            for stream in [false, true] {
                upstream.script(vec![if stream { streamed(home) } else { whole(home) }]);
                let reply = ask(client, &sidecar, stream).await;
                let expected = ("Hello.".to_owned(), FinishReason::Stop);
                assert_eq!(
                    read(client, &reply, stream),
                    expected,
                    "{home} to {client}: {reply:?}"
                );
            }
        }
        for request in upstream.requests() {
            let path = &request.path;
            assert!(
                path.starts_with("/v1/whole/m-upstream/")
                    || path.starts_with("/v1/live/m-upstream/"),
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn every_client_is_told_of_errors_in_its_own_words() {
    let home = Format::OpenAiChat;
    let upstream = Upstream::start().await.unwrap();
    let sidecar = Sidecar::start(&snapshot(&[of(home, &upstream.base_url())])).await;
    let body = format(home).encode_error(&ClientError::new(ErrorKind::InvalidRequest, "Too long."));
    for client in Format::ALL {
        upstream.script(vec![http("400 Bad Request", "application/json", &body)]);
        let reply = ask(client, &sidecar, false).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{client}: {reply:?}");
        let told = format(client).decode_error(400, &reply.headers, &reply.body);
        assert!(told.message.contains("Too long."), "{client}: {reply:?}");
    }
}

#[tokio::test]
async fn the_name_in_a_path_is_put_where_the_provider_reads_it() {
    let upstream = Upstream::start().await.unwrap();
    let sidecar = Sidecar::start(&snapshot(&[provider("a", &upstream.base_url(), 0)])).await;
    for model in ["", r#""model": "another", "#] {
        upstream.script(vec![whole(Format::OpenAiChat)]);
        let body = format!(r#"{{{model}"messages": [{{"role": "user", "content": "Hi"}}]}}"#);
        let path = "/openai/deployments/m/chat/completions?api-version=2024-10-21";
        let reply = sidecar.post(path, body).await;
        assert_eq!(reply.text(), "Hello.", "{reply:?}");
        let sent = upstream.requests().pop().unwrap();
        assert_eq!(sent.json()["model"], "m-upstream");
        assert_eq!(sent.json()["messages"][0]["content"], "Hi");
    }
}

#[tokio::test]
async fn models_are_listed_as_every_family_reads_them() {
    let upstream = Upstream::start().await.unwrap();
    let sidecar = Sidecar::start(&snapshot(&[provider("a", &upstream.base_url(), 0)])).await;
    for (path, pointer, name) in [
        ("/openai/v1/models", "/data/1/id", "m"),
        ("/openai/v1/models/m", "/id", "m"),
        ("/anthropic/v1/models", "/data/1/id", "m"),
        ("/anthropic/v1/models/m", "/id", "m"),
        ("/gemini/v1beta/models", "/models/1/name", "models/m"),
        ("/gemini/v1beta/models/m", "/name", "models/m"),
        ("/cohere/v1/models", "/models/1/name", "m"),
        ("/cohere/v1/models/m", "/name", "m"),
    ] {
        let reply = sidecar.get(path).await;
        assert_eq!(
            reply.json().pointer(pointer),
            Some(&json!(name)),
            "{path}: {reply:?}"
        );
    }
    for (path, client) in [
        ("/openai/v1/models/x", Format::OpenAiChat),
        ("/anthropic/v1/models/x", Format::AnthropicMessages),
        ("/gemini/v1beta/models/x", Format::GeminiGenerateContent),
        ("/cohere/v1/models/x", Format::CohereChat),
        ("/bedrock/model/x/nothing", Format::BedrockConverse),
    ] {
        let reply = sidecar.get(path).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}");
        let told = format(client).decode_error(404, &reply.headers, &reply.body);
        assert!(!told.message.is_empty(), "{path}: {reply:?}");
    }
}

#[tokio::test]
async fn a_provider_is_asked_in_the_clients_format_where_it_speaks_it() {
    let upstream = Upstream::start().await.unwrap();
    let mut both = provider("a", &upstream.base_url(), 0);
    both["connection"]["http"]["beside"] =
        json!([{"format": "openai.responses", "path": "/responses", "auth": "Bearer"}]);
    both["models"] = json!({"m": {}, "only": {"formats": ["openai.responses"]}});
    let sidecar = Sidecar::start(&snapshot(&[both])).await;
    let asked = [
        (
            "/v1/responses",
            json!({"model": "m", "input": "Hi", "odd": 1}),
            "/v1/responses",
        ),
        ("/v1/chat/completions", chat("m"), "/v1/chat/completions"),
        ("/anthropic/v1/messages", chat("m"), "/v1/chat/completions"),
        ("/v1/chat/completions", chat("only"), "/v1/responses"),
    ];
    for (path, body, expected) in asked {
        let reply = sidecar.post(path, body.to_string()).await;
        assert_eq!(reply.status, StatusCode::OK, "{path}: {reply:?}");
        let sent = upstream.requests().pop().unwrap();
        assert_eq!(sent.path, expected);
        assert_eq!(sent.json()["odd"], body["odd"]);
    }
}

fn chat(model: &str) -> serde_json::Value {
    json!({"model": model, "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]})
}
