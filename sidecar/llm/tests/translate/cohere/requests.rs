//! Requests.

use fkm_llm::ir::Effort;
use fkm_llm::{Capabilities, Thinking};
use serde_json::{Value, json};

use super::COHERE;
use crate::{ANTHROPIC, OPENAI, decode, encode, encode_for, request};

#[test]
fn a_conversation_with_tools_of_openai_to_cohere_and_back() {
    let openai = json!({
        "model": "m", "max_completion_tokens": 99, "temperature": 0.5, "top_p": 0.9, "seed": 7, "stop": ["END"],
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [
                {"type": "text", "text": "What is it like there?"},
                {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
            ]},
            {"role": "assistant", "content": "I will look.", "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "weather", "arguments": "{\"city\": \"Rome\"}"}},
                {"id": "b", "type": "function", "function": {"name": "time", "arguments": ""}},
            ]},
            {"role": "tool", "tool_call_id": "a", "content": "sunny"},
            {"role": "tool", "tool_call_id": "b", "content": "noon"},
        ],
        "tools": [{"type": "function", "function": {
            "name": "weather", "description": "d", "parameters": {"type": "object"}, "strict": true,
        }}],
        "tool_choice": "auto",
    });
    let (body, dropped) = request(OPENAI, COHERE, &openai);
    let cohere = json!({
        "model": "upstream-model", "max_tokens": 99, "temperature": 0.5, "p": 0.9, "seed": 7,
        "stop_sequences": ["END"],
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [
                {"type": "text", "text": "What is it like there?"},
                {"type": "image_url", "image_url": {"url": "https://x/y.png", "detail": "low"}},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
            ]},
            {"role": "assistant", "tool_plan": "I will look.", "tool_calls": [
                {"id": "a", "type": "function", "function": {"name": "weather", "arguments": "{\"city\": \"Rome\"}"}},
                {"id": "b", "type": "function", "function": {"name": "time", "arguments": "{}"}},
            ]},
            {"role": "tool", "tool_call_id": "a", "content": "sunny"},
            {"role": "tool", "tool_call_id": "b", "content": "noon"},
        ],
        "tools": [{"type": "function", "function": {
            "name": "weather", "description": "d", "parameters": {"type": "object"},
        }}],
        "strict_tools": true,
    });
    assert_eq!(body, cohere);
    assert_eq!(dropped, [""; 0]);

    let (back, dropped) = request(COHERE, OPENAI, &cohere);
    for member in ["messages", "tools", "stop", "seed", "temperature", "top_p"] {
        let mut expected = openai[member].clone();
        if member == "stop" {
            expected = json!(["END"]);
        } else if member == "messages" {
            expected[2]["tool_calls"][1]["function"]["arguments"] = json!("{}");
        }
        assert_eq!(back[member], expected, "{member}");
    }
    assert_eq!(dropped, [""; 0]);
}

/// A request for the choice of a tool as Cohere gets it.
fn choice(choice: &Value) -> (Value, Vec<String>) {
    let tool = |name: &str| json!({"type": "function", "function": {"name": name}});
    let openai = json!({
        "model": "m", "messages": [{"role": "user", "content": "hi"}],
        "tools": [tool("f"), tool("g")], "tool_choice": choice,
    });
    request(OPENAI, COHERE, &openai)
}

#[test]
fn a_choice_of_tools_is_required_none_or_left_out() {
    for (word, expected) in [
        ("auto", Value::Null),
        ("required", json!("REQUIRED")),
        ("none", json!("NONE")),
    ] {
        let (body, dropped) = choice(&json!(word));
        assert_eq!((&body["tool_choice"], dropped), (&expected, vec![]));
        assert_eq!(body["tools"].as_array().unwrap().len(), 2);
    }
    let (body, dropped) = choice(&json!({"type": "function", "function": {"name": "g"}}));
    assert_eq!(body["tool_choice"], "REQUIRED");
    assert_eq!(body["tools"].as_array().unwrap().len(), 1, "only that tool");
    assert_eq!(body["tools"][0]["function"]["name"], "g");
    assert_eq!(dropped, ["tool_choice"]);
}

