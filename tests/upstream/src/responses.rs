//! Answers and streams in the shape of `openai.responses`. Its errors are those of `openai.chat`.

use serde_json::{Value, json};

use crate::completion::Asked;
use crate::script::{Answer, Streamed, ToolCall, Usage};

/// Any fixed time will do.
const CREATED: u64 = 1_750_000_000;

pub(crate) fn body(asked: &Asked, answer: &Answer) -> Value {
    let mut items = Vec::new();
    if !answer.text.is_empty() {
        items.push(message(asked, &answer.text, "completed"));
    }
    items.extend(
        (0..)
            .zip(&answer.tool_calls)
            .map(|(index, one)| call(asked, index, one)),
    );
    response(asked, &items, Some(answer.usage))
}

pub(crate) fn frames(asked: &Asked, streamed: &Streamed) -> Vec<Vec<u8>> {
    let begun = response(asked, &[], None);
    let mut events = vec![
        json!({"type": "response.created", "response": begun}),
        json!({"type": "response.in_progress", "response": begun}),
    ];
    let mut items = Vec::new();
    if !streamed.pieces.is_empty() {
        let text = streamed.pieces.concat();
        events.extend(said(asked, &streamed.pieces, &text));
        items.push(message(asked, &text, "completed"));
    }
    for (index, one) in (0..).zip(&streamed.tool_calls) {
        events.extend(called(asked, index, items.len(), one));
        items.push(call(asked, index, one));
    }
    let whole = response(asked, &items, Some(streamed.usage));
    events.push(json!({"type": "response.completed", "response": whole}));
    events.into_iter().enumerate().map(frame).collect()
}

/// The events of a message: it begins, its piece, the deltas, and all of it ends.
fn said(asked: &Asked, pieces: &[String], text: &str) -> Vec<Value> {
    let about = |kind: &str, more: Value| {
        let mut event = json!({"type": kind, "item_id": message_id(asked), "output_index": 0, "content_index": 0});
        merge(&mut event, more);
        event
    };
    let mut begun = message(asked, "", "in_progress");
    begun["content"] = json!([]);
    let mut events = vec![
        json!({"type": "response.output_item.added", "output_index": 0, "item": begun}),
        about("response.content_part.added", json!({"part": part("")})),
    ];
    events.extend(pieces.iter().map(|piece| {
        about(
            "response.output_text.delta",
            json!({"delta": piece, "logprobs": []}),
        )
    }));
    let item = message(asked, text, "completed");
    events.extend([
        about(
            "response.output_text.done",
            json!({"text": text, "logprobs": []}),
        ),
        about("response.content_part.done", json!({"part": part(text)})),
        json!({"type": "response.output_item.done", "output_index": 0, "item": item}),
    ]);
    events
}

/// The events of a call: it begins, its arguments in one piece, and all of it ends.
fn called(asked: &Asked, index: usize, at: usize, one: &ToolCall) -> Vec<Value> {
    let item = call(asked, index, one);
    let mut begun = item.clone();
    begun["arguments"] = json!("");
    begun["status"] = json!("in_progress");
    let id = &item["id"];
    vec![
        json!({"type": "response.output_item.added", "output_index": at, "item": begun}),
        json!({"type": "response.function_call_arguments.delta", "item_id": id, "output_index": at, "delta": one.arguments}),
        json!({"type": "response.function_call_arguments.done", "item_id": id, "output_index": at, "name": one.name,
            "arguments": one.arguments}),
        json!({"type": "response.output_item.done", "output_index": at, "item": item}),
    ]
}

/// An answer; one without usage has only begun.
fn response(asked: &Asked, output: &[Value], usage: Option<Usage>) -> Value {
    let status = if usage.is_some() {
        "completed"
    } else {
        "in_progress"
    };
    json!({
        "id": format!("resp_upstream{}", asked.number), "object": "response", "created_at": CREATED,
        "status": status, "error": null, "incomplete_details": null, "instructions": null, "model": asked.model,
        "output": output, "parallel_tool_calls": true, "metadata": {}, "temperature": 1.0, "top_p": 1.0,
        "tool_choice": "auto", "tools": [], "usage": usage.map(counts),
    })
}

fn message(asked: &Asked, text: &str, status: &str) -> Value {
    json!({"id": message_id(asked), "type": "message", "role": "assistant", "status": status, "content": [part(text)]})
}

fn part(text: &str) -> Value {
    json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
}

fn message_id(asked: &Asked) -> String {
    format!("msg_upstream{}", asked.number)
}

fn call(asked: &Asked, index: usize, one: &ToolCall) -> Value {
    json!({"id": format!("fc_upstream{}_{index}", asked.number), "type": "function_call", "call_id": one.id,
        "name": one.name, "arguments": one.arguments, "status": "completed"})
}

fn counts(usage: Usage) -> Value {
    json!({
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage.input_tokens + usage.output_tokens,
    })
}

fn merge(event: &mut Value, more: Value) {
    if let (Value::Object(event), Value::Object(more)) = (event, more) {
        event.extend(more);
    }
}

fn frame((number, mut event): (usize, Value)) -> Vec<u8> {
    event["sequence_number"] = number.into();
    let name = event["type"].as_str().expect("every event has a type");
    format!("event: {name}\ndata: {event}\n\n").into_bytes()
}
