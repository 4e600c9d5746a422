//! Requests, as they are sent.

use fkm_llm::{Capabilities, EncodeError, Thinking};
use serde_json::{Value, json};

use super::RESPONSES;
use crate::{ANTHROPIC, OPENAI, decode, encode, encode_for, request};

fn conversation() -> Value {
    json!({
        "model": "m", "instructions": "Be kind.", "max_output_tokens": 99, "temperature": 0.5, "store": false,
        "input": [
            {"role": "developer", "content": "Metric units."},
            {"role": "user", "content": [
                {"type": "input_text", "text": "Oslo and Rome?"},
                {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "low"},
                {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,BBBB"},
            ]},
            {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [
                {"type": "output_text", "text": "One moment.", "annotations": [], "logprobs": []}]},
            {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "weather", "arguments": "{\"city\":\"Oslo\"}"},
            {"type": "function_call", "id": "fc_2", "call_id": "call_2", "name": "weather", "arguments": "{\"city\":\"Rome\"}"},
            {"type": "function_call_output", "call_id": "call_1", "output": "cold"},
            {"type": "function_call_output", "call_id": "call_2", "output": [{"type": "input_text", "text": "warm"}]},
        ],
        "tools": [{"type": "function", "name": "weather", "description": "Tells it.", "strict": false,
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}],
        "tool_choice": {"type": "function", "name": "weather"},
        "parallel_tool_calls": true,
    })
}

#[test]
fn a_client_of_responses_at_a_chat_provider() {
    let (body, dropped) = request(RESPONSES, OPENAI, &conversation());
    let call = |id: &str, city: &str| {
        let arguments = format!("{{\"city\":\"{city}\"}}");
        json!({"id": id, "type": "function", "function": {"name": "weather", "arguments": arguments}})
    };
    assert_eq!(
        body,
        json!({
            "model": "upstream-model", "max_completion_tokens": 99, "temperature": 0.5,
            "messages": [
                {"role": "system", "content": [
                    {"type": "text", "text": "Be kind."}, {"type": "text", "text": "Metric units."}]},
                {"role": "user", "content": [
                    {"type": "text", "text": "Oslo and Rome?"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}},
                    {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,BBBB"}},
                ]},
                {"role": "assistant", "content": "One moment.",
                    "tool_calls": [call("call_1", "Oslo"), call("call_2", "Rome")]},
                {"role": "tool", "tool_call_id": "call_1", "content": "cold"},
                {"role": "tool", "tool_call_id": "call_2", "content": "warm"},
            ],
            "tools": [{"type": "function", "function": {"name": "weather", "description": "Tells it.", "strict": false,
                "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}],
            "tool_choice": {"type": "function", "function": {"name": "weather"}},
        })
    );
    assert_eq!(dropped, [""; 0]);
}

#[test]
fn a_client_of_chats_at_a_responses_provider() {
    let chat = json!({
        "model": "m", "max_tokens": 9, "seed": 1, "reasoning_effort": "low", "user": "u", "parallel_tool_calls": false,
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "Oslo and Rome?"},
            {"role": "assistant", "content": "One moment.", "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                {"id": "call_2", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "call_1", "content": "cold"},
            {"role": "tool", "tool_call_id": "call_2", "content": "warm"},
            {"role": "assistant", "content": null, "refusal": "No."},
            {"role": "user", "content": "Go on."},
        ],
        "tools": [{"type": "function", "function": {"name": "f"}}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "s", "strict": true, "schema": {"type": "object"}}},
    });
    let (body, dropped) = request(OPENAI, RESPONSES, &chat);
    assert_eq!(
        body,
        json!({
            "model": "upstream-model", "instructions": "Be kind.", "max_output_tokens": 16, "user": "u",
            "input": [
                {"role": "user", "content": "Oslo and Rome?"},
                {"role": "assistant", "content": "One moment."},
                {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"},
                {"type": "function_call", "call_id": "call_2", "name": "f", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "call_1", "output": "cold"},
                {"type": "function_call_output", "call_id": "call_2", "output": "warm"},
                {"type": "message", "id": "msg_fkm_6", "role": "assistant", "status": "completed",
                    "content": [{"type": "refusal", "refusal": "No."}]},
                {"role": "user", "content": "Go on."},
            ],
            // Without the word, the provider would make the schema strict.
            "tools": [{"type": "function", "name": "f", "strict": false,
                "parameters": {"type": "object", "properties": {}}}],
            "tool_choice": "auto", "parallel_tool_calls": false,
            "text": {"format": {"type": "json_schema", "name": "s", "strict": true, "schema": {"type": "object"}}},
            "reasoning": {"effort": "low"},
            "store": false, "include": ["reasoning.encrypted_content"],
        })
    );
    assert_eq!(dropped, ["max_output_tokens", "seed"]);
}

#[test]
fn a_client_of_anthropic_at_a_responses_provider() {
    let messages = json!({
        "model": "m", "max_tokens": 100, "system": "Be kind.", "top_k": 4,
        "messages": [
            {"role": "user", "content": [
                {"type": "image", "source": {"type": "url", "url": "https://a/b.png"}},
                {"type": "document", "title": "t", "source": {"type": "url", "url": "https://a/b.pdf"}}]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}}]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "is_error": true, "content": [
                    {"type": "text", "text": "no"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}]}]},
        ],
    });
    let (body, dropped) = request(ANTHROPIC, RESPONSES, &messages);
    assert_eq!(
        body["input"],
        json!([
            {"role": "user", "content": [
                {"type": "input_image", "image_url": "https://a/b.png", "detail": "auto"},
                {"type": "input_file", "filename": "t", "file_url": "https://a/b.pdf"}]},
            {"type": "function_call", "call_id": "toolu_1", "name": "f", "arguments": "{\"a\":1}"},
            {"type": "function_call_output", "call_id": "toolu_1", "output": [
                {"type": "input_text", "text": "no"},
                {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "auto"}]},
        ])
    );
    assert_eq!(dropped, ["tool_result.is_error", "top_k"]);
    // Where nothing is known of the model, it is not asked for what many refuse.
    assert_eq!(body.get("include"), None);
    let thinks = Capabilities {
        thinking: Thinking::Effort,
        ..Capabilities::default()
    };
    let (body, _) = encode_for(RESPONSES, &thinks, &decode(ANTHROPIC, &messages));
    assert_eq!(body["include"], json!(["reasoning.encrypted_content"]));
}

