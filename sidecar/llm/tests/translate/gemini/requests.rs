//! Requests.

use fkm_llm::{Capabilities, Effort, EncodeError, Target, Thinking, ToolCallIds, encode_request};
use serde_json::{Value, json};

use crate::{ANTHROPIC, GEMINI, OPENAI, decode, dialect, encode, encode_for, request};

/// What stands for a signature that there is none of.
const NOT_SIGNED: &str = "skip_thought_signature_validator";

#[test]
fn a_conversation_with_tools_of_openai() {
    let openai = json!({
        "model": "gpt-x",
        "messages": [
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": [
                {"type": "text", "text": "Look:"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                {"type": "image_url", "image_url": {"url": "https://host/a.JPG?x=.png", "detail": "low"}},
                {"type": "input_audio", "input_audio": {"data": "BBBB", "format": "wav"}},
                {"type": "file", "file": {"file_data": "data:application/pdf;base64,CCCC", "filename": "a.pdf"}},
            ]},
            {"role": "assistant", "content": "On it.", "tool_calls": [
                {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{\"a\": 1}"}},
                {"id": "call_2", "type": "function", "function": {"name": "2 g", "arguments": ""}},
            ]},
            {"role": "tool", "tool_call_id": "call_1", "content": "one"},
            {"role": "tool", "tool_call_id": "call_2", "content": "{\"b\": 2}"},
        ],
        "tools": [
            {"type": "function", "function": {"name": "f", "description": "does f",
                "parameters": {"type": "object", "additionalProperties": false}}},
            {"type": "function", "function": {"name": "2 g"}},
        ],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}, "strict": true}},
        "reasoning_effort": "high",
        "max_completion_tokens": 100, "stop": "END", "temperature": 1.5, "top_p": 0.9, "seed": 7, "n": 2,
        "frequency_penalty": 1, "presence_penalty": 1, "user": "u1",
        "stream": true,
    });
    let (body, dropped) = request(OPENAI, GEMINI, &openai);
    let name = body["tools"][0]["functionDeclarations"][1]["name"].clone();
    assert_eq!(name, "g_c6e4541237");
    assert_eq!(
        body,
        json!({
            "systemInstruction": {"parts": [{"text": "Be kind."}]},
            "contents": [
                {"role": "user", "parts": [
                    {"text": "Look:"},
                    {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
                    {"fileData": {"fileUri": "https://host/a.JPG?x=.png", "mimeType": "image/jpeg"}},
                    {"inlineData": {"mimeType": "audio/wav", "data": "BBBB"}},
                    {"inlineData": {"mimeType": "application/pdf", "data": "CCCC"}},
                ]},
                {"role": "model", "parts": [
                    {"text": "On it."},
                    {"functionCall": {"id": "call_1", "name": "f", "args": {"a": 1}}, "thoughtSignature": NOT_SIGNED},
                    {"functionCall": {"id": "call_2", "name": name, "args": {}}},
                ]},
                {"role": "user", "parts": [
                    {"functionResponse": {"id": "call_1", "name": "f", "response": {"output": "one"}}},
                    {"functionResponse": {"id": "call_2", "name": name, "response": {"b": 2}}},
                ]},
            ],
            "tools": [{"functionDeclarations": [
                {"name": "f", "description": "does f",
                    "parametersJsonSchema": {"type": "object", "additionalProperties": false}},
                {"name": name, "parametersJsonSchema": {"type": "object", "properties": {}}},
            ]}],
            "toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
            "generationConfig": {
                "temperature": 1.5, "topP": 0.9, "seed": 7, "presencePenalty": 1, "frequencyPenalty": 1,
                "maxOutputTokens": 100, "candidateCount": 2, "stopSequences": ["END"],
                "responseMimeType": "application/json", "responseJsonSchema": {"type": "object"},
                "thinkingConfig": {"includeThoughts": true, "thinkingLevel": "HIGH"},
            },
        })
    );
    assert_eq!(
        dropped,
        [
            "file.name",
            "image.detail",
            "response_format.json_schema.name",
            "tool_call.thought_signature",
            "user"
        ]
    );
}

