//! How hard a model is to think, by what is known of it.

use fkm_llm::ir::Effort;
use fkm_llm::{Capabilities, Thinking};
use serde_json::{Value, json};

use crate::{ANTHROPIC, OPENAI, decode, encode_for};

fn known(thinking: Thinking) -> Capabilities {
    Capabilities {
        thinking,
        ..Capabilities::default()
    }
}

/// An OpenAI client's effort as a model of Anthropic's gets it, and what was dropped.
fn effort(word: &str, thinking: Thinking, more: &Value) -> (Value, Value, Vec<String>) {
    let mut request = json!({
        "model": "m", "messages": [{"role": "user", "content": "hi"}],
        "reasoning_effort": word, "max_completion_tokens": 20_000,
    });
    let members = request.as_object_mut().unwrap();
    members.extend(more.as_object().unwrap().clone());
    let (body, dropped) = encode_for(ANTHROPIC, &known(thinking), &decode(OPENAI, &request));
    (
        body["thinking"].clone(),
        body["output_config"].clone(),
        dropped,
    )
}

#[test]
fn an_effort_to_anthropic_by_what_the_model_takes() {
    let none = json!({});
    let budget = |tokens: u64| json!({"type": "enabled", "budget_tokens": tokens});
    let adaptive = json!({"type": "adaptive", "display": "summarized"});
    for (word, thinking, expected, config) in [
        (
            "high",
            Thinking::Unknown,
            Value::Null,
            json!({"effort": "high"}),
        ),
        (
            "none",
            Thinking::Unknown,
            json!({"type": "disabled"}),
            Value::Null,
        ),
        ("high", Thinking::Budget, budget(4096), Value::Null),
        (
            "none",
            Thinking::Budget,
            json!({"type": "disabled"}),
            Value::Null,
        ),
        (
            "xhigh",
            Thinking::Adaptive,
            adaptive,
            json!({"effort": "xhigh"}),
        ),
        (
            "none",
            Thinking::Adaptive,
            json!({"type": "disabled"}),
            Value::Null,
        ),
        (
            "max",
            Thinking::Always,
            Value::Null,
            json!({"effort": "max"}),
        ),
        (
            "low",
            Thinking::Effort,
            Value::Null,
            json!({"effort": "low"}),
        ),
    ] {
        let sent = effort(word, thinking, &none);
        assert_eq!(sent, (expected, config, vec![]), "{word} {thinking:?}");
    }
}

#[test]
fn what_a_model_cannot_be_told_is_reported() {
    let none = json!({});
    for (word, thinking, thought, config) in [
        ("high", Thinking::Never, Value::Null, Value::Null),
        (
            "minimal",
            Thinking::Unknown,
            Value::Null,
            json!({"effort": "low"}),
        ),
        (
            "none",
            Thinking::Always,
            Value::Null,
            json!({"effort": "low"}),
        ),
    ] {
        let (got, sent, dropped) = effort(word, thinking, &none);
        assert_eq!((got, sent), (thought, config), "{word} {thinking:?}");
        assert_eq!(dropped, ["reasoning_effort"], "{word} {thinking:?}");
    }
}

#[test]
fn a_budget_stays_below_the_limit_and_goes_with_no_forced_tool() {
    let (thinking, _, dropped) = effort(
        "max",
        Thinking::Budget,
        &json!({"max_completion_tokens": 2000}),
    );
    assert_eq!(thinking["budget_tokens"], 1999);
    assert_eq!(dropped, [""; 0]);
    let (thinking, _, dropped) = effort(
        "low",
        Thinking::Budget,
        &json!({"max_completion_tokens": 1000}),
    );
    assert_eq!(thinking, Value::Null);
    assert_eq!(dropped, ["thinking_budget"]);
    let forced = json!({
        "tools": [{"type": "function", "function": {"name": "f"}}], "tool_choice": "required",
    });
    let (thinking, _, dropped) = effort("high", Thinking::Budget, &forced);
    assert_eq!(thinking, Value::Null);
    assert_eq!(dropped, ["thinking"]);
}

#[test]
fn a_model_that_thinks_draws_at_a_temperature_of_one() {
    let request = json!({
        "model": "m", "messages": [{"role": "user", "content": "hi"}],
        "reasoning_effort": "high", "temperature": 0.2,
    });
    let (body, dropped) = encode_for(
        ANTHROPIC,
        &known(Thinking::Adaptive),
        &decode(OPENAI, &request),
    );
    assert_eq!(body.get("temperature"), None);
    assert_eq!(dropped, ["temperature"]);
}

#[test]
fn a_tool_loop_whose_thinking_was_lost_goes_on_without() {
    let mut request = json!({
        "model": "m", "max_tokens": 9000, "thinking": {"type": "enabled", "budget_tokens": 2000},
        "tools": [{"name": "f", "input_schema": {"type": "object"}}],
        "messages": [
            {"role": "user", "content": "hi"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": "1"}]},
        ],
    });
    let (body, dropped) = encode_for(
        ANTHROPIC,
        &known(Thinking::Budget),
        &decode(ANTHROPIC, &request),
    );
    assert_eq!(body.get("thinking"), None);
    assert_eq!(dropped, ["thinking"]);
    let blocks = request["messages"][1]["content"].as_array_mut().unwrap();
    blocks.insert(
        0,
        json!({"type": "thinking", "thinking": "", "signature": "c2ln"}),
    );
    let (body, dropped) = encode_for(
        ANTHROPIC,
        &known(Thinking::Budget),
        &decode(ANTHROPIC, &request),
    );
    assert_eq!(body["thinking"], request["thinking"]);
    assert_eq!(dropped, [""; 0]);
}

#[test]
fn a_budget_to_openai_is_the_nearest_word_where_the_model_takes_words() {
    let request = json!({
        "model": "m", "max_tokens": 9000, "thinking": {"type": "enabled", "budget_tokens": 4096},
        "messages": [{"role": "user", "content": "hi"}],
    });
    let request = decode(ANTHROPIC, &request);
    assert_eq!(request.thinking_budget, Some(4096));
    let (body, dropped) = encode_for(OPENAI, &known(Thinking::Effort), &request);
    assert_eq!(body["reasoning_effort"], Effort::High.name());
    assert_eq!(dropped, ["thinking_budget"]);
    let (body, dropped) = encode_for(OPENAI, &known(Thinking::Unknown), &request);
    assert_eq!(body.get("reasoning_effort"), None);
    assert_eq!(dropped, ["thinking_budget"]);
}
