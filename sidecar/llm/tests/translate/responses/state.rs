//! State of thoughts: around through clients of other formats, and of other formats through clients of this one.

use serde_json::{Value, json};

use super::RESPONSES;
use crate::{ANTHROPIC, OPENAI, answer, request};

/// Two thoughts, of which one can be read; not as the encoder would write them.
fn items() -> Value {
    json!([
        {"id": "rs_1", "type": "reasoning", "encrypted_content": "gAAA+/==", "summary": [
            {"type": "summary_text", "text": "First."}, {"type": "summary_text", "text": "Second."}]},
        {"id": "rs_2", "type": "reasoning", "summary": [], "encrypted_content": "gBBB"},
    ])
}

fn response() -> Value {
    let mut output = items();
    let call = json!({"id": "fc_1", "type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"});
    output.as_array_mut().unwrap().push(call);
    json!({"id": "resp_1", "object": "response", "model": "m", "status": "completed", "output": output,
        "usage": {"input_tokens": 1, "output_tokens": 1}})
}

#[test]
fn a_client_of_chats_brings_it_back() {
    let (body, _) = answer(RESPONSES, OPENAI, &response());
    let message = &body["choices"][0]["message"];
    assert_eq!(message["reasoning_content"], "First.\n\nSecond.");
    let next = json!({"model": "m", "messages": [
        {"role": "user", "content": "go"},
        message,
        {"role": "tool", "tool_call_id": "call_1", "content": "done"},
    ]});
    let (sent, dropped) = request(OPENAI, RESPONSES, &next);
    assert_eq!(
        sent["input"].as_array().unwrap()[1..3],
        items().as_array().unwrap()[..]
    );
    assert_eq!(sent["input"][3]["type"], "function_call");
    assert_eq!(dropped, [""; 0]);
    // Nobody else gets it.
    let (sent, dropped) = request(OPENAI, ANTHROPIC, &next);
    assert!(!sent.to_string().contains("gAAA"), "{sent}");
    assert_eq!(dropped, ["thinking"]);
}

#[test]
fn a_client_of_anthropic_brings_it_back() {
    let (body, _) = answer(RESPONSES, ANTHROPIC, &response());
    assert_eq!(body["content"][0]["thinking"], "First.\n\nSecond.");
    assert_eq!(body["content"][1]["type"], "redacted_thinking");
    let next = json!({"model": "m", "max_tokens": 99, "messages": [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": body["content"]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": "done"}]},
    ]});
    let (sent, dropped) = request(ANTHROPIC, RESPONSES, &next);
    assert_eq!(
        sent["input"].as_array().unwrap()[1..3],
        items().as_array().unwrap()[..]
    );
    assert_eq!(dropped, [""; 0]);
}

#[test]
fn anthropics_thinking_survives_a_client_of_responses() {
    let thinking = json!([
        {"type": "thinking", "thinking": "hm", "signature": "EqQBCg+/=="},
        {"type": "redacted_thinking", "data": "EroBCkYI+/=="},
    ]);
    let mut content = thinking.clone();
    let call = json!({"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}});
    content.as_array_mut().unwrap().push(call);
    let message = json!({"type": "message", "id": "m1", "model": "c", "content": content, "stop_reason": "tool_use",
        "usage": {"input_tokens": 1, "output_tokens": 1}});
    let (body, dropped) = answer(ANTHROPIC, RESPONSES, &message);
    assert_eq!(dropped, [""; 0]);
    let shown = &body["output"][0];
    assert_eq!(
        shown["summary"],
        json!([{"type": "summary_text", "text": "hm"}])
    );
    let sealed = shown["encrypted_content"].as_str().unwrap();
    assert!(sealed.starts_with("fkm1.anthropic.messages."), "{sealed}");
    let mut input = body["output"].clone();
    let result = json!({"type": "function_call_output", "call_id": "toolu_1", "output": "done"});
    input.as_array_mut().unwrap().push(result);
    let next = json!({"model": "m", "input": input, "store": false, "max_output_tokens": 99});
    let (sent, dropped) = request(RESPONSES, ANTHROPIC, &next);
    let content = sent["messages"][0]["content"].as_array().unwrap();
    assert_eq!(content[..2], thinking.as_array().unwrap()[..]);
    assert_eq!(dropped, [""; 0]);
    // A provider of this format would not know the item.
    let (sent, dropped) = request(RESPONSES, RESPONSES, &next);
    assert_eq!(sent["input"][0]["type"], "function_call");
    assert_eq!(sent["input"][0].get("id"), None);
    assert_eq!(dropped, ["thinking"]);
}