#[test]
fn a_conversation_with_tools_to_the_others() {
    let gemini = json!({
        "system_instruction": {"role": "user", "parts": [{"text": "Be kind."}]},
        "contents": [
            {"parts": [{"text": "Look:"}, {"inline_data": {"mime_type": "image/png", "data": "A-_A"}}]},
            {"role": "model", "parts": [
                {"text": "hm", "thought": true},
                {"text": "On it."},
                {"functionCall": {"name": "f", "args": {"big": 123}}},
                {"functionCall": {"name": "f"}},
            ]},
            {"role": "user", "parts": [
                {"functionResponse": {"name": "f", "response": {"output": "one"}}},
                {"functionResponse": {"name": "f", "response": {"error": "no"}}},
                {"text": "And?"},
            ]},
        ],
        "tools": [
            {"googleSearch": {}},
            {"functionDeclarations": [{"name": "f", "parameters": {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}}}]},
        ],
        "toolConfig": {"functionCallingConfig": {"mode": "VALIDATED"}},
        "generationConfig": {
            "maxOutputTokens": 10, "topK": 40.0, "responseModalities": ["TEXT"],
            "thinkingConfig": {"thinkingBudget": 2048},
        },
        "safetySettings": [],
    });
    let (body, dropped) = request(GEMINI, OPENAI, &gemini);
    assert_eq!(
        body["messages"],
        json!([
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": [
                {"type": "text", "text": "Look:"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,A+/A"}},
            ]},
            {"role": "assistant", "content": "On it.", "reasoning_content": "hm", "tool_calls": [
                {"id": "call_0", "type": "function", "function": {"name": "f", "arguments": "{\"big\":123}"}},
                {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}},
            ]},
            {"role": "tool", "tool_call_id": "call_0", "content": "one"},
            {"role": "tool", "tool_call_id": "call_1", "content": "no"},
            {"role": "user", "content": "And?"},
        ])
    );
    let function = &body["tools"][0]["function"];
    assert_eq!(
        function["parameters"],
        json!({"type": "object", "properties": {"a": {"type": "string"}}})
    );
    assert_eq!(body["tool_choice"], "auto");
    assert_eq!(
        dropped,
        [
            "generationConfig.responseModalities",
            "generationConfig.thinkingConfig.includeThoughts",
            "safetySettings",
            "thinking_budget",
            "toolConfig.functionCallingConfig.mode",
            "tool_result.is_error",
            "tools.googleSearch",
            "top_k",
        ]
    );
    let (body, _) = request(GEMINI, ANTHROPIC, &gemini);
    let results = &body["messages"][2]["content"];
    assert_eq!(results[1]["tool_use_id"], "call_1");
    assert_eq!(results[1]["is_error"], true);
}

#[test]
fn what_only_this_format_has_goes_back_as_it_was() {
    let gemini = json!({
        "contents": [
            {"role": "user", "parts": [
                {"fileData": {"fileUri": "https://youtu.be/x", "mimeType": "video/mp4"}, "videoMetadata": {"fps": 1}},
                {"fileData": {"fileUri": "gs://bucket/a", "mimeType": "image/png"}},
                {"fileData": {"fileUri": "https://host/a", "mimeType": "image/png"}},
                {"inlineData": {"mimeType": "application/pdf", "data": "AAAA", "displayName": "a"}, "mediaResolution": {"level": "X"}},
            ]},
            {"role": "model", "parts": [
                {"executableCode": {"language": "PYTHON", "code": "1"}, "thoughtSignature": "c2ln"},
                {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}},
                {"toolCall": {"toolType": "GOOGLE_SEARCH_WEB", "id": "t"}, "thoughtSignature": "c2ln"},
            ]},
            {"role": "user", "parts": [{"text": "on"}]},
        ],
        "tools": [{"functionDeclarations": [{"name": "f", "parametersJsonSchema": {"type": "object"}, "behavior": "BLOCKING"}]}, {"codeExecution": {}}],
        "toolConfig": {
            "functionCallingConfig": {"mode": "VALIDATED", "streamFunctionCallArguments": true},
            "retrievalConfig": {"languageCode": "de"},
        },
        "generationConfig": {
            "thinkingConfig": {"includeThoughts": false, "thinkingBudget": -1},
            "responseModalities": ["IMAGE"], "speechConfig": {"x": 1},
        },
        "cachedContent": "cachedContents/1", "safetySettings": [{"category": "X"}], "labels": {"a": "b"},
    });
    let (body, dropped) = request(GEMINI, GEMINI, &gemini);
    assert_eq!(body, gemini);
    assert_eq!(dropped, [""; 0]);
    let encoded = encode(OPENAI, &decode(GEMINI, &gemini));
    assert!(matches!(encoded, Err(EncodeError::Unsupported { .. })));
}

