//! Whole answers.

use fkm_llm::{DecodeError, FailureClass, StreamFault, format};
use serde_json::json;

use super::answer_of;
use crate::{ANTHROPIC, GEMINI, OPENAI, answer};

#[test]
fn an_answer_to_an_openai_client() {
    let gemini = json!({
        "candidates": [{
            "content": {"role": "model", "parts": [
                {"text": "hm", "thought": true},
                {"text": "Let me "},
                {"executableCode": {"language": "PYTHON", "code": "1"}, "thoughtSignature": "c2ln"},
                {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}},
                {"text": "see."},
                {"functionCall": {"name": "f", "args": {"a": 1}}},
                {"functionCall": {"id": "given", "name": "g"}},
            ]},
            "finishReason": "STOP", "index": 0, "avgLogprobs": -0.5,
            "groundingMetadata": {"groundingChunks": [{"web": {"uri": "https://a", "title": "A"}}], "webSearchQueries": ["q"]},
        }],
        "modelVersion": "gemini-x", "responseId": "r1",
        "usageMetadata": {
            "promptTokenCount": 10, "cachedContentTokenCount": 4, "toolUsePromptTokenCount": 5,
            "candidatesTokenCount": 7, "thoughtsTokenCount": 3, "totalTokenCount": 25,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 8}, {"modality": "AUDIO", "tokenCount": 2}],
        },
    });
    let (body, dropped) = answer(GEMINI, OPENAI, &gemini);
    assert_eq!(
        body,
        json!({
            "id": "r1", "object": "chat.completion", "created": 0, "model": "gemini-x",
            "choices": [{
                "index": 0,
                "message": {
                    "role": "assistant", "content": "Let me see.", "refusal": null,
                    "annotations": [{
                        "type": "url_citation",
                        "url_citation": {"url": "https://a", "title": "A", "start_index": 0, "end_index": 4},
                    }],
                    "reasoning_content": "hm",
                    "tool_calls": [
                        {"id": "call_r1_0", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}},
                        {"id": "given", "type": "function", "function": {"name": "g", "arguments": "{}"}},
                    ],
                },
                "logprobs": null,
                "finish_reason": "tool_calls",
            }],
            "usage": {
                "prompt_tokens": 15, "completion_tokens": 10, "total_tokens": 25,
                "prompt_tokens_details": {"audio_tokens": 2, "cached_tokens": 4, "cache_write_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 3},
            },
        })
    );
    assert_eq!(
        dropped,
        [
            "choice.avgLogprobs",
            "choice.groundingMetadata",
            "content.codeExecutionResult",
            "content.executableCode",
            "message.order",
            "text.citations",
        ]
    );
    let (again, dropped) = answer(GEMINI, GEMINI, &gemini);
    assert_eq!(dropped, [""; 0]);
    let (first, again) = (&gemini["candidates"][0], &again["candidates"][0]);
    assert_eq!(first["groundingMetadata"], again["groundingMetadata"]);
    assert_eq!(first["content"]["parts"][2], again["content"]["parts"][2]);
}

#[test]
fn answers_of_others_to_a_gemini_client() {
    let openai = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-x",
        "choices": [
            {"index": 0, "finish_reason": "length", "logprobs": null, "message": {
                "role": "assistant", "content": "Hi", "refusal": null, "reasoning_content": "hm"}},
            {"index": 1, "finish_reason": "stop", "logprobs": null, "message": {
                "role": "assistant", "content": null, "refusal": null,
                "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}}]}},
        ],
        "usage": {"prompt_tokens": 10, "completion_tokens": 4, "total_tokens": 14,
            "prompt_tokens_details": {"cached_tokens": 6}, "completion_tokens_details": {"reasoning_tokens": 3}},
    });
    let (body, dropped) = answer(OPENAI, GEMINI, &openai);
    assert_eq!(
        body,
        json!({
            "candidates": [
                {"content": {"role": "model", "parts": [{"text": "hm", "thought": true}, {"text": "Hi"}]},
                    "finishReason": "MAX_TOKENS", "index": 0},
                {"content": {"role": "model", "parts": [
                    {"functionCall": {"id": "call_1", "name": "f", "args": {"a": 1}}}]},
                    "finishReason": "STOP", "index": 1},
            ],
            "usageMetadata": {
                "promptTokenCount": 10, "candidatesTokenCount": 1, "thoughtsTokenCount": 3,
                "cachedContentTokenCount": 6, "totalTokenCount": 14,
            },
            "modelVersion": "gpt-x", "responseId": "chatcmpl-1",
        })
    );
    assert_eq!(dropped, ["created"]);
    let anthropic = json!({
        "type": "message", "id": "m", "model": "c", "stop_reason": "refusal",
        "content": [{"type": "text", "text": "see.", "citations": [{"type": "web_search_result_location", "url": "u", "title": "t"}]}],
        "usage": {"input_tokens": 1, "output_tokens": 1},
    });
    let (body, dropped) = answer(ANTHROPIC, GEMINI, &anthropic);
    let candidate = &body["candidates"][0];
    assert_eq!(candidate["finishReason"], "SAFETY");
    assert_eq!(
        candidate["groundingMetadata"],
        json!({"groundingChunks": [{"web": {"uri": "u", "title": "t"}}]})
    );
    assert_eq!(dropped, ["text.citations"]);
}

