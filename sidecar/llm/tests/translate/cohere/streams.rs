//! Streams.

use fkm_llm::fold::fold;
use fkm_llm::ir::{FinishReason, OutputPart};
use fkm_llm::{FailureClass, StreamFault, StreamOptions, decode_stream, format, translate};
use serde_json::{Value, json};

use super::COHERE;
use crate::{ANTHROPIC, OPENAI, dialect};

/// Events as Cohere writes them.
fn frames(events: &[Value]) -> String {
    let frame = |event: &Value| {
        let kind = event["type"].as_str().unwrap();
        format!("event: {kind}\ndata: {event}\n\n")
    };
    events.iter().map(frame).collect::<String>() + "data: [DONE]\n\n"
}

fn of_message(kind: &str, index: u32, message: &Value) -> Value {
    json!({"type": kind, "index": index, "delta": {"message": message}})
}

fn text_stream() -> String {
    let source =
        json!({"start": 0, "end": 4, "text": "Rome", "sources": [], "type": "TEXT_CONTENT"});
    frames(&[
        json!({"type": "message-start", "id": "c1", "delta": {"message": {"role": "assistant", "content": []}}}),
        of_message(
            "content-start",
            0,
            &json!({"content": {"type": "thinking", "thinking": ""}}),
        ),
        of_message("content-delta", 0, &json!({"content": {"thinking": "hm"}})),
        json!({"type": "content-end", "index": 0}),
        of_message(
            "content-start",
            1,
            &json!({"content": {"type": "text", "text": ""}}),
        ),
        of_message("content-delta", 1, &json!({"content": {"text": "Rome "}})),
        json!({"type": "debug", "prompt": "secret"}),
        of_message("content-delta", 1, &json!({"content": {"text": "is old."}})),
        json!({"type": "content-end", "index": 1}),
        of_message("citation-start", 0, &json!({"citations": source})),
        json!({"type": "citation-end", "index": 0}),
        json!({"type": "message-end", "delta": {"finish_reason": "COMPLETE", "usage": {
            "billed_units": {"input_tokens": 2.0, "output_tokens": 3.0},
            "tokens": {"input_tokens": 20.0, "output_tokens": 3.0},
        }}}),
    ])
}

#[test]
fn a_stream_with_late_sources_means_what_the_whole_answer_means() {
    let folded = fold(decode_stream(COHERE, text_stream().as_bytes()).unwrap()).unwrap();
    let whole = json!({
        "id": "c1", "finish_reason": "COMPLETE",
        "message": {
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Rome is old."}],
            "citations": [{"start": 0, "end": 4, "text": "Rome", "sources": [], "type": "TEXT_CONTENT"}],
        },
        "usage": {
            "billed_units": {"input_tokens": 2, "output_tokens": 3}, "tokens": {"input_tokens": 20, "output_tokens": 3},
        },
    });
    let whole = format(COHERE)
        .decode_response(whole.to_string().as_bytes())
        .unwrap();
    assert_eq!(folded, whole);
}