#[test]
fn what_is_out_of_range_is_drawn_in_and_what_has_no_place_is_reported() {
    let openai = json!({
        "model": "m", "messages": [{"role": "user", "content": "hi"}],
        "top_p": 1, "frequency_penalty": -1.5, "presence_penalty": 2,
        "user": "u", "metadata": {"a": "b"}, "parallel_tool_calls": false, "logit_bias": {},
    });
    let (body, dropped) = request(OPENAI, COHERE, &openai);
    assert_eq!(
        body,
        json!({
            "model": "upstream-model", "messages": [{"role": "user", "content": "hi"}],
            "p": 0.99, "frequency_penalty": 0.0, "presence_penalty": 1.0,
        })
    );
    assert_eq!(
        dropped,
        [
            "frequency_penalty",
            "logit_bias",
            "metadata",
            "parallel_tool_calls",
            "presence_penalty",
            "top_p",
            "user",
        ]
    );
}

#[test]
fn a_schema_goes_both_ways() {
    let schema = json!({"type": "object", "properties": {"z": {}, "a": {}}, "required": ["z"]});
    let openai = json!({
        "model": "m", "messages": [{"role": "user", "content": "hi"}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "strict": true, "schema": schema}},
    });
    let (body, dropped) = request(OPENAI, COHERE, &openai);
    assert_eq!(
        body["response_format"],
        json!({"type": "json_object", "json_schema": schema})
    );
    assert_eq!(dropped, ["response_format.json_schema.name"]);
    let (back, dropped) = request(COHERE, OPENAI, &body);
    assert_eq!(
        back["response_format"],
        json!({"type": "json_schema", "json_schema": {"name": "answer", "strict": true, "schema": schema}})
    );
    assert_eq!(dropped, [""; 0]);
    let any = json!({
        "model": "m", "messages": [{"role": "user", "content": "hi"}],
        "response_format": {"type": "json_object"},
    });
    assert_eq!(
        request(OPENAI, COHERE, &any).0["response_format"],
        any["response_format"]
    );
}

#[test]
fn documents_are_given_beside_the_conversation_and_images_of_tools_by_the_user() {
    let anthropic = json!({
        "model": "m", "max_tokens": 9,
        "messages": [
            {"role": "user", "content": [
                {"type": "document", "title": "Rome", "source": {"type": "text", "media_type": "text/plain", "data": "It is old."}},
                {"type": "text", "text": "How old?"},
            ]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "is_error": true, "content": [
                {"type": "text", "text": "see"},
                {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}},
                {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "very"}},
            ]}]},
        ],
    });
    let (body, dropped) = request(ANTHROPIC, COHERE, &anthropic);
    assert_eq!(
        body["documents"],
        json!([{"data": {"title": "Rome", "text": "It is old."}}])
    );
    assert_eq!(
        body["messages"],
        json!([
            {"role": "user", "content": "How old?"},
            {"role": "assistant", "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "a", "content": [
                {"type": "text", "text": "see"},
                {"type": "document", "document": {"data": {"text": "very"}}},
            ]},
            {"role": "user", "content": [
                {"type": "text", "text": "The result of the call a:"},
                {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
            ]},
        ])
    );
    assert_eq!(
        dropped,
        [
            "file.position",
            "tool_result.content",
            "tool_result.is_error"
        ]
    );
}

