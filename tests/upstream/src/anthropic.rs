//! Answers, streams and errors in the shape of `anthropic.messages`.

use serde_json::{Value, json};

use crate::completion::Asked;
use crate::script::{Answer, Streamed, ToolCall, Usage};

pub(crate) fn body(asked: &Asked, answer: &Answer) -> Value {
    let mut content = Vec::new();
    if !answer.text.is_empty() {
        content.push(json!({"type": "text", "text": answer.text}));
    }
    content.extend(answer.tool_calls.iter().map(|call| {
        // Arguments that are no JSON could not be said in this format: they come as a string.
        let input: Value = serde_json::from_str(&call.arguments)
            .unwrap_or_else(|_| Value::from(call.arguments.as_str()));
        json!({"type": "tool_use", "id": call.id, "name": call.name, "input": input})
    }));
    let mut message = message(asked, answer.usage);
    message["content"] = content.into();
    message["stop_reason"] = stop_reason(&answer.tool_calls).into();
    message
}

pub(crate) fn frames(streamed: &Streamed, asked: &Asked) -> Vec<Vec<u8>> {
    let begun = Usage {
        output_tokens: 1,
        ..streamed.usage
    };
    let mut frames = vec![frame(
        &json!({"type": "message_start", "message": message(asked, begun)}),
    )];
    let mut index = 0;
    if !streamed.pieces.is_empty() {
        let deltas = streamed
            .pieces
            .iter()
            .map(|piece| json!({"type": "text_delta", "text": piece}));
        frames.extend(block(index, &json!({"type": "text", "text": ""}), deltas));
        index += 1;
    }
    for call in &streamed.tool_calls {
        let start = json!({"type": "tool_use", "id": call.id, "name": call.name, "input": {}});
        let deltas = ["", call.arguments.as_str()]
            .map(|piece| json!({"type": "input_json_delta", "partial_json": piece}));
        frames.extend(block(index, &start, deltas.into_iter()));
        index += 1;
    }
    let stop = stop_reason(&streamed.tool_calls);
    frames.push(frame(&json!({
        "type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": null},
        "usage": {"output_tokens": streamed.usage.output_tokens},
    })));
    frames.push(frame(&json!({"type": "message_stop"})));
    frames
}

pub(crate) fn error(status: u16, message: &str) -> Value {
    let kind = match status {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        500.. => "api_error",
        _ => "invalid_request_error",
    };
    json!({"type": "error", "error": {"type": kind, "message": message}, "request_id": null})
}

/// One content block as frames: its start, its deltas, its stop.
fn block(index: usize, start: &Value, deltas: impl Iterator<Item = Value>) -> Vec<Vec<u8>> {
    let mut frames = vec![frame(
        &json!({"type": "content_block_start", "index": index, "content_block": start}),
    )];
    frames.extend(deltas.map(|delta| {
        frame(&json!({"type": "content_block_delta", "index": index, "delta": delta}))
    }));
    frames.push(frame(
        &json!({"type": "content_block_stop", "index": index}),
    ));
    frames
}

/// A message without content yet.
fn message(asked: &Asked, usage: Usage) -> Value {
    json!({
        "id": format!("msg_upstream{}", asked.number), "type": "message", "role": "assistant",
        "model": asked.model, "content": [], "stop_reason": null, "stop_sequence": null,
        "usage": {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens},
    })
}

fn frame(data: &Value) -> Vec<u8> {
    let name = data["type"].as_str().expect("every event has a type");
    format!("event: {name}\ndata: {data}\n\n").into_bytes()
}

fn stop_reason(calls: &[ToolCall]) -> &'static str {
    if calls.is_empty() {
        "end_turn"
    } else {
        "tool_use"
    }
}
