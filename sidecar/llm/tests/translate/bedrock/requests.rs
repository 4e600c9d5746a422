//! Requests.

use fkm_llm::Capabilities;
use serde_json::{Value, json};

use crate::{ANTHROPIC, BEDROCK, OPENAI, decode, encode, encode_for, request};

/// Claude on Bedrock.
fn claude() -> Capabilities {
    Capabilities {
        cache_breakpoints: true,
        anthropic_fields: true,
        ..Capabilities::default()
    }
}

#[test]
fn a_conversation_with_tools_to_bedrock() {
    let long = "x".repeat(70);
    let openai = json!({
        "model": "gpt-x",
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": [
                {"type": "text", "text": "Look:"},
                {"type": "image_url", "image_url": {"url": "data:image/jpeg;base64,AAAA"}},
            ]},
            {"role": "assistant", "content": "On it.", "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{\"a\": 1}"}},
                {"id": "call 2", "type": "function", "function": {"name": long, "arguments": ""}},
            ]},
            {"role": "tool", "tool_call_id": "call_1", "content": "one"},
            {"role": "tool", "tool_call_id": "call 2", "content": ""},
            {"role": "user", "content": "And?"},
        ],
        "tools": [
            {"type": "function", "function": {"name": "f", "description": "does f", "parameters": {"type": "object"}, "strict": true}},
            {"type": "function", "function": {"name": long, "description": ""}},
        ],
        "tool_choice": "required",
        "max_tokens": 100,
        "stop": ["END"],
        "temperature": 1.5,
        "top_p": 0.9,
        "seed": 7,
        "stream": true,
        "metadata": {"team": "a b", "odd": "ä"},
    });
    let request = decode(OPENAI, &openai);
    let encoded = encode(BEDROCK, &request).unwrap();
    let body: Value = serde_json::from_slice(&encoded.body).unwrap();
    let short = body["toolConfig"]["tools"][1]["toolSpec"]["name"]
        .as_str()
        .unwrap();
    assert_eq!(short.len(), 64);
    assert_eq!(encoded.tool_names.restore(short), long);
    assert_eq!(
        body,
        json!({
            "system": [{"text": "Be kind."}],
            "messages": [
                {"role": "user", "content": [
                    {"text": "Look:"},
                    {"image": {"format": "jpeg", "source": {"bytes": "AAAA"}}},
                ]},
                {"role": "assistant", "content": [
                    {"text": "On it."},
                    {"toolUse": {"toolUseId": "call_1", "name": "f", "input": {"a": 1}}},
                    {"toolUse": {"toolUseId": "fkm1_Y2FsbCAy", "name": short, "input": {}}},
                ]},
                {"role": "user", "content": [
                    {"toolResult": {"toolUseId": "call_1", "content": [{"text": "one"}]}},
                    {"toolResult": {"toolUseId": "fkm1_Y2FsbCAy", "content": []}},
                    {"text": "And?"},
                ]},
            ],
            "toolConfig": {
                "tools": [
                    {"toolSpec": {"name": "f", "description": "does f", "inputSchema": {"json": {"type": "object"}}, "strict": true}},
                    {"toolSpec": {"name": short, "inputSchema": {"json": {"type": "object", "properties": {}}}}},
                ],
                "toolChoice": {"any": {}},
            },
            "inferenceConfig": {"maxTokens": 100, "temperature": 1, "topP": 0.9, "stopSequences": ["END"]},
            "requestMetadata": {"team": "a b"},
        })
    );
    assert_eq!(
        encoded.dropped,
        ["metadata", "seed", "temperature", "tool.description"]
    );
}

