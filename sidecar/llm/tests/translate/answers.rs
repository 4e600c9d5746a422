//! Whole answers.

use fkm_llm::{DecodeError, FailureClass, format};
use serde_json::json;

use crate::{ANTHROPIC, OPENAI, answer};

#[test]
fn an_answer_of_anthropic_to_an_openai_client() {
    let anthropic = json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x",
        "content": [
            {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
            {"type": "text", "text": "Let me "},
            {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {"query": "x"}},
            {"type": "web_search_tool_result", "tool_use_id": "srv_1", "content": []},
            {"type": "text", "text": "see.", "citations": [{"type": "web_search_result_location", "url": "u"}]},
            {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}},
        ],
        "stop_reason": "tool_use", "stop_sequence": null,
        "usage": {
            "input_tokens": 3, "cache_read_input_tokens": 1111, "cache_creation_input_tokens": 418,
            "output_tokens": 20, "output_tokens_details": {"thinking_tokens": 5}, "service_tier": "standard",
        },
    });
    let (body, dropped) = answer(ANTHROPIC, OPENAI, &anthropic);
    assert_eq!(
        body,
        json!({
            "id": "msg_1", "object": "chat.completion", "created": 0, "model": "claude-x",
            "choices": [{
                "index": 0,
                "message": {
                    "role": "assistant", "content": "Let me see.", "refusal": null,
                    "annotations": [{
                        "type": "url_citation",
                        "url_citation": {"url": "u", "title": "u", "start_index": 0, "end_index": 4},
                    }],
                    "reasoning_content": "hm",
                    "reasoning_details": [
                        {"type": "reasoning.text", "index": 0, "text": "hm", "signature": "fkm1.anthropic.messages.YzJsbg"},
                    ],
                    "tool_calls": [
                        {"id": "toolu_1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                    ],
                },
                "logprobs": null,
                "finish_reason": "tool_calls",
            }],
            "usage": {
                "prompt_tokens": 1532, "completion_tokens": 20, "total_tokens": 1552,
                "prompt_tokens_details": {"cached_tokens": 1111, "cache_write_tokens": 418},
                "completion_tokens_details": {"reasoning_tokens": 5},
            },
        })
    );
    assert_eq!(
        dropped,
        [
            "content.server_tool_use",
            "content.web_search_tool_result",
            "message.order",
            "text.citations"
        ]
    );
}

#[test]
fn an_answer_of_openai_to_an_anthropic_client() {
    let openai = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-x", "system_fingerprint": "fp",
        "choices": [{
            "index": 0, "logprobs": null, "finish_reason": "stop",
            "message": {
                "role": "assistant", "content": "Hi", "refusal": null, "reasoning_content": "hm",
                "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}}],
            },
        }],
        "usage": {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14,
            "prompt_tokens_details": {"cached_tokens": 6}},
    });
    let (body, dropped) = answer(OPENAI, ANTHROPIC, &openai);
    assert_eq!(
        body,
        json!({
            "id": "chatcmpl-1", "type": "message", "role": "assistant", "model": "gpt-x",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": ""},
                {"type": "text", "text": "Hi"},
                {"type": "tool_use", "id": "call_1", "name": "f", "input": {"a": 1}},
            ],
            // A forced tool: OpenAI says `stop`.
            "stop_reason": "tool_use", "stop_sequence": null,
            "usage": {"input_tokens": 4, "cache_read_input_tokens": 6, "cache_creation_input_tokens": 0, "output_tokens": 4},
        })
    );
    assert_eq!(dropped, ["created", "system_fingerprint"]);
}

#[test]
fn reasons_to_stop_keep_their_meaning() {
    for (anthropic, openai, back) in [
        ("end_turn", "stop", "end_turn"),
        ("max_tokens", "length", "max_tokens"),
        ("model_context_window_exceeded", "length", "max_tokens"),
        ("refusal", "content_filter", "refusal"),
        ("pause_turn", "stop", "end_turn"),
        ("stop_sequence", "stop", "end_turn"),
        ("something_new", "stop", "end_turn"),
    ] {
        let message = json!({"type": "message", "content": [], "stop_reason": anthropic});
        let (body, _) = answer(ANTHROPIC, OPENAI, &message);
        assert_eq!(body["choices"][0]["finish_reason"], openai, "{anthropic}");
        assert_eq!(body["choices"][0]["message"]["content"], json!(null));
        let (again, _) = answer(OPENAI, ANTHROPIC, &body);
        assert_eq!(again["stop_reason"], back, "{anthropic}");
    }
}

#[test]
fn odd_answers_of_the_family_are_read() {
    let read = |message: serde_json::Value, finish: &str| {
        let body = json!({"choices": [{"message": message, "finish_reason": finish}]});
        answer(OPENAI, ANTHROPIC, &body).0
    };
    // Content as a list, thinking within it.
    let list = json!({"content": [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "text", "text": "Hi"},
    ]});
    let body = read(list, "stop");
    assert_eq!(body["content"][0]["thinking"], "hm");
    assert_eq!(body["content"][1]["text"], "Hi");
    // No reason, arguments as an object, calls without an id.
    let object = json!({"content": null, "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]});
    let body = read(object, "");
    assert_eq!(body["stop_reason"], "tool_use");
    assert_eq!(body["content"][0]["input"], json!({"a": 1}));
    // A refusal.
    let body = read(json!({"content": null, "refusal": "No."}), "stop");
    assert_eq!(body["content"], json!([{"type": "text", "text": "No."}]));
}

#[test]
fn an_error_under_a_good_status_is_an_error() {
    for (from, body) in [
        (
            OPENAI,
            json!({"error": {"message": "busy", "code": 503}, "choices": []}),
        ),
        (
            ANTHROPIC,
            json!({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}),
        ),
    ] {
        let error = format(from)
            .decode_response(body.to_string().as_bytes())
            .unwrap_err();
        let DecodeError::Provider(error) = error else {
            unreachable!("{error}");
        };
        assert_eq!(error.class, Some(FailureClass::Overloaded));
    }
}
