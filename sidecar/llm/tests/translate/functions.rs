//! Calls as they were before tools (`functions`, `function_call`): one a message, without an id.

use bytes::Bytes;
use fkm_llm::{Encoded, StreamOptions, format, translate};
use serde_json::{Value, json};

use crate::{ANTHROPIC, GEMINI, OPENAI, answer, decode, dialect, encode, request};

/// A conversation in which `f` was called and answered.
fn asked() -> Value {
    json!({
        "model": "upstream-model",
        "messages": [
            {"role": "user", "content": "Weather?"},
            {"role": "assistant", "content": null, "function_call": {"name": "f", "arguments": "{\"a\":1}"}},
            {"role": "function", "name": "f", "content": "sunny"},
        ],
        "functions": [{"name": "f", "description": "does f", "parameters": {"type": "object"}}],
        "function_call": {"name": "f"},
        "max_tokens": 9,
    })
}

/// What was sent for a client that asked so.
fn sent() -> Encoded {
    encode(ANTHROPIC, &decode(OPENAI, &asked())).unwrap()
}

/// An answer of Anthropic's for that client, and what was dropped.
fn told(content: &Value) -> (Value, Vec<String>) {
    let answer = json!({
        "id": "m1", "type": "message", "role": "assistant", "model": "m", "content": content,
        "stop_reason": "tool_use", "usage": {"input_tokens": 1, "output_tokens": 2},
    });
    let mut said = format(ANTHROPIC)
        .decode_response(answer.to_string().as_bytes())
        .unwrap();
    said.restore_tool_names(&sent().tool_names);
    let encoded = format(OPENAI).encode_response(&said).unwrap();
    let body: Value = serde_json::from_slice(&encoded.body).unwrap();
    (body["choices"][0].clone(), encoded.dropped)
}

/// The deltas and the finish reason of a stream for a client.
fn streamed(frames: &[Value], tool_names: fkm_llm::ToolNames) -> (Vec<Value>, Value) {
    let from = if frames[0].get("type").is_some() {
        ANTHROPIC
    } else {
        OPENAI
    };
    let options = StreamOptions {
        choices: 1,
        tool_names,
        ..StreamOptions::default()
    };
    let mut transform = translate(&dialect(from), OPENAI, &options);
    let mut out = Vec::new();
    for frame in frames {
        let event = frame["type"]
            .as_str()
            .map(|name| format!("event: {name}\n"));
        let frame = format!("{}data: {frame}\n\n", event.unwrap_or_default());
        transform.push(Bytes::from(frame), &mut out).unwrap();
    }
    transform.end(&mut out).unwrap();
    let text = String::from_utf8(out.concat()).unwrap();
    let chunks: Vec<Value> = text
        .lines()
        .filter_map(|line| serde_json::from_str(line.strip_prefix("data: ")?).ok())
        .collect();
    let mut choices = chunks.iter().map(|chunk| &chunk["choices"][0]);
    let deltas = choices.clone().map(|choice| choice["delta"].clone());
    let finish = choices.next_back().unwrap()["finish_reason"].clone();
    (deltas.collect(), finish)
}

#[test]
fn a_request_is_one_with_tools() {
    let encoded = sent();
    let body: Value = serde_json::from_slice(&encoded.body).unwrap();
    assert_eq!(
        body["messages"][1]["content"],
        json!([{"type": "tool_use", "id": "call_1", "name": "f", "input": {"a": 1}}])
    );
    assert_eq!(body["messages"][2]["content"][0]["tool_use_id"], "call_1");
    assert_eq!(
        body["tools"],
        json!([{"name": "f", "description": "does f", "input_schema": {"type": "object"}}])
    );
    assert_eq!(
        body["tool_choice"],
        json!({"type": "tool", "name": "f", "disable_parallel_tool_use": true})
    );
    assert_eq!(encoded.dropped, [] as [&str; 0]);
    let (body, _) = request(OPENAI, GEMINI, &asked());
    assert_eq!(
        body["contents"][2]["parts"][0]["functionResponse"]["name"],
        "f"
    );
}

#[test]
fn a_request_stays_as_it_was_at_home() {
    let (mut body, dropped) = request(OPENAI, OPENAI, &asked());
    let limit = body["max_completion_tokens"].take();
    body["max_tokens"] = limit;
    body.as_object_mut()
        .unwrap()
        .remove("max_completion_tokens");
    assert_eq!(body, asked());
    assert_eq!(dropped, [] as [&str; 0]);
    for (asks, sent) in [("none", json!("none")), ("auto", Value::Null)] {
        let mut asked = asked();
        asked["function_call"] = json!(asks);
        assert_eq!(request(OPENAI, OPENAI, &asked).0["function_call"], sent);
    }
}

#[test]
fn what_cannot_be_both_is_refused() {
    let mut asked = asked();
    asked["tools"] = json!([{"type": "function", "function": {"name": "g"}}]);
    let error = format(OPENAI).decode_request(asked.to_string().as_bytes());
    assert_eq!(
        error.unwrap_err().to_string(),
        "functions must be left out beside tools"
    );
}