#[test]
fn at_home_everything_comes_back() {
    let whole = json!({
        "model": "upstream-model", "instructions": "Be kind.", "store": true, "truncation": "auto", "x_new": [1],
        "previous_response_id": "resp_1", "prompt_cache_key": "k", "metadata": {"a": "b"},
        "input": [
            {"role": "user", "content": "Go."},
            {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "gA+/="},
            {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "phase": "commentary", "content": [
                {"type": "output_text", "text": "It.", "logprobs": [], "annotations": [
                    {"type": "file_citation", "file_id": "f", "filename": "n", "index": 1}]}]},
            {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}},
            {"type": "custom_tool_call", "id": "ctc_1", "call_id": "c1", "name": "shell", "input": "ls"},
            {"type": "custom_tool_call_output", "call_id": "c1", "output": "a b"},
            {"type": "function_call", "id": "fc_1", "call_id": "c2", "name": "f", "arguments": "{}", "namespace": "n"},
            {"type": "function_call_output", "call_id": "c2", "output": "done"},
            {"type": "item_reference", "id": "msg_0"},
        ],
        "tools": [{"type": "web_search"}, {"type": "custom", "name": "shell"},
            {"type": "function", "name": "f", "parameters": {}}],
        "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
        "reasoning": {"effort": "high", "summary": "auto"}, "text": {"verbosity": "low", "format": {"type": "json_object"}},
        "include": ["reasoning.encrypted_content"],
    });
    let (body, dropped) = request(RESPONSES, RESPONSES, &whole);
    assert_eq!(body, whole);
    assert_eq!(dropped, [""; 0]);
}