#[test]
fn what_would_change_the_question_is_refused_with_a_reason() {
    let stop = json!({"stop_sequences": ["1", "2", "3", "4", "5", "6"]});
    let pdf = json!({"messages": [{"role": "user", "content": [
        {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": "AA"}},
    ]}]});
    let unknown = json!({"tool_choice": {"type": "tool", "name": "g"}});
    for (more, expected) in [
        (
            stop,
            "stop cannot be sent to a provider of format cohere.chat: it takes at most 5 texts, not 6",
        ),
        (
            pdf,
            "messages[].content cannot be sent to a provider of format cohere.chat: it reads documents as text only; send the text",
        ),
        (
            unknown,
            "tool_choice is invalid: there is no tool `g` among `tools`",
        ),
    ] {
        let mut anthropic =
            json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]});
        let members = anthropic.as_object_mut().unwrap();
        members.extend(more.as_object().unwrap().clone());
        let refused = encode(COHERE, &decode(ANTHROPIC, &anthropic));
        assert_eq!(refused.unwrap_err().to_string(), expected);
    }
}

#[test]
fn its_own_members_stay_and_go_nowhere_else() {
    let cohere = json!({
        "model": "upstream-model",
        "messages": [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": "Rome is old.", "citations": [
                {"start": 0, "end": 4, "text": "Rome", "sources": [{"type": "document", "id": "doc:0"}]},
            ]},
            {"role": "assistant", "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": null}}]},
            {"role": "tool", "tool_call_id": "a", "content": [
                {"type": "document", "document": {"id": "d", "data": {"x": 1}}},
            ]},
        ],
        "documents": ["It is old.", {"id": "1", "data": {"text": "t"}}],
        "citation_options": {"mode": "FAST"}, "safety_mode": "STRICT", "priority": 3, "logprobs": true,
    });
    let (body, dropped) = request(COHERE, COHERE, &cohere);
    let mut expected = cohere.clone();
    expected["messages"][2]["tool_calls"][0]["function"]["arguments"] = json!("{}");
    assert_eq!(body, expected);
    assert_eq!(dropped, [""; 0]);
    let mut shown = cohere;
    shown["messages"][3]["content"] = json!("1");
    let (_, dropped) = request(COHERE, OPENAI, &shown);
    assert_eq!(
        dropped,
        [
            "citation_options",
            "documents",
            "logprobs",
            "priority",
            "safety_mode",
            "text.citations"
        ]
    );
}

#[test]
fn how_hard_to_think_is_a_budget() {
    let openai = |word: &str| {
        let request = json!({
            "model": "m", "messages": [{"role": "user", "content": "hi"}], "reasoning_effort": word,
        });
        decode(OPENAI, &request)
    };
    for (word, thinking, sent, dropped) in [
        (
            "high",
            Thinking::Unknown,
            json!({"type": "enabled", "token_budget": 4096}),
            "",
        ),
        ("none", Thinking::Budget, json!({"type": "disabled"}), ""),
        ("none", Thinking::Never, Value::Null, ""),
        ("low", Thinking::Never, Value::Null, "reasoning_effort"),
        ("none", Thinking::Always, Value::Null, "reasoning_effort"),
    ] {
        let known = Capabilities {
            thinking,
            ..Capabilities::default()
        };
        let (body, notes) = encode_for(COHERE, &known, &openai(word));
        assert_eq!(body["thinking"], sent, "{word} {thinking:?}");
        assert_eq!(notes.concat(), dropped, "{word} {thinking:?}");
    }
    let cohere = |thinking: &Value| {
        let request = json!({
            "model": "m", "messages": [{"role": "user", "content": "hi"}], "thinking": thinking,
        });
        decode(COHERE, &request)
    };
    let budget = cohere(&json!({"type": "enabled", "token_budget": 2000}));
    assert_eq!(budget.thinking_budget, Some(2000));
    let off = cohere(&json!({"type": "disabled"}));
    assert_eq!(off.effort, Some(Effort::None));
    let plain = json!({"type": "enabled"});
    let (body, _) = encode_for(COHERE, &Capabilities::default(), &cohere(&plain));
    assert_eq!(body["thinking"], plain, "left as it was");
}
