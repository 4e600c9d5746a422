//! A provider's state goes around through a client of another format, byte for byte, and to nobody else.

use fkm_llm::fold::{fold, unfold};
use fkm_llm::{StreamOptions, decode_stream, format};
use serde_json::{Value, json};

use crate::{ANTHROPIC, OPENAI, answer, request};

fn thinking() -> Value {
    json!([
        {"type": "thinking", "thinking": "", "signature": "EqQBCgIYAh+/=="},
        {"type": "redacted_thinking", "data": "EroBCkYI+/=="},
        {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
    ])
}

fn message() -> Value {
    let mut content = thinking();
    let call = json!({"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}});
    content.as_array_mut().unwrap().push(call);
    json!({"type": "message", "id": "m", "model": "c", "content": content, "stop_reason": "tool_use",
        "usage": {"input_tokens": 1, "output_tokens": 1}})
}

/// The next request of a client that sends the answer's message back as it got it.
fn next_request(message: &Value) -> Value {
    json!({"model": "m", "max_tokens": 9, "messages": [
        {"role": "user", "content": "go"},
        message,
        {"role": "tool", "tool_call_id": "toolu_1", "content": "done"},
    ]})
}

#[test]
fn thinking_survives_a_client_of_the_other_format() {
    let (body, _) = answer(ANTHROPIC, OPENAI, &message());
    let (back, dropped) = request(
        OPENAI,
        ANTHROPIC,
        &next_request(&body["choices"][0]["message"]),
    );
    assert_eq!(dropped, [""; 0]);
    let content = back["messages"][1]["content"].as_array().unwrap();
    assert_eq!(content[..3], thinking().as_array().unwrap()[..]);
    assert_eq!(content[3]["type"], "tool_use");
}

#[test]
fn thinking_survives_a_stream_and_a_client_that_keeps_the_pieces() {
    let decoded = format(ANTHROPIC)
        .decode_response(message().to_string().as_bytes())
        .unwrap();
    let mut encoder = format(OPENAI).stream_encoder(&StreamOptions::default());
    let mut out = Vec::new();
    for event in unfold(&decoded) {
        encoder.push(&event, &mut out);
    }
    encoder.end(&mut out);
    let mut details = Vec::new();
    let mut calls = Vec::new();
    for frame in &out {
        let data = frame.strip_prefix(b"data: ").unwrap();
        let Ok(chunk) = serde_json::from_slice::<Value>(data) else {
            continue;
        };
        let delta = &chunk["choices"][0]["delta"];
        details.extend(
            delta["reasoning_details"]
                .as_array()
                .cloned()
                .unwrap_or_default(),
        );
        calls.extend(delta["tool_calls"].as_array().cloned().unwrap_or_default());
    }
    let call = json!({"id": "toolu_1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}});
    let kept = json!({"role": "assistant", "content": null, "reasoning_details": details, "tool_calls": [call]});
    let (back, dropped) = request(OPENAI, ANTHROPIC, &next_request(&kept));
    assert_eq!(dropped, [""; 0]);
    let content = back["messages"][1]["content"].as_array().unwrap();
    assert_eq!(content[..3], thinking().as_array().unwrap()[..]);
    assert_eq!(calls.len(), 2);

    let again = fold(decode_stream(OPENAI, &out.concat()).unwrap()).unwrap();
    assert_eq!(again.choices[0].parts, decoded.choices[0].parts);
}

#[test]
fn state_goes_to_its_origin_only() {
    let (body, _) = answer(ANTHROPIC, OPENAI, &message());
    let (sent, dropped) = request(
        OPENAI,
        OPENAI,
        &next_request(&body["choices"][0]["message"]),
    );
    assert_eq!(dropped, ["thinking"]);
    let message = &sent["messages"][1];
    assert_eq!(message.get("reasoning_details"), None);
    assert_eq!(message.get("reasoning_content"), None);
}

#[test]
fn state_of_openais_family_survives_an_anthropic_client() {
    let openai = json!({"choices": [{"index": 0, "finish_reason": "stop", "message": {
        "role": "assistant", "content": "Hi", "reasoning": "hm",
        "reasoning_details": [
            {"type": "reasoning.text", "text": "hm", "signature": "sig+/=", "format": "x-v1", "index": 0},
            {"type": "reasoning.encrypted", "data": "secret", "format": "x-v1", "id": null, "index": 1},
        ],
    }}]});
    let (body, _) = answer(OPENAI, ANTHROPIC, &openai);
    assert_eq!(body["content"][0]["thinking"], "hm");
    assert_eq!(body["content"][1]["type"], "redacted_thinking");
    let next = json!({"model": "m", "max_tokens": 9, "messages": [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": body["content"]},
        {"role": "user", "content": "on"},
    ]});
    let (sent, dropped) = request(ANTHROPIC, OPENAI, &next);
    assert_eq!(dropped, [""; 0]);
    let message = &sent["messages"][1];
    assert_eq!(message["reasoning_content"], "hm");
    assert_eq!(
        message["reasoning_details"],
        json!([
            {"type": "reasoning.text", "text": "hm", "signature": "sig+/=", "format": "x-v1", "index": 0},
            {"type": "reasoning.encrypted", "data": "secret", "format": "x-v1", "index": 1},
        ])
    );
    let (_, dropped) = request(ANTHROPIC, ANTHROPIC, &next);
    assert_eq!(dropped, ["thinking"]);
}
