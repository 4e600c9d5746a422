//! Models as the catalogue knows them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use fkm_llm::Capabilities;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{ANTHROPIC, BEDROCK, decode, encode_for};

/// A record of the catalogue, as far as the formats need it.
#[derive(Deserialize)]
struct Record {
    #[serde(default)]
    capabilities: Capabilities,
}

/// What a model of Bedrock's is sent for a request that marks a place for the cache and allows one call, and what was dropped.
fn sent(model: &str) -> (Value, Vec<String>) {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../operator/catalog/data/models.json");
    let text = fs::read_to_string(path).unwrap();
    let models: BTreeMap<String, BTreeMap<String, Record>> = serde_json::from_str(&text).unwrap();
    let marked =
        json!([{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}]);
    let asked = json!({
        "model": "m", "max_tokens": 9, "system": marked,
        "messages": [{"role": "user", "content": "Hi"}],
        "tools": [{"name": "f", "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral"}}],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": true},
    });
    let capabilities = &models["bedrock"][model].capabilities;
    encode_for(BEDROCK, capabilities, &decode(ANTHROPIC, &asked))
}

#[test]
fn claude_is_sent_marks_and_its_own_members() {
    for model in [
        "anthropic.claude-3-7-sonnet-20250219-v1:0",
        "us.anthropic.claude-sonnet-4-6",
        "global.anthropic.claude-opus-5",
    ] {
        let (body, dropped) = sent(model);
        let system = json!([{"text": "Be kind."}, {"cachePoint": {"type": "default"}}]);
        assert_eq!(body["system"], system, "{model}");
        assert_eq!(
            body["additionalModelRequestFields"]["tool_choice"],
            json!({"type": "auto", "disable_parallel_tool_use": true}),
            "{model}"
        );
        assert_eq!(dropped, [] as [&str; 0], "{model}");
    }
}

#[test]
fn who_does_not_take_them_is_not_sent_them() {
    let (body, dropped) = sent("anthropic.claude-3-5-sonnet-20240620-v1:0");
    assert_eq!(body["system"], json!([{"text": "Be kind."}]));
    assert!(body["additionalModelRequestFields"].is_object());
    assert_eq!(dropped, ["cache_control"]);
    let (body, dropped) = sent("meta.llama3-1-70b-instruct-v1:0");
    assert_eq!(body["system"], json!([{"text": "Be kind."}]));
    assert_eq!(body.get("additionalModelRequestFields"), None);
    assert!(dropped.contains(&"cache_control".to_owned()), "{dropped:?}");
}

#[test]
fn nova_is_sent_marks_but_not_among_tools() {
    for model in ["amazon.nova-pro-v1:0", "us.amazon.nova-lite-v1:0"] {
        let (body, dropped) = sent(model);
        let system = json!([{"text": "Be kind."}, {"cachePoint": {"type": "default"}}]);
        assert_eq!(body["system"], system, "{model}");
        let tools = body["toolConfig"]["tools"].as_array().unwrap();
        assert_eq!(tools.len(), 1, "{model}: {tools:?}");
        assert!(dropped.contains(&"cache_control".to_owned()), "{dropped:?}");
    }
    let (body, _) = sent("us.anthropic.claude-sonnet-4-6");
    assert_eq!(
        body["toolConfig"]["tools"][1],
        json!({"cachePoint": {"type": "default"}})
    );
}
