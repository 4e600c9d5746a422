//! Streams. Frames are built and read by the crate that AWS's own SDK uses.

use aws_smithy_eventstream::frame::{read_message_from, write_message_to};
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use bytes::{Buf as _, Bytes};
use fkm_llm::{FailureClass, Format, StreamFault, StreamOptions, format, translate};
use serde_json::{Value, json};

use crate::{ANTHROPIC, BEDROCK, OPENAI, dialect};

fn header(name: &'static str, value: &'static str) -> Header {
    Header::new(name, HeaderValue::String(value.into()))
}

fn frame(kind: &'static str, names: &[(&'static str, &'static str)], payload: &Value) -> Vec<u8> {
    let mut message = Message::new(payload.to_string().into_bytes());
    message = message.add_header(header(":message-type", kind));
    for (name, value) in names {
        message = message.add_header(header(name, value));
    }
    let mut out = Vec::new();
    write_message_to(&message, &mut out).unwrap();
    out
}

fn event(name: &'static str, payload: &Value) -> Vec<u8> {
    frame("event", &[(":event-type", name)], payload)
}

fn piece(block: u32, delta: &Value) -> Vec<u8> {
    event(
        "contentBlockDelta",
        &json!({"contentBlockIndex": block, "delta": delta, "p": "abc"}),
    )
}

fn stop(block: u32) -> Vec<u8> {
    event(
        "contentBlockStop",
        &json!({"contentBlockIndex": block, "p": "ab"}),
    )
}

/// Names and payloads of the events in a stream.
fn events(stream: &[u8]) -> Vec<(String, Value)> {
    let mut rest = Bytes::copy_from_slice(stream);
    let mut found = Vec::new();
    while rest.has_remaining() {
        let message = read_message_from(&mut rest).unwrap();
        let name = message
            .headers()
            .iter()
            .find(|h| h.name().as_str().ends_with("n-type") || h.name().as_str() == ":event-type");
        let name = name
            .unwrap()
            .value()
            .as_string()
            .unwrap()
            .as_str()
            .to_owned();
        found.push((name, serde_json::from_slice(message.payload()).unwrap()));
    }
    found
}

fn through(from: Format, to: Format, stream: &[u8]) -> (Vec<u8>, Result<(), StreamFault>) {
    let options = StreamOptions {
        include_usage: true,
        ..StreamOptions::default()
    };
    let mut transform = translate(&dialect(from), to, &options);
    let mut out = Vec::new();
    let pushed = transform.push(Bytes::copy_from_slice(stream), &mut out);
    let end = pushed.and_then(|()| transform.end(&mut out));
    (out.concat(), end)
}

fn answer() -> Vec<Vec<u8>> {
    vec![
        event("messageStart", &json!({"role": "assistant", "p": "abcd"})),
        piece(0, &json!({"reasoningContent": {"text": "h"}})),
        piece(0, &json!({"reasoningContent": {"text": "m"}})),
        piece(0, &json!({"reasoningContent": {"signature": "c2ln"}})),
        stop(0),
        piece(1, &json!({"reasoningContent": {"redactedContent": "/w=="}})),
        piece(1, &json!({"reasoningContent": {"redactedContent": "AQI="}})),
        stop(1),
        piece(2, &json!({"text": "Hi"})),
        piece(
            2,
            &json!({"citation": {"title": "t", "location": {"web": {"url": "https://a"}}}}),
        ),
        stop(2),
        event(
            "contentBlockStart",
            &json!({"contentBlockIndex": 3, "start": {"toolUse": {"toolUseId": "s1", "name": "nova_grounding", "type": "server_tool_use"}}}),
        ),
        piece(3, &json!({"toolUse": {"input": "{\"q\":1}"}})),
        stop(3),
        event(
            "contentBlockStart",
            &json!({"contentBlockIndex": 4, "start": {"toolResult": {"toolUseId": "s1", "type": "nova_grounding_result"}}}),
        ),
        piece(4, &json!({"toolResult": [{"text": "r"}]})),
        stop(4),
        event(
            "contentBlockStart",
            &json!({"contentBlockIndex": 5, "start": {"toolUse": {"toolUseId": "t1", "name": "f"}}}),
        ),
        piece(5, &json!({"toolUse": {"input": "{\"a\""}})),
        piece(5, &json!({"toolUse": {"input": ":1}"}})),
        stop(5),
        event(
            "contentBlockStart",
            &json!({"contentBlockIndex": 6, "start": {"toolUse": {"toolUseId": "t2", "name": "g"}}}),
        ),
        stop(6),
        event("messageStop", &json!({"stopReason": "tool_use", "p": "a"})),
        event(
            "metadata",
            &json!({"usage": {"inputTokens": 3, "outputTokens": 5, "totalTokens": 15, "cacheReadInputTokens": 7}, "metrics": {"latencyMs": 4}, "p": "a"}),
        ),
    ]
}

