//! What each provider is sent.

use bytes::Bytes;
use fkm_llm::{
    Capabilities, Dialect, Edits, EncodeError, Encoded, Format, Target, edit, encode_request,
    format, scan,
};
use serde_json::{Value, json};

use crate::case::{Case, cases_of};

/// A request that holds whatever some provider wants otherwise.
fn request() -> Value {
    json!({
        "model": "m",
        "messages": [
            {"role": "developer", "content": "Be kind."},
            {"role": "user", "name": "ada", "content": "Weather?"},
            {
                "role": "assistant",
                "content": null,
                "reasoning_content": "It asks.",
                "tool_calls": [{"id": "call_weather_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}],
            },
            {"role": "tool", "tool_call_id": "call_weather_1", "content": "sunny"},
            {"role": "user", "content": "And now?"},
        ],
        "tools": [{"type": "function", "function": {
            "name": "weather",
            "parameters": {"type": "object", "properties": {}},
            "strict": true,
        }}],
        "tool_choice": "required",
        "max_completion_tokens": 100,
        "temperature": 1.5,
        "frequency_penalty": 0.5,
        "presence_penalty": 0.5,
        "seed": 7,
        "user": "u",
        "store": false,
        "logit_bias": {"1": 1},
        "logprobs": true,
        "top_logprobs": 2,
        "service_tier": "auto",
        "prompt_cache_key": "k",
        "prompt_cache_retention": "24h",
        "safety_identifier": "s",
        "verbosity": "low",
        "metadata": {"a": "b"},
        "stream": true,
        "stream_options": {"include_usage": true},
    })
}

/// The same with a document and with sound, of which other formats have no word for each.
fn heard() -> Value {
    let mut body = request();
    body["messages"][4]["content"] = json!([
        {"type": "text", "text": "And now?"},
        {"type": "file", "file": {"filename": "map.pdf", "file_data": "data:application/pdf;base64,AAAA"}},
        {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
    ]);
    body
}

/// The request as the case says that it is sent.
fn expected(case: &Case) -> Value {
    let mut body = heard();
    for pointer in &case.gone {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = body.pointer_mut(parent).unwrap();
        assert!(
            parent.as_object_mut().unwrap().remove(name).is_some(),
            "{pointer}"
        );
    }
    for (pointer, value) in &case.sent {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = body.pointer_mut(parent).unwrap();
        parent
            .as_object_mut()
            .unwrap()
            .insert(name.to_owned(), value.clone());
    }
    body
}

#[test]
fn pass_through_sends_what_the_provider_takes() {
    for (name, case, dialect) in cases_of(is_chat) {
        let body = Bytes::from(heard().to_string());
        let scanned = scan(&body).unwrap();
        let edits = Edits {
            model: None,
            include_usage: false,
            dialect: &dialect,
        };
        let edited = edit(&body, &scanned, &edits);
        let sent: Value = serde_json::from_slice(&edited.segments.concat()).unwrap();
        assert_eq!(sent, expected(&case), "{name}");
        assert_eq!(edited.dropped, case.dropped, "{name}");
    }
}

fn is_chat(dialect: &Dialect) -> bool {
    dialect.format == Format::OpenAiChat
}

/// What the provider gets of a request of OpenAI's format that went through the representation.
fn translated(request: &Value, dialect: &Dialect) -> Result<Encoded, EncodeError> {
    let decoded = format(Format::OpenAiChat).decode_request(request.to_string().as_bytes());
    let capabilities = Capabilities::default();
    let target = Target {
        model: "m",
        dialect,
        capabilities: &capabilities,
        max_output_tokens: None,
        stream: true,
    };
    encode_request(&decoded.unwrap(), &target)
}

#[test]
fn a_translation_sends_what_the_provider_takes() {
    for (name, case, dialect) in cases_of(is_chat) {
        let encoded = translated(&heard(), &dialect).unwrap();
        let mut sent: Value = serde_json::from_slice(&encoded.body).unwrap();
        // The representation knows one kind of instruction.
        let mut expected = expected(&case);
        expected["messages"][0]["role"] = json!("system");
        for (pointer, value) in &case.translated {
            *expected.pointer_mut(pointer).unwrap() = value.clone();
        }
        let limit = sent
            .as_object_mut()
            .unwrap()
            .remove("max_completion_tokens");
        if let Some(limit) = limit {
            sent["max_completion_tokens"] = limit;
        }
        assert_eq!(sent, expected, "{name}");
        assert!(case.body.is_none(), "{name}");
    }
}

#[test]
fn another_format_is_sent_what_it_has_words_for() {
    for (name, case, dialect) in cases_of(|dialect| !is_chat(dialect)) {
        let encoded = translated(&request(), &dialect).unwrap();
        let sent: Value = serde_json::from_slice(&encoded.body).unwrap();
        assert_eq!(Some(sent), case.body, "{name}");
        assert_eq!(encoded.dropped, case.dropped, "{name}");
        assert!(case.sent.is_empty() && case.gone.is_empty(), "{name}");
        assert!(case.translated.is_empty(), "{name}");
    }
}

#[test]
fn a_record_without_deviations_leaves_every_byte() {
    let plain = Dialect::new(Format::OpenAiChat, "/", fkm_llm::Auth::Bearer);
    let body = Bytes::from(heard().to_string());
    let edits = Edits {
        model: Some("m"),
        include_usage: false,
        dialect: &plain,
    };
    let edited = edit(&body, &scan(&body).unwrap(), &edits);
    assert_eq!(edited.segments, [body]);
    assert_eq!(edited.dropped, [] as [String; 0]);
}
