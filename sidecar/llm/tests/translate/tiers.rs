//! How an answer was served, in the words of each provider, and what it costs therefore.

use fkm_llm::ir::Usage;
use fkm_llm::{Format, Price, ServiceTier, StreamOptions, cost, format, translate};
use serde_json::{Value, json};

use crate::{ANTHROPIC, BEDROCK, GEMINI, OPENAI, answer, dialect};

const RESPONSES: Format = Format::OpenAiResponses;

/// An answer of a format of one input token and two output tokens, with the word for how it was served.
fn served(from: Format, word: &Value) -> Value {
    match from {
        Format::AnthropicMessages => json!({
            "type": "message", "role": "assistant", "model": "m", "content": [], "stop_reason": "end_turn",
            "usage": {"input_tokens": 1, "output_tokens": 2, "service_tier": word},
        }),
        Format::BedrockConverse => json!({
            "output": {"message": {"role": "assistant", "content": [{"text": "Hi"}]}}, "stopReason": "end_turn",
            "usage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3}, "serviceTier": {"type": word},
        }),
        Format::GeminiGenerateContent => json!({
            "candidates": [{"content": {"parts": [{"text": "Hi"}]}, "finishReason": "STOP"}],
            "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 2, "trafficType": word},
        }),
        Format::OpenAiResponses => json!({
            "id": "r", "status": "completed", "output": [], "service_tier": word,
            "usage": {"input_tokens": 1, "output_tokens": 2},
        }),
        _ => json!({
            "choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}], "service_tier": word,
            "usage": {"prompt_tokens": 1, "completion_tokens": 2},
        }),
    }
}

/// What is counted where the answer is translated, and where it is passed through.
fn counted(from: Format, word: &Value) -> [Usage; 2] {
    let body = served(from, word).to_string();
    let whole = format(from).decode_response(body.as_bytes()).unwrap();
    let facts = format(from).response_facts(body.as_bytes()).unwrap();
    [whole.usage, facts.usage].map(Option::unwrap)
}

#[test]
fn every_format_says_how_it_was_served() {
    use ServiceTier::{Batch, Default, Flex, Other, Priority};
    for (from, word, tier) in [
        (OPENAI, "default", Some(Default)),
        (OPENAI, "flex", Some(Flex)),
        (OPENAI, "priority", Some(Priority)),
        (OPENAI, "scale", Some(Other)),
        (OPENAI, "on_demand", Some(Default)),
        (OPENAI, "provisioned", Some(Default)),
        (OPENAI, "auto", None),
        (RESPONSES, "flex", Some(Flex)),
        (ANTHROPIC, "standard", Some(Default)),
        (ANTHROPIC, "priority", Some(Priority)),
        (ANTHROPIC, "batch", Some(Batch)),
        (GEMINI, "ON_DEMAND", Some(Default)),
        (GEMINI, "ON_DEMAND_FLEX", Some(Flex)),
        (GEMINI, "ON_DEMAND_PRIORITY", Some(Priority)),
        (GEMINI, "PROVISIONED_THROUGHPUT", Some(Other)),
        (BEDROCK, "flex", Some(Flex)),
        (BEDROCK, "reserved", Some(Other)),
    ] {
        for usage in counted(from, &json!(word)) {
            assert_eq!(usage.tier, tier, "{from} {word}");
            assert_eq!((usage.input_tokens, usage.output_tokens), (1, 2), "{from}");
        }
    }
    for from in [OPENAI, RESPONSES, ANTHROPIC, GEMINI, BEDROCK] {
        for nothing in [Value::Null, json!(7), json!({})] {
            for usage in counted(from, &nothing) {
                assert_eq!(usage.tier, None, "{from} {nothing}");
            }
        }
    }
}

#[test]
fn a_stream_says_it_too() {
    let chat = r#"data: {"choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":"stop"}],"service_tier":"flex"}

data: {"choices":[],"service_tier":"flex","usage":{"prompt_tokens":1,"completion_tokens":2}}

data: [DONE]

"#;
    let messages = r#"data: {"type":"message_start","message":{"model":"m","usage":{"input_tokens":1,"output_tokens":1,"service_tier":"priority"}}}

data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":2}}

data: {"type":"message_stop"}

"#;
    for (from, stream, tier) in [
        (OPENAI, chat, ServiceTier::Flex),
        (ANTHROPIC, messages, ServiceTier::Priority),
    ] {
        let passed = format(from).relay(&fkm_llm::RelayOptions::default());
        let translated = translate(&dialect(from), GEMINI, &StreamOptions::default());
        for mut transform in [passed, translated] {
            let mut out = Vec::new();
            transform.push(stream.to_owned().into(), &mut out).unwrap();
            transform.end(&mut out).unwrap();
            let usage = transform.progress().accounted_usage().unwrap();
            assert_eq!(usage.service_tier(), tier, "{from}");
        }
    }
}

#[test]
fn the_price_is_that_of_the_tier_and_of_no_other() {
    let price: Price = serde_json::from_value(json!({
        "default": [{"input": 4_000_000_000_u64, "output": 4_000_000_000_u64}],
        "flex": [{"input": 2_000_000_000_u64, "output": 2_000_000_000_u64}],
    }))
    .unwrap();
    for (word, nano) in [
        ("default", Some(12_000)),
        ("auto", Some(12_000)),
        ("flex", Some(6_000)),
        ("priority", None),
        ("scale", None),
    ] {
        let [usage, _] = counted(OPENAI, &json!(word));
        let amount = cost(&usage, &price, usage.service_tier());
        assert_eq!(amount.map(|amount| amount.0), nano, "{word}");
    }
}

#[test]
fn a_client_is_told_where_its_format_has_a_word() {
    let (body, _) = answer(ANTHROPIC, GEMINI, &served(ANTHROPIC, &json!("priority")));
    assert_eq!(body["usageMetadata"]["trafficType"], "ON_DEMAND_PRIORITY");
    let (body, _) = answer(GEMINI, ANTHROPIC, &served(GEMINI, &json!("ON_DEMAND")));
    assert_eq!(body["usage"]["service_tier"], "standard");
    let (body, _) = answer(GEMINI, ANTHROPIC, &served(GEMINI, &json!("ON_DEMAND_FLEX")));
    assert_eq!(body["usage"].get("service_tier"), None);
}
