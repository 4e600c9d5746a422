use fkm_dialect::{Dialect, Format, Thinking};
use serde_json::{Value, json};

use super::*;
use crate::fold::{fold, unfold};
use crate::ir::{Choice, FinishReason, OutputPart, Response, ToolCall};
use crate::names::Restorer;

fn dialect(format: Format) -> Dialect {
    let record = json!({"format": format, "path": "/x", "auth": "Bearer"});
    serde_json::from_value(record).expect("a record")
}

/// An OpenAI client's request as a model of `format` gets it.
fn sent(
    format_: Format,
    capabilities: &Capabilities,
    request: &Value,
) -> Result<(Value, Encoded), String> {
    let request = format(Format::OpenAiChat)
        .decode_request(request.to_string().as_bytes())
        .expect("a request");
    let target = Target {
        model: "m",
        dialect: &dialect(format_),
        capabilities,
        max_output_tokens: None,
        stream: false,
    };
    let encoded = encode_request(&request, &target).map_err(|error| error.to_string())?;
    let body = serde_json::from_slice(&encoded.body).expect("JSON");
    Ok((body, encoded))
}

#[test]
fn sampling_is_left_out_and_reported() {
    let request = json!({
        "model": "m", "temperature": 0.2, "top_p": 0.9, "presence_penalty": 1, "seed": 7,
        "messages": [{"role": "user", "content": "hi"}],
    });
    let reasoning = Capabilities {
        no_sampling: true,
        ..Capabilities::default()
    };
    let (body, encoded) = sent(Format::OpenAiChat, &reasoning, &request).expect("sent");
    assert_eq!(body["seed"], 7);
    for name in ["temperature", "top_p", "presence_penalty"] {
        assert_eq!(body.get(name), None, "{name}");
    }
    assert_eq!(
        encoded.dropped,
        ["presence_penalty", "temperature", "top_p"]
    );
    let (body, encoded) =
        sent(Format::OpenAiChat, &Capabilities::default(), &request).expect("sent");
    assert_eq!(body["temperature"], 0.2);
    assert!(encoded.dropped.is_empty());
}

#[test]
fn a_forced_tool_becomes_a_free_choice_where_the_model_refuses_it() {
    let request = json!({
        "model": "m", "messages": [{"role": "user", "content": "hi"}], "tool_choice": "required",
        "tools": [{"type": "function", "function": {"name": "f"}}],
    });
    let capabilities = Capabilities {
        no_forced_tool: true,
        ..Capabilities::default()
    };
    let (body, encoded) = sent(Format::AnthropicMessages, &capabilities, &request).expect("sent");
    assert_eq!(body["tool_choice"], json!({"type": "auto"}));
    assert_eq!(encoded.dropped, ["tool_choice"]);
}

#[test]
fn what_would_change_the_question_is_refused() {
    let none = Capabilities {
        tools: Some(false),
        vision: Some(false),
        audio: Some(false),
        documents: Some(false),
        no_prefill: true,
        ..Capabilities::default()
    };
    let user = |content: Value| json!([{"role": "user", "content": [content]}]);
    let image = json!({"type": "image_url", "image_url": {"url": "https://x/y.png"}});
    let sound = json!({"type": "input_audio", "input_audio": {"data": "AA", "format": "wav"}});
    let file = json!({"type": "file", "file": {"file_data": "data:application/pdf;base64,AA"}});
    let said = json!([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]);
    for (messages, why) in [
        (user(image), "does not see images"),
        (user(sound), "does not hear"),
        (user(file), "does not read PDF"),
        (said, "end with a user's turn"),
    ] {
        let request = json!({"model": "m", "messages": messages});
        let refused = sent(Format::OpenAiChat, &none, &request).expect_err(why);
        assert!(refused.contains(why), "{refused}");
        sent(Format::OpenAiChat, &Capabilities::default(), &request).expect("nothing is known");
    }
    let tools = json!({
        "model": "m", "messages": [], "tools": [{"type": "function", "function": {"name": "f"}}],
    });
    let refused = sent(Format::OpenAiChat, &none, &tools).expect_err("tools");
    assert!(refused.contains("calls no tools"), "{refused}");
}

#[test]
fn an_effort_is_one_that_the_model_knows() {
    let request = json!({"model": "m", "messages": [], "reasoning_effort": "xhigh"});
    let capabilities = Capabilities {
        thinking: Thinking::Effort,
        efforts: vec![Effort::Low, Effort::High],
        ..Capabilities::default()
    };
    let (body, encoded) = sent(Format::OpenAiChat, &capabilities, &request).expect("sent");
    assert_eq!(body["reasoning_effort"], "high");
    assert_eq!(encoded.dropped, ["reasoning_effort"]);
}

#[test]
fn a_schema_by_tool_comes_back_as_text() {
    let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}}});
    let request = json!({
        "model": "m", "messages": [{"role": "user", "content": "hi"}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": schema, "strict": true}},
    });
    let old = Capabilities {
        json_schema: Some(false),
        ..Capabilities::default()
    };
    let (body, encoded) = sent(Format::AnthropicMessages, &old, &request).expect("sent");
    assert_eq!(body["tools"][0]["input_schema"], schema);
    assert_eq!(
        body["tool_choice"],
        json!({"type": "tool", "name": "json_tool_call"})
    );
    assert_eq!(body.get("output_config"), None);

    let answer = Response {
        choices: vec![Choice {
            index: 0,
            parts: vec![OutputPart::ToolCall(ToolCall {
                id: "1".to_owned(),
                name: "json_tool_call".to_owned(),
                arguments: r#"{"a":1}"#.to_owned(),
                ..ToolCall::default()
            })],
            finish_reason: FinishReason::ToolCalls,
            extra: crate::ir::Extra::default(),
        }],
        ..Response::default()
    };
    let mut restorer = Restorer::default();
    let mut events = unfold(&answer);
    for event in &mut events {
        restorer.restore(event, &encoded.tool_names);
    }
    let mut whole = answer;
    whole.restore_tool_names(&encoded.tool_names);
    for answer in [whole, fold(events).expect("complete")] {
        assert_eq!(answer.choices[0].text(), r#"{"a":1}"#);
        assert_eq!(answer.choices[0].finish_reason, FinishReason::Stop);
    }
}

#[test]
fn json_without_a_schema_goes_by_tool_where_the_format_has_no_mode_for_it() {
    let mut request = json!({
        "model": "m", "messages": [{"role": "user", "content": "hi"}], "response_format": {"type": "json_object"},
    });
    let nothing = Capabilities::default();
    let (body, _) = sent(Format::AnthropicMessages, &nothing, &request).expect("sent");
    assert_eq!(
        body["tools"][0]["input_schema"]["additionalProperties"],
        true
    );
    let (body, _) = sent(Format::OpenAiChat, &nothing, &request).expect("sent");
    assert_eq!(body["response_format"], json!({"type": "json_object"}));
    request["tools"] = json!([{"type": "function", "function": {"name": "f"}}]);
    let refused = sent(Format::AnthropicMessages, &nothing, &request).expect_err("both");
    assert!(refused.contains("leave the tools out"), "{refused}");
}