#[test]
fn a_text_may_begin_without_a_text() {
    let stream = text_stream()
        .replace(r#","text":"""#, "")
        .replace(r#""text":"","#, "");
    assert!(!stream.contains(r#""text":"""#));
    let folded = fold(decode_stream(COHERE, stream.as_bytes()).unwrap()).unwrap();
    assert_eq!(folded.choices[0].text(), "Rome is old.");
}

fn tool_stream() -> String {
    let call = |id: &str, name: &str| json!({"tool_calls": {"id": id, "type": "function", "function": {"name": name, "arguments": ""}}});
    let piece = |text: &str| json!({"tool_calls": {"function": {"arguments": text}}});
    frames(&[
        json!({"type": "message-start", "id": "c1", "delta": {"message": {"role": "assistant"}}}),
        json!({"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "I will "}}}),
        json!({"type": "tool-plan-delta", "delta": {"message": {"tool_plan": "look."}}}),
        of_message("tool-call-start", 0, &call("a", "f")),
        of_message("tool-call-delta", 0, &piece("{\"x\":")),
        of_message("tool-call-delta", 0, &piece(" 1}")),
        json!({"type": "tool-call-end", "index": 0}),
        of_message("tool-call-start", 1, &call("b", "g")),
        json!({"type": "tool-call-end", "index": 1}),
        json!({"type": "message-end", "delta": {"finish_reason": "TOOL_CALL"}}),
    ])
}

#[test]
fn parallel_calls_stream_to_an_openai_client() {
    let options = StreamOptions::default();
    let mut transform = translate(&dialect(COHERE), OPENAI, &options);
    let mut out = Vec::new();
    transform.push(tool_stream().into(), &mut out).unwrap();
    transform.end(&mut out).unwrap();
    let folded = fold(decode_stream(OPENAI, &out.concat()).unwrap()).unwrap();
    let choice = &folded.choices[0];
    assert_eq!(choice.text(), "I will look.");
    assert_eq!(choice.finish_reason, FinishReason::ToolCalls);
    let calls = |part: &OutputPart| match part {
        OutputPart::ToolCall(call) => Some((call.id.clone(), call.arguments.clone())),
        _ => None,
    };
    let calls: Vec<(String, String)> = choice.parts.iter().filter_map(calls).collect();
    let pair = |id: &str, arguments: &str| (id.to_owned(), arguments.to_owned());
    assert_eq!(calls, [pair("a", "{\"x\": 1}"), pair("b", "{}")]);
}

#[test]
fn a_stream_of_anthropic_to_a_client_of_cohere() {
    let anthropic = [
        r#"{"type":"message_start","message":{"id":"m","model":"c","usage":{"input_tokens":3,"output_tokens":1}}}"#,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi"}}"#,
        r#"{"type":"content_block_stop","index":0}"#,
        r#"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"a","name":"f","input":{}}}"#,
        r#"{"type":"content_block_stop","index":1}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":5}}"#,
        r#"{"type":"message_stop"}"#,
    ];
    let stream = anthropic.map(|data| format!("data: {data}\n\n")).concat();
    let mut transform = translate(&dialect(ANTHROPIC), COHERE, &StreamOptions::default());
    let mut out = Vec::new();
    transform.push(stream.into(), &mut out).unwrap();
    transform.end(&mut out).unwrap();
    let expected = frames(&[
        json!({"type": "message-start", "id": "m", "delta": {"message": {
            "role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": [],
        }}}),
        of_message(
            "content-start",
            0,
            &json!({"content": {"type": "text", "text": ""}}),
        ),
        of_message("content-delta", 0, &json!({"content": {"text": "Hi"}})),
        json!({"type": "content-end", "index": 0}),
        of_message(
            "tool-call-start",
            0,
            &json!({"tool_calls": {"id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}}),
        ),
        of_message(
            "tool-call-delta",
            0,
            &json!({"tool_calls": {"function": {"arguments": "{}"}}}),
        ),
        json!({"type": "tool-call-end", "index": 0}),
        json!({"type": "message-end", "delta": {
            "finish_reason": "TOOL_CALL", "usage": {"tokens": {"input_tokens": 3, "output_tokens": 5}},
        }}),
    ]);
    let parse = |text: &str| -> Vec<(String, Value)> {
        let frames = text.split_terminator("\n\n").map(|frame| {
            let (event, data) = frame.rsplit_once("data: ").unwrap();
            let data = serde_json::from_str(data).unwrap_or_else(|_| json!(data));
            (event.to_owned(), data)
        });
        frames.collect()
    };
    let text = String::from_utf8(out.concat()).unwrap();
    assert_eq!(parse(&text), parse(&expected));
}

#[test]
fn a_failure_inside_a_stream_is_an_error() {
    let stream = frames(&[
        json!({"type": "message-start", "id": "c1", "delta": {"message": {"role": "assistant"}}}),
        json!({"type": "message-end", "delta": {"finish_reason": "ERROR", "error": "too hot"}}),
    ]);
    let mut transform = translate(&dialect(COHERE), OPENAI, &StreamOptions::default());
    let Err(StreamFault::Provider(error)) = transform.push(stream.into(), &mut Vec::new()) else {
        panic!("not an error");
    };
    assert_eq!(error.message, "too hot");
    assert_eq!(error.class, Some(FailureClass::ServerError));
}