#[test]
fn only_the_first_call_of_a_step_of_the_current_turn_must_be_signed() {
    let call = |id: &str, signature: Option<&str>| {
        let mut part = json!({"functionCall": {"id": id, "name": "f", "args": {}}});
        if let Some(signature) = signature {
            part["thoughtSignature"] = signature.into();
        }
        part
    };
    let result = |id: &str| json!({"role": "user", "parts": [{"functionResponse": {"id": id, "name": "f", "response": {}}}]});
    let gemini = json!({"contents": [
        {"role": "user", "parts": [{"text": "go"}]},
        {"role": "model", "parts": [call("a", None)]},
        result("a"),
        {"role": "user", "parts": [{"text": "on"}]},
        {"role": "model", "parts": [call("b", Some("c2ln")), call("c", None)]},
        {"role": "user", "parts": [result("b")["parts"][0], result("c")["parts"][0]]},
        {"role": "model", "parts": [call("d", None), call("e", None)]},
        result("d"),
    ]});
    let signatures = |body: &Value| -> Vec<Value> {
        let contents = body["contents"].as_array().unwrap().iter();
        let parts = contents.flat_map(|content| content["parts"].as_array().unwrap());
        parts
            .filter(|part| part.get("functionCall").is_some())
            .map(|part| part["thoughtSignature"].clone())
            .collect()
    };
    let (body, dropped) = request(GEMINI, GEMINI, &gemini);
    assert_eq!(
        signatures(&body),
        [
            json!(null),
            json!("c2ln"),
            json!(null),
            json!(NOT_SIGNED),
            json!(null)
        ]
    );
    assert_eq!(dropped, ["tool_call.thought_signature"]);
    for thinking in [Thinking::Never, Thinking::Budget] {
        let capabilities = Capabilities {
            thinking,
            ..Capabilities::default()
        };
        let (body, dropped) = encode_for(GEMINI, &capabilities, &decode(GEMINI, &gemini));
        assert_eq!(body, gemini);
        assert_eq!(dropped, [""; 0]);
    }
}

#[test]
fn thinking_is_a_level_or_a_budget_and_never_both() {
    let asked = |effort: &str| json!({"model": "m", "messages": [], "reasoning_effort": effort});
    let budget = json!({"model": "m", "max_tokens": 9999, "messages": [],
        "thinking": {"type": "enabled", "budget_tokens": 5000}});
    let capabilities = |thinking, efforts: &[Effort]| Capabilities {
        thinking,
        efforts: efforts.to_vec(),
        ..Capabilities::default()
    };
    let known = [Effort::Low, Effort::High];
    for (request, capabilities, config, noted) in [
        (
            decode(OPENAI, &asked("medium")),
            capabilities(Thinking::Effort, &known),
            json!({"includeThoughts": true, "thinkingLevel": "LOW"}),
            vec!["reasoning_effort"],
        ),
        (
            decode(OPENAI, &asked("medium")),
            capabilities(Thinking::Budget, &[]),
            json!({"includeThoughts": true, "thinkingBudget": 2048}),
            vec![],
        ),
        (
            decode(OPENAI, &asked("none")),
            capabilities(Thinking::Budget, &[]),
            json!({"thinkingBudget": 0}),
            vec![],
        ),
        (
            decode(OPENAI, &asked("none")),
            capabilities(Thinking::Always, &known),
            json!({"includeThoughts": true, "thinkingLevel": "LOW"}),
            vec!["reasoning_effort"],
        ),
        (
            decode(OPENAI, &asked("high")),
            capabilities(Thinking::Never, &[]),
            json!(null),
            vec!["reasoning_effort"],
        ),
        (
            decode(ANTHROPIC, &budget),
            capabilities(Thinking::Unknown, &[]),
            json!({"includeThoughts": true, "thinkingBudget": 5000}),
            vec![],
        ),
        (
            decode(ANTHROPIC, &budget),
            capabilities(Thinking::Effort, &[]),
            json!({"includeThoughts": true, "thinkingLevel": "HIGH"}),
            vec!["thinking_budget"],
        ),
    ] {
        let (body, dropped) = encode_for(GEMINI, &capabilities, &request);
        assert_eq!(body["generationConfig"]["thinkingConfig"], config);
        assert_eq!(dropped, noted);
    }
}

