//! Whole answers.

use fkm_llm::ir::Billed;
use fkm_llm::{DecodeError, FailureClass, StreamFault, format};
use serde_json::json;

use super::COHERE;
use crate::{ANTHROPIC, OPENAI, answer, request};

#[test]
fn an_answer_with_a_plan_to_an_openai_client() {
    let cohere = json!({
        "id": "c1", "finish_reason": "TOOL_CALL",
        "message": {
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": "hm"}],
            "tool_plan": "I will look.",
            "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{\"x\":1}"}},
                {"id": "b", "type": "function", "function": {"name": "g", "arguments": null}},
            ],
        },
        "usage": {
            "billed_units": {"input_tokens": 7, "output_tokens": 5},
            "tokens": {"input_tokens": 69.0, "output_tokens": 11.0}, "cached_tokens": 64,
        },
    });
    let (body, dropped) = answer(COHERE, OPENAI, &cohere);
    let message = &body["choices"][0]["message"];
    assert_eq!(message["content"], "I will look.");
    assert_eq!(message["reasoning_content"], "hm");
    assert_eq!(
        message["tool_calls"][0]["function"]["arguments"],
        "{\"x\":1}"
    );
    assert_eq!(message["tool_calls"][1]["function"]["arguments"], "{}");
    assert_eq!(body["choices"][0]["finish_reason"], "tool_calls");
    let usage = &body["usage"];
    assert_eq!(
        (&usage["prompt_tokens"], &usage["completion_tokens"]),
        (&json!(69), &json!(11))
    );
    assert_eq!(usage["prompt_tokens_details"]["cached_tokens"], 64);
    assert_eq!(dropped, [""; 0]);

    let decoded = format(COHERE)
        .decode_response(cohere.to_string().as_bytes())
        .unwrap();
    let billed = Billed {
        input_tokens: 7,
        output_tokens: 5,
    };
    assert_eq!(decoded.usage.unwrap().billed, Some(billed));
    let (again, dropped) = answer(COHERE, COHERE, &cohere);
    let mut expected = cohere;
    expected["message"]["tool_calls"][1]["function"]["arguments"] = json!("{}");
    expected["usage"]["tokens"] = json!({"input_tokens": 69, "output_tokens": 11});
    assert_eq!(again, expected);
    assert_eq!(dropped, [""; 0]);
}

#[test]
fn sources_stand_with_their_text() {
    let source = json!({
        "start": 8, "end": 11, "text": "old", "content_index": 1, "type": "TEXT_CONTENT",
        "sources": [
            {"type": "tool", "id": "a:0", "tool_output": {"content": "x"}},
            {"type": "document", "id": "d", "document": {"id": "d", "title": "Rome", "url": "https://rome"}},
        ],
    });
    let cohere = json!({
        "id": "c1", "finish_reason": "COMPLETE",
        "message": {
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Rome is old."}],
            "citations": [source],
        },
    });
    let (again, dropped) = answer(COHERE, COHERE, &cohere);
    assert_eq!(again, cohere);
    assert_eq!(dropped, [""; 0]);
    let (body, _) = answer(COHERE, OPENAI, &cohere);
    assert_eq!(
        body["choices"][0]["message"]["annotations"],
        json!([{
            "type": "url_citation",
            "url_citation": {"url": "https://rome", "title": "Rome", "start_index": 0, "end_index": 12},
        }])
    );
    let (body, dropped) = answer(OPENAI, COHERE, &body);
    assert_eq!(
        body["message"]["citations"],
        json!([{
            "start": 0, "end": 12, "text": "", "content_index": 1, "type": "TEXT_CONTENT",
            "sources": [{"type": "document", "id": "https://rome", "document": {"url": "https://rome", "title": "Rome"}}],
        }])
    );
    assert_eq!(dropped, ["text.citations"]);
}

#[test]
fn an_answer_of_anthropic_to_a_client_of_cohere_and_back_with_its_state() {
    let anthropic = json!({
        "type": "message", "id": "m", "model": "c", "stop_reason": "tool_use",
        "content": [
            {"type": "thinking", "thinking": "", "signature": "c2ln"},
            {"type": "redacted_thinking", "data": "EroB"},
            {"type": "text", "text": "I will look."},
            {"type": "tool_use", "id": "a", "name": "f", "input": {"x": 1}},
        ],
        "usage": {"input_tokens": 3, "output_tokens": 5},
    });
    let (body, dropped) = answer(ANTHROPIC, COHERE, &anthropic);
    assert_eq!(
        body,
        json!({
            "id": "m", "finish_reason": "TOOL_CALL",
            "message": {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "", "signature": "fkm1.anthropic.messages.YzJsbg"},
                    {"type": "thinking", "thinking": "", "data": "fkm1.anthropic.messages.RXJvQg"},
                ],
                "tool_plan": "I will look.",
                "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{\"x\":1}"}}],
            },
            "usage": {"tokens": {"input_tokens": 3, "output_tokens": 5}},
        })
    );
    assert_eq!(dropped, ["model"]);
    let next = json!({"model": "m", "max_tokens": 9, "messages": [
        {"role": "user", "content": "go"},
        body["message"],
        {"role": "tool", "tool_call_id": "a", "content": "done"},
    ]});
    let (back, dropped) = request(COHERE, ANTHROPIC, &next);
    assert_eq!(back["messages"][1]["content"], anthropic["content"]);
    assert_eq!(dropped, [""; 0]);
    let (other, dropped) = request(COHERE, COHERE, &next);
    assert_eq!(other["messages"][1].get("content"), None);
    assert_eq!(dropped, ["thinking"], "nobody else's");
}

#[test]
fn an_answer_that_failed_is_an_error() {
    for (body, class) in [
        (
            r#"{"id":"c","finish_reason":"TIMEOUT","message":{"role":"assistant","content":[]}}"#,
            FailureClass::Timeout,
        ),
        (
            r#"{"id":"c","finish_reason":"ERROR","message":{"role":"assistant"}}"#,
            FailureClass::ServerError,
        ),
        (
            r#"{"id":"c","message":"internal"}"#,
            FailureClass::ServerError,
        ),
    ] {
        let Err(DecodeError::Provider(error)) = format(COHERE).decode_response(body.as_bytes())
        else {
            panic!("{body}");
        };
        assert_eq!(error.class, Some(class), "{body}");
        let facts = format(COHERE).response_facts(body.as_bytes());
        assert_eq!(facts, Err(StreamFault::Provider(error)), "{body}");
    }
}