/// What a client of Bedrock asks, with a number that no float holds.
fn of_bedrock() -> String {
    let bedrock = json!({
        "system": [{"text": "Be kind."}, {"cachePoint": {"type": "default", "ttl": "1h"}}],
        "messages": [
            {"role": "user", "content": [
                {"text": "Read:"},
                {"document": {"format": "pdf", "name": "paper", "source": {"bytes": "AAAA"}}},
                {"cachePoint": {"type": "default"}},
            ]},
            {"role": "assistant", "content": [
                {"text": "Hm."},
                {"toolUse": {"toolUseId": "t1", "name": "f", "input": {"a": 1}}},
            ]},
            {"role": "user", "content": [
                {"toolResult": {"toolUseId": "t1", "content": [{"json": {"b": [null]}}], "status": "error"}},
                {"text": "And?"},
            ]},
        ],
        "toolConfig": {
            "tools": [
                {"toolSpec": {"name": "f", "description": "does f", "inputSchema": {"json": {"type": "object"}}}},
                {"cachePoint": {"type": "default"}},
            ],
            "toolChoice": {"tool": {"name": "f"}},
        },
        "inferenceConfig": {"maxTokens": 100, "temperature": 0.5},
        "additionalModelRequestFields": {"top_k": 5, "anthropic_beta": ["b"]},
        "guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "1"},
    });
    bedrock.to_string().replace("null", "1e999")
}

#[test]
fn a_conversation_of_bedrock_goes_to_others_and_comes_back() {
    let bedrock = of_bedrock();
    let decoded = fkm_llm::format(BEDROCK)
        .decode_request(bedrock.as_bytes())
        .unwrap();
    assert_eq!(
        (&*decoded.model, decoded.stream),
        ("", false),
        "the path says them"
    );
    let (body, dropped) = encode_for(ANTHROPIC, &claude(), &decoded);
    assert_eq!(
        body,
        json!({
            "model": "upstream-model",
            "max_tokens": 100,
            "system": [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
            "messages": [
                {"role": "user", "content": [
                    {"type": "text", "text": "Read:"},
                    {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "AAAA"},
                        "title": "paper", "cache_control": {"type": "ephemeral"}},
                ]},
                {"role": "assistant", "content": [
                    {"type": "text", "text": "Hm."},
                    {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}},
                ]},
                {"role": "user", "content": [
                    {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "{\"b\":[1e999]}"}], "is_error": true},
                    {"type": "text", "text": "And?"},
                ]},
            ],
            "tools": [{"name": "f", "description": "does f", "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral"}}],
            "tool_choice": {"type": "tool", "name": "f"},
            "temperature": 0.5,
            "top_k": 5,
        })
    );
    assert_eq!(
        dropped,
        [
            "additionalModelRequestFields",
            "guardrailConfig",
            "text.json"
        ]
    );
    let target = fkm_llm::Target {
        model: "m",
        dialect: &crate::dialect(BEDROCK),
        capabilities: &claude(),
        max_output_tokens: None,
        stream: true,
    };
    let again = fkm_llm::encode_request(&decoded, &target).unwrap();
    assert!(again.dropped.is_empty(), "{:?}", again.dropped);
    let read = fkm_llm::format(BEDROCK)
        .decode_request(&again.body)
        .unwrap();
    assert_eq!(read, decoded);
    let text = String::from_utf8(again.body).unwrap();
    assert!(text.contains(r#"{"json":{"b":[1e999]}}"#), "{text}");
}

#[test]
fn tools_that_only_the_conversation_tells_of_are_declared() {
    let openai = json!({"model": "m", "messages": [
        {"role": "user", "content": "go"},
        {"role": "assistant", "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "tool_call_id": "a", "content": "done"},
    ]});
    let (body, dropped) = request(OPENAI, BEDROCK, &openai);
    let schema = json!({"json": {"type": "object", "properties": {}}});
    assert_eq!(
        body["toolConfig"],
        json!({"tools": [{"toolSpec": {"name": "f", "inputSchema": schema}}]})
    );
    assert_eq!(dropped, ["tools.none"]);
}

#[test]
fn no_tool_and_one_tool_at_a_time() {
    let ask = |choice: Value, parallel: Value| {
        json!({"model": "m", "messages": [{"role": "user", "content": "go"}], "tool_choice": choice,
            "parallel_tool_calls": parallel, "tools": [{"type": "function", "function": {"name": "f"}}]})
    };
    let none = ask(json!("none"), Value::Null);
    let (body, dropped) = request(OPENAI, BEDROCK, &none);
    assert_eq!(body.get("toolConfig"), None, "without tools none is called");
    assert_eq!(dropped, ["tool_choice", "tools"]);
    let (body, dropped) = encode_for(BEDROCK, &claude(), &decode(OPENAI, &none));
    assert_eq!(body["toolConfig"].get("toolChoice"), None);
    let fields = &body["additionalModelRequestFields"];
    assert_eq!(fields, &json!({"tool_choice": {"type": "none"}}));
    assert_eq!(dropped, [""; 0]);

    let single = ask(
        json!({"type": "function", "function": {"name": "f"}}),
        json!(false),
    );
    let (body, dropped) = request(OPENAI, BEDROCK, &single);
    assert_eq!(
        body["toolConfig"]["toolChoice"],
        json!({"tool": {"name": "f"}})
    );
    assert_eq!(dropped, ["parallel_tool_calls"]);
    let (body, dropped) = encode_for(BEDROCK, &claude(), &decode(OPENAI, &single));
    assert_eq!(body["toolConfig"].get("toolChoice"), None, "not said twice");
    assert_eq!(
        body["additionalModelRequestFields"]["tool_choice"],
        json!({"type": "tool", "name": "f", "disable_parallel_tool_use": true})
    );
    assert_eq!(dropped, [""; 0]);
}

#[test]
fn a_schema_is_a_string_and_goes_both_ways() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}}});
    let openai = json!({"model": "m", "messages": [{"role": "user", "content": "go"}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "description": "d", "strict": true, "schema": schema}}});
    let (body, dropped) = request(OPENAI, BEDROCK, &openai);
    let text = schema.to_string();
    assert_eq!(
        body["outputConfig"],
        json!({"textFormat": {"type": "json_schema", "structure": {"jsonSchema": {"schema": text, "name": "n", "description": "d"}}}})
    );
    assert_eq!(dropped, [""; 0]);
    let (back, dropped) = request(BEDROCK, OPENAI, &body);
    assert_eq!(back["response_format"], openai["response_format"]);
    assert_eq!(dropped, [""; 0]);
    // A model that cannot: through a tool.
    let old = Capabilities {
        json_schema: Some(false),
        ..Capabilities::default()
    };
    let (body, _) = encode_for(BEDROCK, &old, &decode(OPENAI, &openai));
    assert_eq!(body.get("outputConfig"), None);
    let name = &body["toolConfig"]["tools"][0]["toolSpec"]["name"];
    assert_eq!(&body["toolConfig"]["toolChoice"]["tool"]["name"], name);
}

