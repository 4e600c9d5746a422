//! Answers, streams and errors in the shape of `openai.chat`.

use serde_json::{Value, json};

use crate::completion::Asked;
use crate::script::{Answer, Streamed, ToolCall, Usage};

/// Any fixed time will do.
const CREATED: u64 = 1_750_000_000;

pub(crate) fn body(asked: &Asked, answer: &Answer) -> Value {
    let mut message = json!({"role": "assistant", "content": answer.text, "refusal": null});
    if !answer.tool_calls.is_empty() {
        message["tool_calls"] = answer
            .tool_calls
            .iter()
            .map(|call| {
                json!({"id": call.id, "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments}})
            })
            .collect();
        if answer.text.is_empty() {
            message["content"] = Value::Null;
        }
    }
    let finish = finish_reason(&answer.tool_calls);
    json!({
        "id": id(asked), "object": "chat.completion", "created": CREATED, "model": asked.model,
        "choices": [{"index": 0, "message": message, "logprobs": null, "finish_reason": finish}],
        "usage": usage(answer.usage),
    })
}

pub(crate) fn frames(asked: &Asked, streamed: &Streamed) -> Vec<Vec<u8>> {
    let reports = asked.wants_usage(streamed);
    let chunk = |choices: Value, usage: Value| {
        let mut chunk = json!({
            "id": id(asked), "object": "chat.completion.chunk", "created": CREATED, "model": asked.model,
            "choices": choices,
        });
        if reports {
            chunk["usage"] = usage;
        }
        format!("data: {chunk}\n\n").into_bytes()
    };
    let delta = |delta: Value| {
        let choice = json!({"index": 0, "delta": delta, "logprobs": null, "finish_reason": null});
        chunk(json!([choice]), Value::Null)
    };
    let mut frames = vec![delta(
        json!({"role": "assistant", "content": "", "refusal": null}),
    )];
    frames.extend(
        streamed
            .pieces
            .iter()
            .map(|piece| delta(json!({"content": piece}))),
    );
    for (index, call) in streamed.tool_calls.iter().enumerate() {
        frames.push(delta(
            json!({"tool_calls": [{"index": index, "id": call.id, "type": "function",
            "function": {"name": call.name, "arguments": ""}}]}),
        ));
        frames.push(delta(json!({"tool_calls": [{"index": index,
            "function": {"arguments": call.arguments}}]})));
    }
    let finish = finish_reason(&streamed.tool_calls);
    let last = json!([{"index": 0, "delta": {}, "logprobs": null, "finish_reason": finish}]);
    frames.push(chunk(last, Value::Null));
    if reports {
        frames.push(chunk(json!([]), usage(streamed.usage)));
    }
    frames.push(b"data: [DONE]\n\n".to_vec());
    frames
}

pub(crate) fn error(status: u16, message: &str) -> Value {
    let (kind, code) = match status {
        401 => ("invalid_request_error", json!("invalid_api_key")),
        429 => ("requests", json!("rate_limit_exceeded")),
        500.. => ("server_error", Value::Null),
        _ => ("invalid_request_error", Value::Null),
    };
    json!({"error": {"message": message, "type": kind, "param": null, "code": code}})
}

/// The list of `GET …/models`.
pub(crate) fn models() -> Value {
    json!({"object": "list", "data": [
        {"id": "upstream-model", "object": "model", "created": CREATED, "owned_by": "fkm-upstream"},
    ]})
}

fn id(asked: &Asked) -> String {
    format!("chatcmpl-upstream{}", asked.number)
}

fn finish_reason(calls: &[ToolCall]) -> &'static str {
    if calls.is_empty() {
        "stop"
    } else {
        "tool_calls"
    }
}

fn usage(usage: Usage) -> Value {
    json!({
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
    })
}