#[test]
fn a_start_that_says_nothing_leaves_it_to_the_pieces() {
    let stream = [
        event("messageStart", &json!({"role": "assistant"})),
        event(
            "contentBlockStart",
            &json!({"contentBlockIndex": 0, "start": {}}),
        ),
        piece(0, &json!({"text": "Hi"})),
        piece(0, &json!({"text": " there"})),
        stop(0),
        event("messageStop", &json!({"stopReason": "end_turn"})),
        event(
            "metadata",
            &json!({"usage": {"inputTokens": 1, "outputTokens": 2}}),
        ),
    ];
    let events = fkm_llm::decode_stream(BEDROCK, &stream.concat()).unwrap();
    let folded = fkm_llm::fold::fold(events).unwrap();
    assert_eq!(folded.choices[0].text(), "Hi there");
}

#[test]
fn a_stream_to_an_anthropic_client() {
    let (out, end) = through(BEDROCK, ANTHROPIC, &answer().concat());
    assert_eq!(end, Ok(()));
    let whole = fkm_llm::fold::fold(fkm_llm::decode_stream(ANTHROPIC, &out).unwrap()).unwrap();
    let encoded = format(ANTHROPIC).encode_response(&whole).unwrap();
    let body: Value = serde_json::from_slice(&encoded.body).unwrap();
    assert_eq!(body["content"][0]["thinking"], "hm");
    assert_eq!(body["content"][1]["type"], "redacted_thinking");
    assert_eq!(body["content"][2]["text"], "Hi");
    assert_eq!(body["content"][2]["citations"][0]["url"], "https://a");
    assert_eq!(
        body["content"][3],
        json!({"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}})
    );
    assert_eq!(
        body["content"][4],
        json!({"type": "tool_use", "id": "t2", "name": "g", "input": {}})
    );
    assert_eq!(
        body["content"].as_array().unwrap().len(),
        5,
        "steps of the provider are left out"
    );
    assert_eq!(body["stop_reason"], "tool_use");
    assert_eq!(body["usage"]["input_tokens"], 3);
    assert_eq!(body["usage"]["cache_read_input_tokens"], 7);
}

#[test]
fn a_stream_folds_to_the_whole_answer() {
    let decoded =
        fkm_llm::fold::fold(fkm_llm::decode_stream(BEDROCK, &answer().concat()).unwrap()).unwrap();
    let encoded = format(BEDROCK).encode_response(&decoded).unwrap();
    let body: Value = serde_json::from_slice(&encoded.body).unwrap();
    assert_eq!(
        body["output"]["message"]["content"],
        json!([
            {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "c2ln"}}},
            {"reasoningContent": {"redactedContent": "/wEC"}},
            {"citationsContent": {"content": [{"text": "Hi"}], "citations": [{"title": "t", "location": {"web": {"url": "https://a"}}}]}},
            {"toolUse": {"toolUseId": "s1", "name": "nova_grounding", "type": "server_tool_use", "input": {"q": 1}}},
            {"toolResult": {"toolUseId": "s1", "type": "nova_grounding_result", "content": [{"text": "r"}]}},
            {"toolUse": {"toolUseId": "t1", "name": "f", "input": {"a": 1}}},
            {"toolUse": {"toolUseId": "t2", "name": "g", "input": {}}},
        ])
    );
    // And as a stream again: the same answer.
    let (out, end) = through(BEDROCK, BEDROCK, &answer().concat());
    assert_eq!(end, Ok(()));
    let again = fkm_llm::fold::fold(fkm_llm::decode_stream(BEDROCK, &out).unwrap()).unwrap();
    let encoded = format(BEDROCK).encode_response(&again).unwrap();
    assert_eq!(
        serde_json::from_slice::<Value>(&encoded.body).unwrap(),
        body
    );
}

#[test]
fn a_stream_of_openais_to_a_bedrock_client() {
    let openai = r#"data: {"id":"c","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"Hi"}}]}

data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"f","arguments":"{\"a\":"}}]}}]}

