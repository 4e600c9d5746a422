//! How hard a model is to think, and thoughts that go around.

use fkm_llm::{Capabilities, Thinking};
use serde_json::{Value, json};

use crate::{ANTHROPIC, BEDROCK, OPENAI, answer, decode, encode_for, request};

fn thinking(thinking: Thinking) -> Capabilities {
    Capabilities {
        thinking,
        ..Capabilities::default()
    }
}

#[test]
fn an_effort_is_told_as_the_model_takes_it() {
    let openai = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}], "reasoning_effort": "high",
        "max_tokens": 9000, "temperature": 0.3});
    let request = decode(OPENAI, &openai);
    for (way, fields, output, lost) in [
        (
            Thinking::Budget,
            json!({"thinking": {"type": "enabled", "budget_tokens": 4096}}),
            Value::Null,
            &["temperature"][..],
        ),
        (
            Thinking::Adaptive,
            json!({"thinking": {"type": "adaptive", "display": "summarized"}}),
            json!({"effort": "high"}),
            &["temperature"],
        ),
        (
            Thinking::Effort,
            Value::Null,
            json!({"effort": "high"}),
            &[],
        ),
        (
            Thinking::Never,
            Value::Null,
            Value::Null,
            &["reasoning_effort"],
        ),
    ] {
        let (body, dropped) = encode_for(BEDROCK, &thinking(way), &request);
        assert_eq!(body["additionalModelRequestFields"], fields, "{way:?}");
        assert_eq!(body["outputConfig"], output, "{way:?}");
        assert_eq!(dropped, lost, "{way:?}");
    }
}

#[test]
fn a_budget_goes_to_others_and_what_a_maker_has_is_kept() {
    let bedrock = json!({"messages": [{"role": "user", "content": [{"text": "hi"}]}], "inferenceConfig": {"maxTokens": 9000},
        "additionalModelRequestFields": {"thinking": {"type": "enabled", "budget_tokens": 2048}}});
    let (body, dropped) = request(BEDROCK, ANTHROPIC, &bedrock);
    assert_eq!(
        body["thinking"],
        json!({"type": "enabled", "budget_tokens": 2048})
    );
    assert_eq!(dropped, [""; 0]);
    let others = json!({"messages": [{"role": "user", "content": [{"text": "hi"}]}],
        "additionalModelRequestFields": {"reasoning_config": "high", "thinking": {"type": "adaptive"}}});
    let (body, dropped) = request(BEDROCK, BEDROCK, &others);
    assert_eq!(body, others);
    assert_eq!(dropped, [""; 0]);
}

fn thoughts() -> Value {
    json!([
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "EqQBCgIYAh+/=="}}},
        {"reasoningContent": {"redactedContent": "/wECAw=="}},
        {"toolUse": {"toolUseId": "t1", "name": "f", "input": {"a": 1}}},
    ])
}

fn thoughtful() -> Value {
    json!({"output": {"message": {"role": "assistant", "content": thoughts()}}, "stopReason": "tool_use",
        "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}, "metrics": {"latencyMs": 5}})
}

#[test]
fn thoughts_survive_clients_of_other_formats_byte_for_byte() {
    let (openai, _) = answer(BEDROCK, OPENAI, &thoughtful());
    let next = json!({"model": "m", "messages": [
        {"role": "user", "content": "go"},
        openai["choices"][0]["message"],
        {"role": "tool", "tool_call_id": "t1", "content": "done"},
    ], "tools": [{"type": "function", "function": {"name": "f"}}]});
    let (sent, dropped) = request(OPENAI, BEDROCK, &next);
    assert_eq!(sent["messages"][1]["content"], thoughts());
    assert_eq!(dropped, [""; 0]);

    let (anthropic, _) = answer(BEDROCK, ANTHROPIC, &thoughtful());
    let next = json!({"model": "m", "max_tokens": 9, "messages": [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": anthropic["content"]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "done"}]},
    ], "tools": [{"name": "f", "input_schema": {"type": "object"}}]});
    let (sent, dropped) = request(ANTHROPIC, BEDROCK, &next);
    assert_eq!(sent["messages"][1]["content"], thoughts());
    assert_eq!(dropped, [""; 0]);
    // A signature of one service is none of the other's, though the model be the same.
    let (sent, dropped) = request(ANTHROPIC, ANTHROPIC, &next);
    assert_eq!(sent["messages"][1]["content"].as_array().unwrap().len(), 1);
    assert_eq!(dropped, ["thinking"]);
}

#[test]
fn thoughts_of_others_survive_a_client_of_bedrock() {
    let content = json!([
        {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "EroBCkYI+/=="},
        {"type": "text", "text": "Hi"},
    ]);
    let anthropic = json!({"type": "message", "content": content, "stop_reason": "end_turn",
        "usage": {"input_tokens": 1, "output_tokens": 1}});
    let (body, _) = answer(ANTHROPIC, BEDROCK, &anthropic);
    let next = json!({"messages": [
        {"role": "user", "content": [{"text": "go"}]},
        body["output"]["message"],
        {"role": "user", "content": [{"text": "on"}]},
    ], "inferenceConfig": {"maxTokens": 9}});
    let (sent, dropped) = request(BEDROCK, ANTHROPIC, &next);
    assert_eq!(sent["messages"][1]["content"], content);
    assert_eq!(dropped, [""; 0]);
    let (sent, dropped) = request(BEDROCK, BEDROCK, &next);
    assert_eq!(sent["messages"][1]["content"], json!([{"text": "Hi"}]));
    assert_eq!(dropped, ["thinking"]);
}
