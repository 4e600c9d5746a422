//! Pieces of the wire that requests, answers and streams share.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::ir::{FinishReason, Usage};
use crate::openai_chat::FORMAT;

/// `usage`, with the places where members of the family keep the cached tokens.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct UsageIn {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    total_tokens: Option<u64>,
    prompt_tokens_details: Option<InputDetails>,
    completion_tokens_details: Option<OutputDetails>,
    cached_tokens: Option<u64>,
    prompt_cache_hit_tokens: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct InputDetails {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OutputDetails {
    reasoning_tokens: Option<u64>,
}

#[derive(Debug, Serialize)]
struct UsageOut {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: InputDetailsOut,
    completion_tokens_details: OutputDetailsOut,
}

#[derive(Debug, Serialize)]
struct InputDetailsOut {
    cached_tokens: u64,
    cache_write_tokens: u64,
}

#[derive(Debug, Serialize)]
struct OutputDetailsOut {
    reasoning_tokens: u64,
}

/// Reads `usage`. What has no counts, or counts that are none, is as good as absent: an answer is not lost over it.
pub(super) fn usage(raw: &RawValue) -> Option<Usage> {
    let wire: UsageIn = serde_json::from_str::<Option<UsageIn>>(raw.get()).ok()??;
    let input = wire.prompt_tokens?;
    let output = wire.completion_tokens.unwrap_or_default();
    let details = wire.prompt_tokens_details.unwrap_or_default();
    let reasoning = wire
        .completion_tokens_details
        .and_then(|details| details.reasoning_tokens)
        .unwrap_or_default();
    // Some count reasoning beside the output: their total gives them away.
    let beside = input.saturating_add(output).saturating_add(reasoning);
    let output = match wire.total_tokens {
        Some(total) if reasoning > 0 && total == beside => output.saturating_add(reasoning),
        _ => output,
    };
    Some(Usage {
        input_tokens: input,
        cached_input_tokens: details
            .cached_tokens
            .or(wire.cached_tokens)
            .or(wire.prompt_cache_hit_tokens)
            .unwrap_or_default(),
        cache_write_tokens: details.cache_write_tokens.unwrap_or_default(),
        output_tokens: output,
        reasoning_tokens: reasoning,
    })
}

/// `usage` as it is written.
pub(super) fn usage_out(usage: Usage) -> impl Serialize {
    UsageOut {
        prompt_tokens: usage.input_tokens,
        completion_tokens: usage.output_tokens,
        total_tokens: usage.total_tokens(),
        prompt_tokens_details: InputDetailsOut {
            cached_tokens: usage.cached_input_tokens,
            cache_write_tokens: usage.cache_write_tokens,
        },
        completion_tokens_details: OutputDetailsOut {
            reasoning_tokens: usage.reasoning_tokens,
        },
    }
}

/// The meaning of a finish reason; members of the family say the common ones in words of their own.
pub(super) fn finish_reason(word: &str) -> FinishReason {
    match word {
        "" | "stop" | "eos" => FinishReason::Stop,
        "length" => FinishReason::Length,
        "tool_calls" => FinishReason::ToolCalls,
        "content_filter" | "sensitive" => FinishReason::ContentFilter,
        name => FinishReason::Other {
            origin: FORMAT,
            name: name.to_owned(),
        },
    }
}

/// The word for a finish reason, and whether it says all.
pub(super) fn finish_word(reason: &FinishReason) -> (&str, bool) {
    match reason {
        FinishReason::Stop => ("stop", true),
        FinishReason::Length => ("length", true),
        FinishReason::ToolCalls => ("tool_calls", true),
        FinishReason::ContentFilter => ("content_filter", true),
        FinishReason::Other { origin, name } if *origin == FORMAT => {
            (name, finish_reason(name) == *reason)
        }
        FinishReason::StopSequence(_) | FinishReason::Pause | FinishReason::Other { .. } => {
            ("stop", false)
        }
    }
}
