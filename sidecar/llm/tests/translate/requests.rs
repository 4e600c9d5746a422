//! Requests.

use fkm_llm::{Capabilities, EncodeError, MaxTokensField, Target, format};
use serde_json::{Value, json};

use crate::{ANTHROPIC, OPENAI, decode, dialect, encode, request};

#[test]
fn a_conversation_with_tools_to_anthropic() {
    let openai = json!({
        "model": "gpt-x",
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "developer", "content": [{"type": "text", "text": "Be brief."}]},
            {"role": "user", "content": [
                {"type": "text", "text": "Look:"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                {"type": "image_url", "image_url": {"url": "https://host/a.png", "detail": "low"}},
            ]},
            {"role": "assistant", "content": "On it.", "refusal": null, "annotations": [], "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{\"big\": 123456789012345678901234567890}"}},
                {"id": "call 2", "type": "function", "function": {"name": "g", "arguments": ""}},
            ]},
            {"role": "tool", "tool_call_id": "call_1", "content": "one"},
            {"role": "tool", "tool_call_id": "call 2", "content": [{"type": "text", "text": "two"}]},
            {"role": "user", "content": "And?"},
        ],
        "tools": [
            {"type": "function", "function": {"name": "f", "description": "does f", "parameters": {"type": "object"}, "strict": true}},
            {"type": "function", "function": {"name": "g"}},
        ],
        "tool_choice": "required",
        "parallel_tool_calls": false,
        "max_tokens": 100,
        "stop": "END",
        "temperature": 1.5,
        "top_p": 0.9,
        "seed": 7,
        "logit_bias": {"1": 2},
        "user": "u1",
        "stream": true,
        "stream_options": {"include_usage": true},
    });
    let (body, dropped) = request(OPENAI, ANTHROPIC, &openai);
    let text = body.to_string();
    assert_eq!(
        body,
        json!({
            "model": "upstream-model",
            "max_tokens": 100,
            "system": [{"type": "text", "text": "Be kind."}, {"type": "text", "text": "Be brief."}],
            "messages": [
                {"role": "user", "content": [
                    {"type": "text", "text": "Look:"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
                    {"type": "image", "source": {"type": "url", "url": "https://host/a.png"}},
                ]},
                {"role": "assistant", "content": [
                    {"type": "text", "text": "On it."},
                    {"type": "tool_use", "id": "call_1", "name": "f", "input": {"big": 123_456_789_012_345_678_901_234_567_890.0}},
                    {"type": "tool_use", "id": "fkm1_Y2FsbCAy", "name": "g", "input": {}},
                ]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "call_1", "content": "one"},
                    {"type": "tool_result", "tool_use_id": "fkm1_Y2FsbCAy", "content": "two"},
                    {"type": "text", "text": "And?"},
                ]},
            ],
            "tools": [
                {"name": "f", "description": "does f", "input_schema": {"type": "object"}, "strict": true},
                {"name": "g", "input_schema": {"type": "object", "properties": {}}},
            ],
            "tool_choice": {"type": "any", "disable_parallel_tool_use": true},
            "temperature": 1,
            "top_p": 0.9,
            "stop_sequences": ["END"],
            "stream": true,
            "metadata": {"user_id": "u1"},
        }),
        "{text}"
    );
    assert_eq!(
        dropped,
        ["image.detail", "logit_bias", "seed", "temperature"]
    );
}

#[test]
fn metadata_that_is_no_user_is_told_of() {
    let openai = json!({"model": "m", "messages": [{"role": "user", "content": "Hi"}], "metadata": {"team": "a"}, "user": "u"});
    let (body, dropped) = request(OPENAI, ANTHROPIC, &openai);
    assert_eq!(body["metadata"], json!({"user_id": "u"}));
    assert_eq!(dropped, ["metadata"]);
}

#[test]
fn numbers_are_never_rewritten() {
    let openai = json!({"model": "m", "messages": [{"role": "assistant", "tool_calls": [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{\"n\": 123456789012345678901234567890}"}},
    ]}]});
    let encoded = encode(ANTHROPIC, &decode(OPENAI, &openai)).unwrap();
    let text = String::from_utf8(encoded.body).unwrap();
    assert!(
        text.contains(r#""input":{"n": 123456789012345678901234567890}"#),
        "{text}"
    );
}

