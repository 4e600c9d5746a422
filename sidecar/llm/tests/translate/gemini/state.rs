//! Signatures go around through clients of other formats, byte for byte, and back on the part on which they came.

use serde_json::{Value, json};

use super::answer_of;
use crate::{ANTHROPIC, GEMINI, OPENAI, answer, request};

fn parts() -> Value {
    json!([
        {"text": "hm", "thought": true, "thoughtSignature": "dGhvdWdodA=="},
        {"text": "On it.", "thoughtSignature": "dGV4dA+/=="},
        {"functionCall": {"id": "a", "name": "f", "args": {"x": 1}}, "thoughtSignature": "Y2FsbA=="},
        {"functionCall": {"id": "b", "name": "g", "args": {}}},
    ])
}

fn results() -> Value {
    json!([
        {"functionResponse": {"id": "a", "name": "f", "response": {"output": "1"}}},
        {"functionResponse": {"id": "b", "name": "g", "response": {"output": "2"}}},
    ])
}

#[test]
fn through_an_openai_client() {
    let (body, _) = answer(GEMINI, OPENAI, &answer_of(&parts(), "STOP"));
    let next = json!({"model": "m", "messages": [
        {"role": "user", "content": "go"},
        body["choices"][0]["message"],
        {"role": "tool", "tool_call_id": "a", "content": "1"},
        {"role": "tool", "tool_call_id": "b", "content": "2"},
    ]});
    let (back, dropped) = request(OPENAI, GEMINI, &next);
    assert_eq!(back["contents"][1]["parts"], parts());
    assert_eq!(back["contents"][2]["parts"], results());
    assert_eq!(dropped, [""; 0]);
    let (elsewhere, dropped) = request(OPENAI, ANTHROPIC, &next);
    assert!(!elsewhere.to_string().contains("fkm1."));
    assert!(dropped.contains(&"thinking".to_owned()), "{dropped:?}");
}

#[test]
fn through_an_anthropic_client() {
    let (body, _) = answer(GEMINI, ANTHROPIC, &answer_of(&parts(), "STOP"));
    let next = json!({"model": "m", "max_tokens": 9, "messages": [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": body["content"]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": "a", "content": "1"},
            {"type": "tool_result", "tool_use_id": "b", "content": "2"},
        ]},
    ]});
    let (back, dropped) = request(ANTHROPIC, GEMINI, &next);
    assert_eq!(back["contents"][1]["parts"], parts());
    assert_eq!(back["contents"][2]["parts"], results());
    assert_eq!(dropped, [""; 0]);
}

#[test]
fn thinking_of_others_survives_a_gemini_client() {
    let content = json!([
        {"type": "thinking", "thinking": "", "signature": "EqQBCgIYAh+/=="},
        {"type": "redacted_thinking", "data": "EroBCkYI+/=="},
        {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}},
    ]);
    let message = json!({"type": "message", "id": "m", "model": "c", "content": content, "stop_reason": "tool_use",
        "usage": {"input_tokens": 1, "output_tokens": 1}});
    let (body, _) = answer(ANTHROPIC, GEMINI, &message);
    let shown = body["candidates"][0]["content"].clone();
    // A client's SDK reads signatures as base64.
    let signature = shown["parts"][0]["thoughtSignature"].as_str().unwrap();
    assert!(
        signature
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte))
    );
    let next = json!({"generationConfig": {"maxOutputTokens": 9}, "contents": [
        {"role": "user", "parts": [{"text": "go"}]},
        shown,
        {"role": "user", "parts": [{"functionResponse": {"id": "toolu_1", "name": "f", "response": {"output": "1"}}}]},
    ]});
    let (back, dropped) = request(GEMINI, ANTHROPIC, &next);
    assert_eq!(back["messages"][1]["content"], content);
    assert_eq!(dropped, [""; 0]);
    let (_, dropped) = request(GEMINI, GEMINI, &next);
    assert_eq!(dropped, ["thinking", "tool_call.thought_signature"]);
}