#[test]
fn documents_have_names_that_differ_and_a_word_beside_them() {
    let file = |name: &str| json!({"type": "file", "file": {"filename": name, "file_data": "data:application/pdf;base64,AAAA"}});
    let openai = json!({"model": "m", "messages": [
        {"role": "user", "content": [file("a.pdf"), file("a.pdf")]},
    ]});
    let (body, dropped) = request(OPENAI, BEDROCK, &openai);
    let document = |name: &str| json!({"document": {"format": "pdf", "name": name, "source": {"bytes": "AAAA"}}});
    assert_eq!(
        body["messages"][0]["content"],
        json!([document("a-pdf"), document("a-pdf-2"), {"text": "See the document."}])
    );
    assert_eq!(dropped, ["file.name", "message.without_text"]);
}

#[test]
fn turns_of_one_side_are_one_and_blank_texts_are_left_out() {
    let openai = json!({"model": "m", "messages": [
        {"role": "user", "content": "a"},
        {"role": "user", "content": [{"type": "text", "text": " \n"}, {"type": "text", "text": "b"}]},
        {"role": "assistant", "content": "c "},
    ]});
    let (body, dropped) = request(OPENAI, BEDROCK, &openai);
    assert_eq!(
        body["messages"],
        json!([
            {"role": "user", "content": [{"text": "a"}, {"text": "b"}]},
            {"role": "assistant", "content": [{"text": "c"}]},
        ])
    );
    assert_eq!(
        dropped,
        ["message.trailing_space", "messages.turns", "text.blank"]
    );
}

