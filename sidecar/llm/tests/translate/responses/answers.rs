//! Whole answers.

use fkm_llm::{DecodeError, format};
use serde_json::{Value, json};

use super::RESPONSES;
use crate::{ANTHROPIC, OPENAI, answer};

/// An answer of a provider, with what it repeats of the request.
fn response(status: &str, output: &Value) -> Value {
    json!({
        "id": "resp_1", "object": "response", "created_at": 7, "status": status, "error": null,
        "incomplete_details": null, "instructions": "Be kind.", "model": "gpt-x", "output": output,
        "parallel_tool_calls": false, "metadata": {}, "temperature": 1.0, "top_p": 1.0, "tool_choice": "auto",
        "tools": [{"type": "web_search"}], "background": false, "store": true, "user": null,
        "usage": {"input_tokens": 20, "input_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 2},
            "output_tokens": 9, "output_tokens_details": {"reasoning_tokens": 4}, "total_tokens": 29},
    })
}

fn text(text: &str) -> Value {
    json!({"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [
        {"type": "output_text", "text": text, "annotations": [
            {"type": "url_citation", "url": "https://a", "title": "A", "start_index": 0, "end_index": 2}], "logprobs": []}]})
}

#[test]
fn for_a_client_of_chats() {
    let output = json!([
        {"id": "ws_1", "type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "q"}},
        text("Hi"),
        {"id": "fc_1", "type": "function_call", "status": "completed", "call_id": "call_1", "name": "f", "arguments": "{\"a\":1}"},
    ]);
    let (body, dropped) = answer(RESPONSES, OPENAI, &response("completed", &output));
    assert_eq!(
        body,
        json!({
            "id": "resp_1", "object": "chat.completion", "created": 7, "model": "gpt-x",
            "choices": [{
                "index": 0, "logprobs": null, "finish_reason": "tool_calls",
                "message": {
                    "role": "assistant", "content": "Hi", "refusal": null,
                    "annotations": [{"type": "url_citation",
                        "url_citation": {"url": "https://a", "title": "A", "start_index": 0, "end_index": 2}}],
                    "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}}],
                },
            }],
            "usage": {"prompt_tokens": 20, "completion_tokens": 9, "total_tokens": 29,
                "prompt_tokens_details": {"cached_tokens": 5, "cache_write_tokens": 2},
                "completion_tokens_details": {"reasoning_tokens": 4}},
        })
    );
    // What the provider did itself is no call of the client's; what repeats the request is not missed.
    assert_eq!(dropped, ["content.web_search_call", "text.citations"]);
}

#[test]
fn for_a_client_of_responses() {
    let anthropic = json!({
        "id": "msg_9", "type": "message", "role": "assistant", "model": "claude", "stop_reason": "tool_use",
        "content": [
            {"type": "text", "text": "Hi"},
            {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}},
        ],
        "usage": {"input_tokens": 5, "cache_read_input_tokens": 3, "output_tokens": 2},
    });
    let (body, dropped) = answer(ANTHROPIC, RESPONSES, &anthropic);
    assert_eq!(
        body,
        json!({
            "id": "msg_9", "object": "response", "created_at": 0, "status": "completed", "error": null,
            "incomplete_details": null, "model": "claude",
            "output": [
                {"id": "msg_fkm_0_msg_9", "type": "message", "role": "assistant", "status": "completed", "content": [
                    {"type": "output_text", "text": "Hi", "annotations": [], "logprobs": []}]},
                {"id": "fc_fkm_1_msg_9", "type": "function_call", "status": "completed", "call_id": "toolu_1", "name": "f",
                    "arguments": "{\"a\":1}"},
            ],
            "instructions": null, "metadata": {}, "parallel_tool_calls": true, "temperature": null, "tool_choice": "auto",
            "tools": [], "top_p": null,
            "usage": {"input_tokens": 8, "input_tokens_details": {"cached_tokens": 3, "cache_write_tokens": 0},
                "output_tokens": 2, "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 10},
        })
    );
    assert_eq!(dropped, [""; 0]);
}

#[test]
fn a_refusal_and_every_end() {
    let refusal = json!([{"id": "msg_1", "type": "message", "role": "assistant", "status": "completed",
        "content": [{"type": "refusal", "refusal": "I cannot."}]}]);
    let (body, _) = answer(RESPONSES, OPENAI, &response("completed", &refusal));
    assert_eq!(body["choices"][0]["message"]["refusal"], "I cannot.");
    let (body, _) = answer(OPENAI, RESPONSES, &body);
    assert_eq!(
        body["output"][0]["content"],
        json!([{"type": "refusal", "refusal": "I cannot."}])
    );
    for (reason, word) in [
        ("max_output_tokens", "length"),
        ("content_filter", "content_filter"),
    ] {
        let mut cut = response("incomplete", &json!([text("Hi")]));
        cut["incomplete_details"] = json!({"reason": reason});
        let (body, _) = answer(RESPONSES, OPENAI, &cut);
        assert_eq!(body["choices"][0]["finish_reason"], word);
        let (body, _) = answer(OPENAI, RESPONSES, &body);
        assert_eq!(body["status"], "incomplete");
        assert_eq!(body["incomplete_details"], json!({"reason": reason}));
        assert_eq!(body["output"][0]["status"], "incomplete");
    }
}

#[test]
fn at_home_everything_comes_back() {
    let output = json!([
        {"id": "rs_1", "type": "reasoning", "summary": [], "encrypted_content": "gA+/="},
        {"id": "ci_1", "type": "code_interpreter_call", "status": "completed", "code": "1", "outputs": [], "container_id": "c"},
        text("Hi"),
        {"id": "ctc_1", "type": "custom_tool_call", "call_id": "c1", "name": "shell", "input": "ls"},
        {"id": "fc_1", "type": "function_call", "status": "completed", "call_id": "c2", "name": "f", "arguments": "{}"},
    ]);
    let mut whole = response("completed", &output);
    let (body, dropped) = answer(RESPONSES, RESPONSES, &whole);
    // `null` says nothing.
    whole.as_object_mut().unwrap().remove("user");
    assert_eq!(body, whole);
    assert_eq!(dropped, [""; 0]);
}

#[test]
fn a_failed_answer_is_an_error_and_one_in_the_background_is_none() {
    let wire = format(RESPONSES);
    let mut failed = response("failed", &json!([]));
    failed["error"] = json!({"code": "rate_limit_exceeded", "message": "slow down"});
    let Err(DecodeError::Provider(error)) = wire.decode_response(failed.to_string().as_bytes())
    else {
        unreachable!("an answer");
    };
    assert_eq!((error.status, error.message.as_str()), (429, "slow down"));
    let (body, dropped) = answer(RESPONSES, RESPONSES, &response("queued", &json!([])));
    assert_eq!(body["status"], "queued");
    assert_eq!(dropped, [""; 0]);
    let nameless = json!({"output": []});
    assert!(
        wire.decode_response(nameless.to_string().as_bytes())
            .is_err()
    );
}

#[test]
fn a_piece_of_a_message_that_is_not_known_comes_back_in_a_message() {
    let answer = json!({
        "id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "m",
        "output": [{"type": "message", "role": "assistant", "content": [
            {"type": "output_text", "text": "Hi", "annotations": []},
            {"type": "function_call", "call_id": "a"},
        ]}],
    });
    let wire = format(RESPONSES);
    let said = wire.decode_response(answer.to_string().as_bytes()).unwrap();
    let body = wire.encode_response(&said).unwrap().body;
    let again: Value = serde_json::from_slice(&body).unwrap();
    let output = again["output"].as_array().unwrap();
    assert!(
        output.iter().all(|item| item["type"] == "message"),
        "{again}"
    );
    assert_eq!(
        output[1]["content"],
        json!([{"type": "function_call", "call_id": "a"}])
    );
    assert_eq!(
        wire.decode_response(&body).unwrap().choices[0].parts,
        said.choices[0].parts
    );
}