#[test]
fn a_conversation_with_tools_to_openai() {
    let anthropic = json!({
        "model": "claude-x",
        "max_tokens": 64,
        "system": [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": [
                {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
                {"type": "text", "text": "On it."},
                {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {"query": "x"}},
                {"type": "web_search_tool_result", "tool_use_id": "srv_1", "content": []},
                {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}},
            ]},
            {"role": "user", "content": [
                {"type": "text", "text": "And?"},
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "one"}], "is_error": true},
            ]},
        ],
        "tools": [
            {"name": "f", "description": "does f", "input_schema": {"type": "object"}},
            {"type": "web_search_20250305", "name": "web_search"},
        ],
        "tool_choice": {"type": "tool", "name": "f"},
        "stop_sequences": ["END"],
        "top_k": 5,
        "metadata": {"user_id": "u1"},
        "thinking": {"type": "enabled", "budget_tokens": 1024},
    });
    let (body, dropped) = request(ANTHROPIC, OPENAI, &anthropic);
    assert_eq!(
        body,
        json!({
            "model": "upstream-model",
            "messages": [
                {"role": "system", "content": [{"type": "text", "text": "Be kind."}]},
                {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": "On it.", "tool_calls": [
                    {"id": "toolu_1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}},
                ]},
                {"role": "tool", "tool_call_id": "toolu_1", "content": "one"},
                {"role": "user", "content": "And?"},
            ],
            "tools": [{"type": "function", "function": {"name": "f", "description": "does f", "parameters": {"type": "object"}}}],
            "tool_choice": {"type": "function", "function": {"name": "f"}},
            "max_completion_tokens": 64,
            "stop": ["END"],
            "user": "u1",
        })
    );
    assert_eq!(
        dropped,
        [
            "cache_control",
            "content.server_tool_use",
            "content.web_search_tool_result",
            "thinking",
            "thinking_budget",
            "tool_result.is_error",
            "tools.web_search_20250305",
            "top_k",
        ]
    );
}

#[test]
fn a_schema_goes_both_ways() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": false});
    let openai = json!({"model": "m", "messages": [], "max_tokens": 1, "response_format":
        {"type": "json_schema", "json_schema": {"name": "n", "schema": schema, "strict": true}}});
    let (body, dropped) = request(OPENAI, ANTHROPIC, &openai);
    assert_eq!(
        body["output_config"],
        json!({"format": {"type": "json_schema", "schema": schema}})
    );
    assert_eq!(dropped, ["response_format.json_schema.name"]);

    let anthropic = json!({"model": "m", "messages": [], "max_tokens": 1,
        "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": schema}}});
    let (body, dropped) = request(ANTHROPIC, OPENAI, &anthropic);
    assert_eq!(
        body["response_format"],
        json!({"type": "json_schema", "json_schema": {"schema": schema, "strict": true, "name": "answer"}})
    );
    assert_eq!(body["reasoning_effort"], "low");
    assert_eq!(dropped, [""; 0]);
    let (body, dropped) = request(ANTHROPIC, ANTHROPIC, &anthropic);
    assert_eq!(body["output_config"], anthropic["output_config"]);
    assert_eq!(dropped, [""; 0]);
}