#[test]
fn an_answer_says_the_call_as_it_was_asked_for() {
    let call = |id: &str, name: &str| json!({"type": "tool_use", "id": id, "name": name, "input": {"a": 1}});
    let (choice, dropped) = told(&json!([{"type": "text", "text": "So."}, call("t1", "f")]));
    assert_eq!(choice["finish_reason"], "function_call");
    assert_eq!(choice["message"]["content"], "So.");
    assert_eq!(
        choice["message"]["function_call"],
        json!({"name": "f", "arguments": "{\"a\":1}"})
    );
    assert_eq!(choice["message"].get("tool_calls"), None);
    assert_eq!(dropped, [] as [&str; 0]);
    let (choice, dropped) = told(&json!([call("t1", "f"), call("t2", "g")]));
    assert_eq!(choice["message"]["function_call"]["name"], "f");
    assert_eq!(
        dropped,
        ["tool_calls"],
        "one call has a place, and the client is told"
    );
    let (choice, _) = told(&json!([{"type": "text", "text": "So."}]));
    assert_eq!(choice["message"].get("function_call"), None);
}

#[test]
fn a_provider_may_answer_so() {
    let called = json!({
        "id": "c1", "object": "chat.completion", "created": 1, "model": "m",
        "choices": [{
            "index": 0,
            "message": {"role": "assistant", "content": null, "function_call": {"name": "f", "arguments": "{\"a\":1}"}},
            "finish_reason": "function_call",
        }],
    });
    let (body, dropped) = answer(OPENAI, ANTHROPIC, &called);
    assert_eq!(
        body["content"],
        json!([{"type": "tool_use", "id": "call_0", "name": "f", "input": {"a": 1}}])
    );
    assert_eq!(body["stop_reason"], "tool_use");
    assert_eq!(dropped, ["created"]);
    let (body, _) = answer(OPENAI, OPENAI, &called);
    assert_eq!(body["choices"][0]["finish_reason"], "function_call");
    assert_eq!(
        body["choices"][0]["message"]["function_call"],
        called["choices"][0]["message"]["function_call"]
    );
    let facts = format(OPENAI).response_facts(called.to_string().as_bytes());
    assert_eq!(facts.unwrap().finish_reasons[0].name(), "tool_calls");
}

#[test]
fn a_stream_says_the_call_as_it_was_asked_for() {
    let tool = |index: u32, name: &str| json!({"type": "content_block_start", "index": index, "content_block": {"type": "tool_use", "id": "t", "name": name, "input": {}}});
    let piece = |index: u32, text: &str| json!({"type": "content_block_delta", "index": index, "delta": {"type": "input_json_delta", "partial_json": text}});
    let stop = |index: u32| json!({"type": "content_block_stop", "index": index});
    let usage = json!({"input_tokens": 1, "output_tokens": 1});
    let message = json!({"id": "m1", "type": "message", "role": "assistant", "model": "m", "content": [], "stop_reason": null, "usage": usage});
    let frames = [
        json!({"type": "message_start", "message": message}),
        tool(0, "f"),
        piece(0, "{\"a\""),
        piece(0, ":1}"),
        stop(0),
        tool(1, "g"),
        piece(1, "{\"b\":1}"),
        stop(1),
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 2}}),
        json!({"type": "message_stop"}),
    ];
    let (deltas, finish) = streamed(&frames, sent().tool_names);
    assert_eq!(
        deltas[1..],
        [
            json!({"function_call": {"name": "f", "arguments": ""}}),
            json!({"function_call": {"arguments": "{\"a\""}}),
            json!({"function_call": {"arguments": ":1}"}}),
            json!({}),
        ],
        "the other call has no place"
    );
    assert_eq!(finish, "function_call");
}

#[test]
fn a_providers_stream_may_say_it_so() {
    let chunk = |delta: Value, finish: Value| {
        json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
    };
    let frames = [
        chunk(
            json!({"role": "assistant", "content": null, "function_call": {"name": "f", "arguments": ""}}),
            Value::Null,
        ),
        chunk(
            json!({"function_call": {"arguments": "{\"a\":"}}),
            Value::Null,
        ),
        chunk(json!({"function_call": {"arguments": "1}"}}), Value::Null),
        chunk(json!({}), json!("function_call")),
    ];
    let (deltas, finish) = streamed(&frames, fkm_llm::ToolNames::default());
    assert_eq!(deltas[1]["function_call"]["name"], "f");
    assert_eq!(
        deltas[2],
        json!({"function_call": {"arguments": "{\"a\":"}})
    );
    assert_eq!(finish, "function_call");
    let nameless = format!(
        "data: {}\n\n",
        chunk(json!({"function_call": {"arguments": "1"}}), Value::Null)
    );
    let mut transform = translate(&dialect(OPENAI), ANTHROPIC, &StreamOptions::default());
    let pushed = transform.push(Bytes::from(nameless), &mut Vec::new());
    assert!(pushed.is_err(), "a call without a name");
}