#[test]
fn a_refusal_in_words_is_told_by_the_reason() {
    let openai = json!({"choices": [{"index": 0, "finish_reason": "stop",
        "message": {"role": "assistant", "content": null, "refusal": "No."}}]});
    let (body, dropped) = answer(OPENAI, GEMINI, &openai);
    let candidate = &body["candidates"][0];
    assert_eq!(candidate["content"]["parts"], json!([{"text": "No."}]));
    assert_eq!(candidate["finishReason"], "SAFETY");
    assert_eq!(dropped, ["refusal"]);
}

#[test]
fn reasons_to_stop_keep_their_meaning() {
    for (gemini, openai, back) in [
        ("STOP", "stop", "STOP"),
        ("MAX_TOKENS", "length", "MAX_TOKENS"),
        ("SAFETY", "content_filter", "SAFETY"),
        ("RECITATION", "content_filter", "SAFETY"),
        ("MODEL_ARMOR", "content_filter", "SAFETY"),
        ("SOMETHING_NEW", "stop", "STOP"),
    ] {
        let parts = json!([{"text": "x"}]);
        let (body, _) = answer(GEMINI, OPENAI, &answer_of(&parts, gemini));
        assert_eq!(body["choices"][0]["finish_reason"], openai, "{gemini}");
        let (again, _) = answer(OPENAI, GEMINI, &body);
        assert_eq!(again["candidates"][0]["finishReason"], back, "{gemini}");
        let (home, dropped) = answer(GEMINI, GEMINI, &answer_of(&parts, gemini));
        assert_eq!(home["candidates"][0]["finishReason"], gemini);
        assert_eq!(dropped, [""; 0]);
    }
}

#[test]
fn a_model_that_failed_is_an_error() {
    for word in [
        "MALFORMED_FUNCTION_CALL",
        "UNEXPECTED_TOOL_CALL",
        "MISSING_THOUGHT_SIGNATURE",
        "OTHER",
    ] {
        let mut body = answer_of(&json!([]), word);
        body["candidates"][0]["finishMessage"] = "why".into();
        let body = body.to_string();
        let error = format(GEMINI).decode_response(body.as_bytes()).unwrap_err();
        let DecodeError::Provider(error) = error else {
            unreachable!("{error}");
        };
        assert_eq!(error.class, Some(FailureClass::ServerError));
        assert!(error.retryable && error.message.contains("why"));
        let fault = format(GEMINI).response_facts(body.as_bytes()).unwrap_err();
        assert_eq!(fault, StreamFault::Provider(error));
    }
}

#[test]
fn a_refused_prompt_is_a_filtered_answer() {
    let gemini = json!({
        "promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
        "usageMetadata": {"promptTokenCount": 3, "totalTokenCount": 3}, "modelVersion": "gemini-x",
    });
    let (body, dropped) = answer(GEMINI, OPENAI, &gemini);
    let choice = &body["choices"][0];
    assert_eq!(choice["finish_reason"], "content_filter");
    assert_eq!(choice["message"]["content"], json!(null));
    assert_eq!(dropped, ["promptFeedback"]);
    let (again, _) = answer(GEMINI, GEMINI, &gemini);
    assert_eq!(again.get("candidates"), None);
    assert_eq!(again["promptFeedback"], gemini["promptFeedback"]);
    let facts = format(GEMINI)
        .response_facts(gemini.to_string().as_bytes())
        .unwrap();
    assert_eq!(facts.finish_reasons[0].name(), "content_filter");
}

#[test]
fn thoughts_are_counted_once() {
    let usage = |counts: serde_json::Value| {
        let mut body = answer_of(&json!([]), "STOP");
        body["usageMetadata"] = counts;
        let response = format(GEMINI).decode_response(body.to_string().as_bytes());
        response
            .unwrap()
            .usage
            .map(|usage| (usage.input_tokens, usage.output_tokens))
    };
    let beside = json!({"promptTokenCount": 736, "candidatesTokenCount": 29, "thoughtsTokenCount": 1001, "totalTokenCount": 1766});
    assert_eq!(usage(beside), Some((736, 1030)));
    let within = json!({"promptTokenCount": 10, "candidatesTokenCount": 30, "thoughtsTokenCount": 20, "totalTokenCount": 40});
    assert_eq!(usage(within), Some((10, 30)));
    let nothing_said =
        json!({"promptTokenCount": 87, "thoughtsTokenCount": 78, "totalTokenCount": 165});
    assert_eq!(usage(nothing_said), Some((87, 78)));
    assert_eq!(usage(json!({"trafficType": "ON_DEMAND"})), None);
}

#[test]
fn an_error_under_a_good_status_is_an_error() {
    let error = json!({"error": {"code": 503, "message": "The model is overloaded.", "status": "UNAVAILABLE"}});
    for body in [error.clone(), json!([error])] {
        let body = body.to_string();
        let error = format(GEMINI).decode_response(body.as_bytes()).unwrap_err();
        let DecodeError::Provider(error) = error else {
            unreachable!("{error}");
        };
        assert_eq!(error.class, Some(FailureClass::Overloaded));
        assert!(matches!(
            format(GEMINI).response_facts(body.as_bytes()),
            Err(StreamFault::Provider(_))
        ));
    }
}