#[test]
fn what_only_one_provider_holds_is_refused_elsewhere() {
    for (member, value) in [
        ("previous_response_id", json!("resp_1")),
        ("conversation", json!({"id": "conv_1"})),
        ("prompt", json!({"id": "pmpt_1"})),
        ("background", json!(true)),
    ] {
        let mut asked = json!({"model": "m", "input": "Hi", "store": false});
        asked[member] = value;
        let asked = decode(RESPONSES, &asked);
        assert!(encode(RESPONSES, &asked).is_ok(), "{member}");
        for to in [OPENAI, ANTHROPIC] {
            let Err(EncodeError::Unsupported { path, reason, .. }) = encode(to, &asked) else {
                unreachable!("{member} was sent to {to}");
            };
            assert_eq!(path, member);
            assert!(reason.contains("openai.responses"), "{reason}");
        }
    }
    let refer = json!({"model": "m", "input": [{"type": "item_reference", "id": "msg_1"}]});
    assert!(encode(OPENAI, &decode(RESPONSES, &refer)).is_err());
}

#[test]
fn what_can_be_left_out_is_reported_and_echoes_are_not() {
    let asked = json!({
        "model": "m", "truncation": "auto", "prompt_cache_key": "k", "background": false,
        "include": ["message.output_text.logprobs"], "text": {"verbosity": "low"}, "reasoning": {"summary": "auto"},
        "tools": [{"type": "web_search"}],
        "input": [
            {"role": "user", "content": "Hi"},
            {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}},
            {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
                "content": [{"type": "output_text", "text": "It.", "annotations": [], "logprobs": []}]},
        ],
    });
    let (body, dropped) = request(RESPONSES, OPENAI, &asked);
    assert_eq!(
        body["messages"][1],
        json!({"role": "assistant", "content": "It."})
    );
    assert_eq!(
        dropped,
        [
            "content.web_search_call",
            "include",
            "prompt_cache_key",
            "reasoning.summary",
            "store",
            "text.verbosity",
            "tools.web_search",
            "truncation",
        ]
    );
}

#[test]
fn what_the_format_cannot_say_is_refused() {
    let user = json!({"role": "user", "content": "Hi"});
    let sound = json!({"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}}]});
    for (path, asked) in [
        (
            "stop",
            json!({"model": "m", "messages": [user], "stop": ["\n"]}),
        ),
        ("n", json!({"model": "m", "messages": [user], "n": 2})),
        (
            "messages[].content",
            json!({"model": "m", "messages": [sound]}),
        ),
    ] {
        let Err(EncodeError::Unsupported { path: found, .. }) =
            encode(RESPONSES, &decode(OPENAI, &asked))
        else {
            unreachable!("{asked} was sent");
        };
        assert_eq!(found, path);
    }
}

#[test]
fn names_and_ids_that_are_not_taken_are_changed_in_all_places_alike() {
    let long = "c".repeat(65);
    let asked = json!({
        "model": "m", "tools": [{"type": "function", "function": {"name": "a.b"}}],
        "messages": [
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": long, "type": "function", "function": {"name": "a.b", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": long, "content": "x"},
        ],
    });
    let encoded = encode(RESPONSES, &decode(OPENAI, &asked)).unwrap();
    let body: Value = serde_json::from_slice(&encoded.body).unwrap();
    let name = body["tools"][0]["name"].as_str().unwrap();
    assert_eq!(body["input"][0]["name"], name);
    assert_eq!(encoded.tool_names.restore(name), "a.b");
    let id = body["input"][0]["call_id"].as_str().unwrap();
    assert!((1..=64).contains(&id.len()));
    assert_eq!(body["input"][1]["call_id"], id);
    assert_eq!(encoded.dropped, ["tool_call.id"]);
}
