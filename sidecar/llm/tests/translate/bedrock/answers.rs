//! Whole answers and errors.

use fkm_llm::ir::FinishReason;
use fkm_llm::{ClientError, DecodeError, ErrorKind, format};
use serde_json::{Value, json};

use crate::{ANTHROPIC, BEDROCK, OPENAI, answer};

fn bedrock(content: &Value, stop: &str) -> Value {
    json!({"output": {"message": {"role": "assistant", "content": content}}, "stopReason": stop,
        "usage": {"inputTokens": 3, "outputTokens": 5, "totalTokens": 40, "cacheReadInputTokens": 20, "cacheWriteInputTokens": 12,
            "cacheDetails": [{"ttl": "1h", "inputTokens": 10}, {"ttl": "5m", "inputTokens": 2}], "serverToolUsage": {}},
        "metrics": {"latencyMs": 5}})
}

#[test]
fn an_answer_with_calls_to_openai() {
    let content = json!([
        {"text": "Hi"},
        {"toolUse": {"toolUseId": "s1", "name": "nova_grounding", "input": {}, "type": "server_tool_use"}},
        {"toolUse": {"toolUseId": "t1", "name": "f", "input": {"a": 1}, "type": "tool_use"}},
        {"toolUse": {"toolUseId": "t2", "name": "g", "input": {}}},
    ]);
    let (body, dropped) = answer(BEDROCK, OPENAI, &bedrock(&content, "tool_use"));
    let choice = &body["choices"][0];
    assert_eq!(choice["message"]["content"], "Hi");
    let calls = choice["message"]["tool_calls"].as_array().unwrap();
    assert_eq!(calls.len(), 2, "a step of the provider is no call");
    assert_eq!(
        calls[0]["function"],
        json!({"name": "f", "arguments": "{\"a\":1}"})
    );
    assert_eq!(choice["finish_reason"], "tool_calls");
    assert_eq!(body["usage"]["prompt_tokens"], 35);
    assert_eq!(body["usage"]["prompt_tokens_details"]["cached_tokens"], 20);
    assert_eq!(body["usage"]["total_tokens"], 40);
    assert!(
        dropped.contains(&"content.toolUse".to_owned()),
        "{dropped:?}"
    );
}

#[test]
fn an_answer_of_anthropics_to_bedrock() {
    let anthropic = json!({"type": "message", "id": "msg_1", "model": "claude-x", "stop_reason": "stop_sequence", "stop_sequence": "END",
        "content": [
            {"type": "text", "text": "a", "citations": [{"type": "web_search_result_location", "url": "https://a", "title": "t", "cited_text": "", "encrypted_index": ""}]},
            {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}},
        ],
        "usage": {"input_tokens": 3, "output_tokens": 5, "cache_read_input_tokens": 20, "cache_creation_input_tokens": 12,
            "cache_creation": {"ephemeral_1h_input_tokens": 10, "ephemeral_5m_input_tokens": 2}}});
    let (body, dropped) = answer(ANTHROPIC, BEDROCK, &anthropic);
    assert_eq!(
        body,
        json!({
            "output": {"message": {"role": "assistant", "content": [
                {"citationsContent": {"content": [{"text": "a"}], "citations": [{"title": "t", "location": {"web": {"url": "https://a"}}}]}},
                {"toolUse": {"toolUseId": "toolu_1", "name": "f", "input": {"a": 1}}},
            ]}},
            "stopReason": "stop_sequence",
            "usage": {"inputTokens": 3, "outputTokens": 5, "totalTokens": 40, "cacheReadInputTokens": 20, "cacheWriteInputTokens": 12,
                "cacheDetails": [{"ttl": "1h", "inputTokens": 10}, {"ttl": "5m", "inputTokens": 2}]},
            "metrics": {"latencyMs": 0},
        })
    );
    assert_eq!(
        dropped,
        ["finish_reason.stop", "id", "model", "text.citations"]
    );
}

#[test]
fn what_the_service_adds_comes_back_as_it_was() {
    let mut whole = bedrock(
        &json!([
            {"text": "a"},
            {"citationsContent": {"content": [{"text": "b"}], "citations": [{"source": "s"}]}},
            {"image": {"format": "png", "source": {"bytes": "AAAA"}}},
            {"reasoningContent": {"somethingNew": 1}},
        ]),
        "end_turn",
    );
    whole["additionalModelResponseFields"] = json!({"stop_sequence": "x"});
    whole["trace"] = json!({"guardrail": {}});
    whole["usage"]
        .as_object_mut()
        .unwrap()
        .remove("serverToolUsage");
    let (again, dropped) = answer(BEDROCK, BEDROCK, &whole);
    assert_eq!(again, whole);
    assert_eq!(dropped, [""; 0]);
}

#[test]
fn stop_reasons_mean_what_they_say() {
    for (word, openai, anthropic) in [
        ("end_turn", "stop", "end_turn"),
        ("stop_sequence", "stop", "stop_sequence"),
        ("max_tokens", "length", "max_tokens"),
        ("model_context_window_exceeded", "length", "max_tokens"),
        ("guardrail_intervened", "content_filter", "refusal"),
        ("content_filtered", "content_filter", "refusal"),
    ] {
        let whole = bedrock(&json!([{"text": "a"}]), word);
        let (body, _) = answer(BEDROCK, OPENAI, &whole);
        assert_eq!(body["choices"][0]["finish_reason"], openai, "{word}");
        let (body, _) = answer(BEDROCK, ANTHROPIC, &whole);
        assert_eq!(body["stop_reason"], anthropic, "{word}");
    }
    let new = bedrock(&json!([{"text": "a"}]), "something_new");
    let decoded = format(BEDROCK)
        .decode_response(new.to_string().as_bytes())
        .unwrap();
    let origin = BEDROCK;
    let name = "something_new".to_owned();
    assert_eq!(
        decoded.choices[0].finish_reason,
        FinishReason::Other { origin, name }
    );
    for word in ["malformed_model_output", "malformed_tool_use"] {
        let broken = bedrock(&json!([]), word);
        let read = format(BEDROCK).decode_response(broken.to_string().as_bytes());
        let Err(DecodeError::Provider(error)) = read else {
            unreachable!("{read:?}");
        };
        assert!(error.retryable && error.class.is_some());
    }
}

#[test]
fn a_refusal_is_told_in_words() {
    let openai = json!({"choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": null, "refusal": "No."}}]});
    let (body, dropped) = answer(OPENAI, BEDROCK, &openai);
    assert_eq!(
        body["output"]["message"]["content"],
        json!([{"text": "No."}])
    );
    assert_eq!(dropped, ["refusal"]);
}

#[test]
fn an_error_is_told_as_the_service_tells_it() {
    let error = ClientError::new(ErrorKind::RateLimited, "slow down");
    let body: Value = serde_json::from_slice(&format(BEDROCK).encode_error(&error)).unwrap();
    assert_eq!(
        body,
        json!({"message": "slow down", "code": "ThrottlingException", "__type": "ThrottlingException"})
    );
    assert_eq!(format(BEDROCK).error_status(&error), 429);
}