data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]}}]}

data: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}

data: {"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":2,"total_tokens":12,"prompt_tokens_details":{"cached_tokens":7}}}

data: [DONE]

"#;
    let (out, end) = through(OPENAI, BEDROCK, openai.as_bytes());
    assert_eq!(end, Ok(()));
    let event = |name: &str, payload: Value| (name.to_owned(), payload);
    let index = |block: u32| json!({"contentBlockIndex": block});
    let piece = |block: u32, delta: Value| {
        event(
            "contentBlockDelta",
            json!({"contentBlockIndex": block, "delta": delta}),
        )
    };
    assert_eq!(
        events(&out),
        [
            event("messageStart", json!({"role": "assistant"})),
            piece(0, json!({"text": "Hi"})),
            event("contentBlockStop", index(0)),
            event(
                "contentBlockStart",
                json!({"contentBlockIndex": 1, "start": {"toolUse": {"toolUseId": "call_1", "name": "f"}}})
            ),
            piece(1, json!({"toolUse": {"input": "{\"a\":"}})),
            piece(1, json!({"toolUse": {"input": "1}"}})),
            event("contentBlockStop", index(1)),
            event("messageStop", json!({"stopReason": "tool_use"})),
            event(
                "metadata",
                json!({"usage": {"inputTokens": 3, "outputTokens": 2, "totalTokens": 12, "cacheReadInputTokens": 7}, "metrics": {"latencyMs": 0}})
            ),
        ]
    );
}

#[test]
fn the_usage_comes_after_the_end_and_is_waited_for() {
    let frames = answer();
    let mut transform = translate(
        &dialect(BEDROCK),
        OPENAI,
        &StreamOptions {
            include_usage: true,
            ..StreamOptions::default()
        },
    );
    let mut out = Vec::new();
    let (last, before) = frames.split_last().unwrap();
    transform.push(before.concat().into(), &mut out).unwrap();
    assert!(transform.progress().finished);
    assert!(
        !out.concat().ends_with(b"data: [DONE]\n\n"),
        "the usage is to come"
    );
    transform.push(last.clone().into(), &mut out).unwrap();
    let text = String::from_utf8(out.concat()).unwrap();
    assert!(
        text.contains("\"prompt_tokens\":10") && text.ends_with("data: [DONE]\n\n"),
        "{text}"
    );
    // Closed in between: complete all the same, without a usage.
    let (_, end) = through(BEDROCK, OPENAI, &before.concat());
    assert_eq!(end, Ok(()));
    let (_, end) = through(BEDROCK, OPENAI, &before[..before.len() - 1].concat());
    assert_eq!(end, Err(StreamFault::Incomplete));
}

#[test]
fn errors_in_the_middle_are_errors() {
    let begun = [
        event("messageStart", &json!({"role": "assistant"})),
        piece(0, &json!({"text": "Hi"})),
    ]
    .concat();
    let thrown = frame(
        "exception",
        &[(":exception-type", "throttlingException")],
        &json!({"message": "slow down"}),
    );
    let failed = frame(
        "error",
        &[
            (":error-code", "InternalFailure"),
            (":error-message", "broken"),
        ],
        &json!({}),
    );
    let malformed = event("messageStop", &json!({"stopReason": "malformed_tool_use"}));
    for (last, class) in [
        (thrown, FailureClass::RateLimited),
        (failed, FailureClass::ServerError),
        (malformed, FailureClass::ServerError),
    ] {
        for to in Format::ALL {
            let (_, end) = through(BEDROCK, to, &[&begun[..], &last].concat());
            let Err(StreamFault::Provider(error)) = end else {
                unreachable!("{end:?}");
            };
            assert_eq!(error.class, Some(class), "{to}");
        }
    }
    let mut damaged = begun;
    let at = damaged.len() - 6;
    damaged[at] ^= 1;
    let (_, end) = through(BEDROCK, OPENAI, &damaged);
    assert!(matches!(end, Err(StreamFault::Malformed { .. })), "{end:?}");
}

#[test]
fn an_error_to_a_bedrock_client_is_an_exception() {
    let error = fkm_llm::ClientError::new(fkm_llm::ErrorKind::Overloaded, "busy");
    let out = format(BEDROCK).encode_stream_error(&error);
    assert_eq!(
        events(&out),
        [(
            "serviceUnavailableException".to_owned(),
            json!({"message": "busy"})
        )]
    );
}
