//! Streams, event by event.

use bytes::Bytes;
use fkm_llm::fold::fold;
use fkm_llm::ir::{Event, OutputPart};
use fkm_llm::{Format, StreamFault, StreamOptions, decode_stream, translate};
use serde_json::{Value, json};

use super::RESPONSES;
use crate::{ANTHROPIC, OPENAI, dialect};

fn stream(from: Format, to: Format, text: &str) -> String {
    let options = StreamOptions {
        include_usage: true,
        ..StreamOptions::default()
    };
    let mut transform = translate(&dialect(from), to, &options);
    let mut out = Vec::new();
    let bytes = Bytes::copy_from_slice(text.as_bytes());
    transform.push(bytes, &mut out).unwrap();
    transform.end(&mut out).unwrap();
    String::from_utf8(out.concat()).unwrap()
}

/// The events of a stream of this format, their names and numbers checked.
fn events(text: &str) -> Vec<Value> {
    let mut events = Vec::new();
    for frame in text.split_terminator("\n\n") {
        let (name, data) = frame.split_once('\n').unwrap();
        let event: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
        assert_eq!(name, format!("event: {}", event["type"].as_str().unwrap()));
        assert_eq!(event["sequence_number"], events.len());
        events.push(event);
    }
    events
}

/// Events of a provider.
fn wire(events: &[Value]) -> String {
    let frame = |event: &Value| {
        format!(
            "event: {}\ndata: {event}\n\n",
            event["type"].as_str().unwrap()
        )
    };
    events.iter().map(frame).collect()
}

#[test]
fn the_whole_life_of_a_stream_for_its_clients() {
    let chat = r#"data: {"id":"c1","model":"gpt-x","created":7,"choices":[{"index":0,"delta":{"role":"assistant","reasoning_content":"hm"}}]}

data: {"choices":[{"index":0,"delta":{"content":"Hi"}}]}

data: {"choices":[{"index":0,"delta":{"content":" you"}}]}

data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"f","arguments":"{\"a\""}}]}}]}

data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]}}]}

data: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}

data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}

data: [DONE]

"#;
    let told = events(&stream(OPENAI, RESPONSES, chat));
    let kinds: Vec<&str> = told
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        kinds,
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.reasoning_summary_part.added",
            "response.reasoning_summary_text.delta",
            "response.reasoning_summary_text.done",
            "response.reasoning_summary_part.done",
            "response.output_item.done",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.output_item.added",
            "response.function_call_arguments.delta",
            "response.function_call_arguments.delta",
            "response.function_call_arguments.done",
            "response.output_item.done",
            "response.completed",
        ]
    );
    assert_eq!(
        told[11],
        json!({"type": "response.output_text.delta", "sequence_number": 11, "item_id": "msg_fkm_1_c1", "output_index": 1,
            "content_index": 0, "delta": " you", "logprobs": []})
    );
    assert_eq!(
        told[18],
        json!({"type": "response.function_call_arguments.done", "sequence_number": 18, "item_id": "fc_fkm_2_c1",
            "output_index": 2, "name": "f", "arguments": "{\"a\":1}"})
    );
    let last = &told[20]["response"];
    assert_eq!(
        (&last["status"], &last["model"]),
        (&json!("completed"), &json!("gpt-x"))
    );
    assert_eq!(last["usage"]["total_tokens"], 12);
    let done = [7, 14, 19].map(|at: usize| told[at]["item"].clone());
    assert_eq!(last["output"], json!(done));
    assert_eq!(done[1]["content"][0]["text"], "Hi you");
    assert_eq!(told[0]["response"]["output"], json!([]));
}

#[test]
fn a_refusal_and_a_limit() {
    let chat = r#"data: {"id":"c1","choices":[{"index":0,"delta":{"refusal":"No"}}]}

data: {"choices":[{"index":0,"delta":{"refusal":"."},"finish_reason":"length"}]}

data: [DONE]

"#;
    let told = events(&stream(OPENAI, RESPONSES, chat));
    let of = |kind: &str| told.iter().find(|event| event["type"] == kind).unwrap();
    assert_eq!(of("response.refusal.done")["refusal"], "No.");
    let last = &of("response.incomplete")["response"];
    assert_eq!(
        last["incomplete_details"],
        json!({"reason": "max_output_tokens"})
    );
    assert_eq!(last["output"][0]["status"], "incomplete");
    assert_eq!(told.last(), Some(of("response.incomplete")));
}