#[test]
fn what_cannot_be_sent_is_refused_with_what_to_do() {
    let with =
        |part: Value| json!({"model": "m", "messages": [{"role": "user", "content": [part]}]});
    let result = json!({"model": "m", "messages": [{"role": "tool", "tool_call_id": "lost", "content": "x"}]});
    for (request, said) in [
        (
            with(json!({"type": "image_url", "image_url": {"url": "https://host/a"}})),
            "send the content itself",
        ),
        (
            with(json!({"type": "file", "file": {"file_id": "file-1"}})),
            "send its content",
        ),
        (result, "send the turn with the call"),
    ] {
        let refused = encode(GEMINI, &decode(OPENAI, &request)).unwrap_err();
        assert!(refused.to_string().contains(said), "{refused}");
    }
}

#[test]
fn results_with_images_are_parts_of_the_result() {
    let anthropic = json!({"model": "m", "max_tokens": 9, "messages": [
        {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "see", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "is_error": true, "content": [
            {"type": "text", "text": "half"},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
        ]}]},
    ]});
    let (body, _) = request(ANTHROPIC, GEMINI, &anthropic);
    assert_eq!(
        body["contents"][1]["parts"],
        json!([{"functionResponse": {
            "id": "a", "name": "see", "response": {"error": "half"},
            "parts": [{"inlineData": {"mimeType": "image/png", "data": "AAAA"}}],
        }}])
    );
}

#[test]
fn without_ids_results_stand_in_the_order_of_their_calls() {
    let call = |id: &str, city: &str| json!({"id": id, "type": "function", "function": {"name": "weather", "arguments": format!("{{\"city\":\"{city}\"}}")}});
    let result =
        |id: &str, said: &str| json!({"role": "tool", "tool_call_id": id, "content": said});
    let asked = json!({"model": "m", "messages": [
        {"role": "user", "content": "Where does the sun shine?"},
        {"role": "assistant", "tool_calls": [call("a", "Ulm"), call("b", "Bonn")]},
        result("b", "rain"),
        result("a", "sun"),
    ]});
    let parts = |ids: ToolCallIds| {
        let mut dialect = dialect(GEMINI);
        dialect.tool_call_ids = ids;
        let target = Target {
            model: "m",
            dialect: &dialect,
            capabilities: &Capabilities::default(),
            max_output_tokens: None,
            stream: false,
        };
        let encoded = encode_request(&decode(OPENAI, &asked), &target).unwrap();
        assert_eq!(encoded.dropped, ["tool_call.thought_signature"]);
        let body: Value = serde_json::from_slice(&encoded.body).unwrap();
        ["/contents/1/parts/1/functionCall", "/contents/2/parts"]
            .map(|pointer| body.pointer(pointer).unwrap().clone())
    };
    let said = |id: Option<&str>, said: &str| {
        let mut response = json!({"name": "weather", "response": {"output": said}});
        if let Some(id) = id {
            response["id"] = json!(id);
        }
        json!({"functionResponse": response})
    };
    assert_eq!(
        parts(ToolCallIds::Any),
        [
            json!({"id": "b", "name": "weather", "args": {"city": "Bonn"}}),
            json!([said(Some("b"), "rain"), said(Some("a"), "sun")]),
        ]
    );
    assert_eq!(
        parts(ToolCallIds::Never),
        [
            json!({"name": "weather", "args": {"city": "Bonn"}}),
            json!([said(None, "sun"), said(None, "rain")]),
        ]
    );
}