#[test]
fn a_schema_loses_the_keywords_that_anthropic_refuses_and_says_so() {
    let openai = json!({"model": "m", "messages": [], "response_format": {"type": "json_schema", "json_schema": {
        "name": "n", "strict": true,
        "schema": {"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}}},
    }}});
    let (body, dropped) = request(OPENAI, ANTHROPIC, &openai);
    assert_eq!(
        body["output_config"]["format"]["schema"],
        json!({"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": false})
    );
    assert_eq!(
        dropped,
        [
            "response_format.json_schema.name",
            "response_format.json_schema.schema.additionalProperties",
            "response_format.json_schema.schema.minimum",
        ]
    );
}

#[test]
fn what_would_change_the_question_is_refused_with_a_reason() {
    let openai = |more: Value| {
        let mut request = json!({"model": "m", "messages": [], "max_tokens": 1});
        request
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        request
    };
    let audio = json!({"messages": [{"role": "user", "content": [
        {"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}},
    ]}]});
    for (more, expected) in [
        (
            json!({"n": 2}),
            "n cannot be sent to a provider of format anthropic.messages: it gives one answer, not 2; send `n: 1`",
        ),
        (
            audio,
            "messages[].content cannot be sent to a provider of format anthropic.messages: its models do not hear; send a transcript",
        ),
        (
            json!({"messages": [{"role": "assistant", "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "f", "arguments": "[1]"}},
            ]}]}),
            "messages[].content is invalid: the arguments of the call of `f` are not a JSON object, which anthropic.messages asks for",
        ),
    ] {
        let error: EncodeError = encode(ANTHROPIC, &decode(OPENAI, &openai(more))).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn a_wrong_request_is_told_where_it_is_wrong() {
    for (from, body, expected) in [
        (OPENAI, "[]", "the body must be a JSON object"),
        (OPENAI, r#"{"messages":[]}"#, "model is missing"),
        (OPENAI, r#"{"model":"m"}"#, "messages is missing"),
        (
            OPENAI,
            r#"{"model":"m","messages":{}}"#,
            "messages must be an array",
        ),
        (
            OPENAI,
            r#"{"model":"m","messages":[{"role":"king"}]}"#,
            "messages[0].role must be developer, system, user, assistant, tool or function",
        ),
        (
            OPENAI,
            r#"{"model":"m","messages":[{"role":"user","content":7}]}"#,
            "messages[0].content must be a string or an array of parts",
        ),
        (
            OPENAI,
            r#"{"model":"m","messages":[{"role":"user","content":[{"type":"text"}]}]}"#,
            "messages[0].content[0].text is missing",
        ),
        (
            OPENAI,
            r#"{"model":"m","messages":[{"role":"tool","content":"x"}]}"#,
            "messages[0].tool_call_id is missing",
        ),
        (
            OPENAI,
            r#"{"model":"m","messages":[{"role":"user","role":"user"}]}"#,
            "messages[0].role appears twice",
        ),
        (
            OPENAI,
            r#"{"model":"m","messages":[],"temperature":"hot"}"#,
            "temperature must be a number",
        ),
        (
            OPENAI,
            r#"{"model":"m","messages":[],"n":0}"#,
            "n must be from 1 to 128",
        ),
        (
            OPENAI,
            r#"{"model":"m","messages":[],"max_tokens":1,"max_completion_tokens":2}"#,
            "max_tokens must be left out beside max_completion_tokens",
        ),
        (
            ANTHROPIC,
            r#"{"model":"m","messages":[]}"#,
            "max_tokens is missing",
        ),
        (
            ANTHROPIC,
            r#"{"model":"m","max_tokens":1,"messages":[{"role":"user"}]}"#,
            "messages[0].content is missing",
        ),
        (
            ANTHROPIC,
            r#"{"model":"m","max_tokens":1,"messages":[{"role":"tool","content":"x"}]}"#,
            "messages[0].role must be user, assistant or system",
        ),
        (
            ANTHROPIC,
            r#"{"model":"m","max_tokens":1,"messages":[{"role":"assistant","content":[{"type":"thinking","thinking":"","signature":"fkm1.x.y"}]}]}"#,
            "messages[0].content[0].signature must be sent back as it was given (unknown origin in a value that begins with `fkm1.`)",
        ),
    ] {
        let error = format(from).decode_request(body.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), expected, "{body}");
    }
}

#[test]
fn the_dialect_is_obeyed() {
    let mut dialect = dialect(OPENAI);
    dialect.max_tokens_field = MaxTokensField::MaxTokens;
    dialect.stream_usage = false;
    let request = decode(
        ANTHROPIC,
        &json!({"model": "m", "messages": [], "max_tokens": 9, "stream": true}),
    );
    let capabilities = Capabilities::default();
    let target = Target {
        model: "u",
        dialect: &dialect,
        capabilities: &capabilities,
        max_output_tokens: None,
        stream: true,
    };
    let encoded = format(OPENAI).encode_request(&request, &target).unwrap();
    let body: Value = serde_json::from_slice(&encoded.body).unwrap();
    assert_eq!(
        body,
        json!({"model": "u", "messages": [], "max_tokens": 9, "stream": true})
    );

    let mut telling = dialect.clone();
    telling.stream_usage = true;
    let target = Target {
        dialect: &telling,
        ..target
    };
    let encoded = format(OPENAI).encode_request(&request, &target).unwrap();
    let body: Value = serde_json::from_slice(&encoded.body).unwrap();
    assert_eq!(body["stream_options"], json!({"include_usage": true}));
}

#[test]
fn a_limit_is_filled_in_where_one_is_demanded() {
    let request = decode(OPENAI, &json!({"model": "m", "messages": []}));
    let dialect = dialect(ANTHROPIC);
    for (known, expected) in [(None, 4096), (Some(64_000), 64_000)] {
        let capabilities = Capabilities::default();
        let target = Target {
            model: "u",
            dialect: &dialect,
            capabilities: &capabilities,
            max_output_tokens: known,
            stream: false,
        };
        let encoded = format(ANTHROPIC).encode_request(&request, &target).unwrap();
        let body: Value = serde_json::from_slice(&encoded.body).unwrap();
        assert_eq!(body["max_tokens"], expected);
    }
}

#[test]
fn an_instruction_in_the_middle_becomes_the_users_words() {
    let openai = json!({"model": "m", "max_tokens": 1, "messages": [
        {"role": "user", "content": "a"},
        {"role": "system", "content": "b"},
        {"role": "assistant", "content": "c "},
    ]});
    let (body, dropped) = request(OPENAI, ANTHROPIC, &openai);
    assert_eq!(
        body["messages"],
        json!([
            {"role": "user", "content": [{"type": "text", "text": "a"}]},
            {"role": "user", "content": [{"type": "text", "text": "b"}]},
            {"role": "assistant", "content": [{"type": "text", "text": "c"}]},
        ])
    );
    assert_eq!(dropped, ["message.trailing_space", "messages.system"]);
}