/// A search, then text with its source, as the provider sends it.
fn search() -> Vec<Value> {
    let found = json!({"id": "ws_1", "type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "q"}});
    let source = json!({"type": "url_citation", "url": "https://a", "title": "A", "start_index": 0, "end_index": 2});
    let part =
        json!({"type": "output_text", "text": "Hi", "annotations": [source], "logprobs": []});
    let message = json!({"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [part]});
    let place = |kind: &str| json!({"type": kind, "item_id": "msg_1", "output_index": 1, "content_index": 0});
    let with = |kind: &str, name: &str, value: Value| {
        let mut event = place(kind);
        event[name] = value;
        event
    };
    vec![
        json!({"type": "response.created", "response": {"id": "resp_1", "model": "m", "status": "in_progress", "tools": [{"type": "web_search"}]}}),
        json!({"type": "response.output_item.added", "output_index": 0, "item": {"id": "ws_1", "type": "web_search_call"}}),
        json!({"type": "response.web_search_call.searching", "item_id": "ws_1", "output_index": 0}),
        json!({"type": "response.output_item.done", "output_index": 0, "item": found}),
        json!({"type": "response.output_item.added", "output_index": 1,
            "item": {"id": "msg_1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}}),
        with(
            "response.content_part.added",
            "part",
            json!({"type": "output_text", "text": "", "annotations": []}),
        ),
        with("response.output_text.delta", "delta", json!("Hi")),
        with(
            "response.output_text.annotation.added",
            "annotation",
            source,
        ),
        with("response.content_part.done", "part", part),
        json!({"type": "response.output_item.done", "output_index": 1, "item": message}),
        json!({"type": "response.completed", "response": {"id": "resp_1", "model": "m", "status": "completed",
            "output": [found, message], "usage": {"input_tokens": 3, "output_tokens": 2}}}),
    ]
}

#[test]
fn a_providers_own_step_is_no_call() {
    let chat = stream(RESPONSES, OPENAI, &wire(&search()));
    assert!(
        chat.contains(r#""content":"Hi""#) && chat.contains(r#""url":"https://a""#),
        "{chat}"
    );
    assert!(
        chat.contains(r#""finish_reason":"stop""#) && !chat.contains("tool_calls"),
        "{chat}"
    );
    // At home it is there, in its place and as it was.
    let told = events(&stream(RESPONSES, RESPONSES, &wire(&search())));
    let last = &told.last().unwrap()["response"];
    assert_eq!(last["output"], search()[10]["response"]["output"]);
    assert_eq!(last["tools"], json!([{"type": "web_search"}]));
}

#[test]
fn what_was_not_told_in_pieces_is_told_in_the_end() {
    let all = search();
    let whole = fold(decode_stream(RESPONSES, &wire(&all).into_bytes()).unwrap()).unwrap();
    // Without any event about the pieces, without the ends of items, with nothing but the last event.
    let no_pieces = [&all[..1], &all[3..5], &all[9..]].concat();
    let no_ends = [&all[..3], &all[4..8], &all[10..]].concat();
    for some in [&no_pieces[..], &no_ends, &all[10..]] {
        let answer = fold(decode_stream(RESPONSES, wire(some).as_bytes()).unwrap()).unwrap();
        let text = |answer: &fkm_llm::ir::Response| answer.choices[0].text();
        assert_eq!(text(&answer), text(&whole));
        let steps = answer.choices[0].parts.iter();
        let steps = steps.filter(|part| matches!(part, OutputPart::Opaque(_)));
        assert_eq!(steps.count(), 1);
        assert_eq!(answer.usage, whole.usage);
    }
}

#[test]
fn items_that_overlap_are_told_one_after_the_other() {
    let call = |at: u32, status: &str, arguments: &str| {
        json!({"id": format!("fc_{at}"), "type": "function_call", "call_id": format!("call_{at}"), "name": "f",
            "status": status, "arguments": arguments})
    };
    let delta = |at: u32, text: &str| json!({"type": "response.function_call_arguments.delta", "item_id": format!("fc_{at}"), "output_index": at, "delta": text});
    let events = [
        json!({"type": "response.output_item.added", "output_index": 0, "item": call(0, "in_progress", "")}),
        json!({"type": "response.output_item.added", "output_index": 1, "item": call(1, "in_progress", "")}),
        delta(1, "{\"b\""),
        delta(0, "{\"a\":1}"),
        delta(1, ":2}"),
        json!({"type": "response.output_item.done", "output_index": 1, "item": call(1, "completed", "{\"b\":2}")}),
        json!({"type": "response.output_item.done", "output_index": 0, "item": call(0, "completed", "{\"a\":1}")}),
        json!({"type": "response.completed", "response": {"status": "completed",
            "output": [call(0, "completed", "{\"a\":1}"), call(1, "completed", "{\"b\":2}")]}}),
    ];
    let decoded = decode_stream(RESPONSES, wire(&events).as_bytes()).unwrap();
    let mut open = None;
    for event in &decoded {
        match event {
            Event::BlockStart { block, .. } => assert_eq!(open.replace(*block), None),
            Event::Delta { block, .. } => assert_eq!(open, Some(*block)),
            Event::BlockStop { block, .. } => assert_eq!(open.take(), Some(*block)),
            _ => {}
        }
    }
    let parts = fold(decoded).unwrap().choices.remove(0).parts;
    let calls = parts.iter().map(|part| match part {
        OutputPart::ToolCall(call) => (call.id.as_str(), call.arguments.as_str()),
        _ => ("", ""),
    });
    assert_eq!(
        calls.collect::<Vec<_>>(),
        [("call_0", "{\"a\":1}"), ("call_1", "{\"b\":2}")]
    );
}

#[test]
fn the_state_of_a_streamed_thought_comes_whole() {
    let item = json!({"id": "rs_1", "type": "reasoning", "encrypted_content": "gAAA", "summary": [
        {"type": "summary_text", "text": "First."}, {"type": "summary_text", "text": "Second."}]});
    let text = |at: u32, delta: &str| json!({"type": "response.reasoning_summary_text.delta", "item_id": "rs_1", "output_index": 0, "summary_index": at, "delta": delta});
    let events_ = [
        json!({"type": "response.output_item.added", "output_index": 0, "item": {"id": "rs_1", "type": "reasoning", "summary": []}}),
        text(0, "Fir"),
        text(0, "st."),
        text(1, "Second."),
        json!({"type": "response.output_item.done", "output_index": 0, "item": item}),
        json!({"type": "response.completed", "response": {"status": "completed", "output": [item]}}),
    ];
    let answer = fold(decode_stream(RESPONSES, wire(&events_).as_bytes()).unwrap()).unwrap();
    let OutputPart::Reasoning(thought) = &answer.choices[0].parts[0] else {
        unreachable!("{answer:?}");
    };
    assert_eq!(thought.text.as_deref(), Some("First.\n\nSecond."));
    assert_eq!(
        thought.state.as_ref().unwrap().bytes,
        item.to_string().into_bytes()
    );
    // A client finds the item under one id from its beginning to its end.
    let told = events(&stream(RESPONSES, RESPONSES, &wire(&events_)));
    for event in &told[2..told.len() - 1] {
        let id = event.get("item_id").unwrap_or_else(|| &event["item"]["id"]);
        assert_eq!(id, "rs_1", "{event}");
    }
    assert_eq!(told.last().unwrap()["response"]["output"], json!([item]));
}

#[test]
fn before_the_last_event_every_end_is_an_error() {
    let all = search();
    for end in 0..all.len() {
        let text = wire(&all[..end]);
        let decoded = decode_stream(RESPONSES, text.as_bytes());
        assert_eq!(decoded, Err(StreamFault::Incomplete), "after {end} events");
    }
    let failed = json!({"type": "response.failed", "response": {"status": "failed",
        "error": {"code": "server_error", "message": "m"}}});
    let flat = json!({"type": "error", "code": "server_error", "message": "m", "param": null});
    for error in [failed, flat] {
        for to in [OPENAI, ANTHROPIC, RESPONSES] {
            let text = wire(&[&all[..7], std::slice::from_ref(&error)].concat());
            let mut transform = translate(&dialect(RESPONSES), to, &StreamOptions::default());
            let pushed = transform.push(text.into(), &mut Vec::new());
            let Err(StreamFault::Provider(error)) = pushed else {
                unreachable!("{pushed:?}");
            };
            assert_eq!((error.status, error.message.as_str()), (500, "m"));
        }
    }
}