#[test]
fn marks_of_the_cache_are_blocks_where_the_model_takes_them() {
    let anthropic = json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": [
        {"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "5m"}},
    ]}]});
    let decoded = decode(ANTHROPIC, &anthropic);
    let (body, dropped) = encode_for(BEDROCK, &claude(), &decoded);
    assert_eq!(
        body["messages"][0]["content"],
        json!([{"text": "a"}, {"cachePoint": {"type": "default", "ttl": "5m"}}])
    );
    assert_eq!(dropped, [""; 0]);
    let (body, dropped) = request(ANTHROPIC, BEDROCK, &anthropic);
    assert_eq!(body["messages"][0]["content"], json!([{"text": "a"}]));
    assert_eq!(dropped, ["cache_control"]);
}

#[test]
fn what_only_the_service_knows_comes_back_as_it_was() {
    let bedrock = json!({
        "system": [{"text": "a"}, {"guardContent": {"text": {"text": "b", "qualifiers": ["guard_content"]}}}],
        "messages": [
            {"role": "user", "content": [
                {"guardContent": {"text": {"text": "c"}}},
                {"searchResult": {"source": "s", "title": "t", "content": [{"text": "x"}]}},
                {"image": {"format": "png", "source": {"s3Location": {"uri": "s3://bucket/a.png"}}}},
                {"video": {"format": "mp4", "source": {"s3Location": {"uri": "s3://bucket/v", "bucketOwner": "123456789012"}}}},
            ]},
            {"role": "assistant", "content": [
                {"toolUse": {"toolUseId": "s1", "name": "nova_grounding", "input": {}, "type": "server_tool_use"}},
                {"toolResult": {"toolUseId": "s1", "content": [], "type": "nova_grounding_result"}},
                {"reasoningContent": {"somethingNew": {"x": 1}}},
                {"citationsContent": {"content": [{"text": "d"}], "citations": [{"title": "t", "location": {"web": {"url": "https://a"}}}]}},
            ]},
            {"role": "user", "content": [{"text": "on"}]},
        ],
        "toolConfig": {"tools": [{"systemTool": {"name": "nova_grounding"}}]},
        "performanceConfig": {"latency": "optimized"},
        "inferenceConfig": {"maxTokens": 5, "x_new": 1},
    });
    let (body, dropped) = request(BEDROCK, BEDROCK, &bedrock);
    assert_eq!(body, bedrock);
    assert_eq!(dropped, [""; 0]);
    // Elsewhere the guarded text is still read, and what another cannot read is refused.
    let guarded = json!({"messages": [{"role": "user", "content": [{"guardContent": {"text": {"text": "c"}}}]}],
        "inferenceConfig": {"maxTokens": 5}});
    let (body, dropped) = request(BEDROCK, ANTHROPIC, &guarded);
    assert_eq!(body["messages"][0]["content"][0]["text"], "c");
    assert_eq!(dropped, ["text.guardContent"]);
    let refused = encode(ANTHROPIC, &decode(BEDROCK, &bedrock)).unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("`searchResult` of bedrock.converse"),
        "{refused}"
    );
}

#[test]
fn what_would_change_the_question_is_refused_with_a_reason() {
    let user = |part: Value| json!({"messages": [{"role": "user", "content": [part]}]});
    let image = |url: &str| user(json!({"type": "image_url", "image_url": {"url": url}}));
    for (members, why) in [
        (
            image("https://host/a.png"),
            "send the image itself, in base64",
        ),
        (
            image("s3://bucket/a"),
            "must end with its kind, one of png, jpeg, gif, webp",
        ),
        (
            image("data:image/svg+xml;base64,AAAA"),
            "`image/svg+xml` is not taken",
        ),
        (
            json!({"messages": [{"role": "user", "content": ""}]}),
            "empty or blank",
        ),
        (json!({"n": 2}), "it gives one answer, not 2"),
        (json!({"max_tokens": 0}), "no limit below 1"),
        (
            json!({"tool_choice": "required"}),
            "no tool that could be called",
        ),
    ] {
        let mut openai = json!({"model": "m", "messages": [{"role": "user", "content": "hi"}]});
        for (name, value) in members.as_object().unwrap() {
            openai[name] = value.clone();
        }
        let refused = encode(BEDROCK, &decode(OPENAI, &openai))
            .unwrap_err()
            .to_string();
        assert!(refused.contains(why), "{refused}");
    }
}
