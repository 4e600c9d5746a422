//! An answer in the form in which the suites compare: what an application gets out of it, whatever the format.
//!
//! `{"choices": [{"index", "text", "refusal", "reasoning", "calls": [{"name", "arguments"}], "finish"}], "usage": null |
//! {"input", "output", "cached", "written", "reasoning"}}`. Arguments that are JSON are shown as JSON, others as text. Of
//! embeddings: no choices, and `vectors`; of rankings: no choices, and `ranks`, pairs of a document's index and its score.

use fkm_llm::embedding::{EmbeddingResponse, InvalidVector};
use fkm_llm::ir::{Choice, OutputPart, Response, ToolCall, Usage};
use fkm_llm::rerank::{Ranked, RerankResponse};
use serde_json::{Value, json};

pub(crate) fn of_response(response: &Response) -> Value {
    let choices: Vec<Value> = response.choices.iter().map(of_choice).collect();
    json!({"choices": choices, "usage": response.usage.map(of_usage)})
}

pub(crate) fn of_embeddings(response: &EmbeddingResponse) -> Result<Value, InvalidVector> {
    let vectors = response.embeddings.iter().map(|one| one.vector.values());
    let vectors: Vec<Vec<f32>> = vectors.collect::<Result<_, _>>()?;
    Ok(json!({"choices": [], "vectors": vectors, "usage": response.usage.map(of_usage)}))
}

pub(crate) fn of_ranking(response: &RerankResponse) -> Value {
    let rank = |one: &Ranked| {
        json!([
            one.index,
            serde_json::from_str::<Value>(one.score.get()).ok()
        ])
    };
    let ranks: Vec<Value> = response.results.iter().map(rank).collect();
    json!({"choices": [], "ranks": ranks, "usage": response.usage.map(of_usage)})
}

fn of_choice(choice: &Choice) -> Value {
    let (mut refusal, mut reasoning, mut calls) = (String::new(), String::new(), Vec::new());
    for part in &choice.parts {
        match part {
            OutputPart::Refusal(text) => refusal.push_str(text),
            OutputPart::Reasoning(part) => {
                reasoning.push_str(part.text.as_deref().unwrap_or_default());
            }
            OutputPart::ToolCall(call) => calls.push(of_call(call)),
            _ => {}
        }
    }
    json!({
        "index": choice.index,
        "text": choice.text(),
        "refusal": refusal,
        "reasoning": reasoning,
        "calls": calls,
        "finish": choice.finish_reason.name(),
    })
}

fn of_call(call: &ToolCall) -> Value {
    let arguments = serde_json::from_str::<Value>(&call.arguments)
        .unwrap_or_else(|_| Value::from(call.arguments.as_str()));
    json!({"name": call.name, "arguments": arguments})
}

pub(crate) fn of_usage(usage: Usage) -> Value {
    json!({
        "input": usage.input_tokens,
        "output": usage.output_tokens,
        "cached": usage.cached_input_tokens,
        "written": usage.cache_write_tokens,
        "reasoning": usage.reasoning_tokens,
    })
}
