//! Pieces of the wire that requests, answers and streams share.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::cohere::FORMAT;
use crate::ir::{Billed, FinishReason, Usage};
use crate::json::Report;

/// `usage`: what was counted (the provider's own instructions included), and what is paid for. The numbers may have a
/// point.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct UsageIn {
    tokens: Option<TokensIn>,
    billed_units: Option<TokensIn>,
    cached_tokens: Option<f64>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct TokensIn {
    input_tokens: Option<f64>,
    output_tokens: Option<f64>,
}

#[derive(Debug, Serialize)]
struct UsageOut {
    #[serde(skip_serializing_if = "Option::is_none")]
    billed_units: Option<TokensOut>,
    tokens: TokensOut,
    #[serde(skip_serializing_if = "Option::is_none")]
    cached_tokens: Option<u64>,
}

#[derive(Debug, Serialize)]
struct TokensOut {
    input_tokens: u64,
    output_tokens: u64,
}

// === impl TokensIn ===

impl TokensIn {
    /// The whole numbers, when there is one.
    fn whole(self) -> Option<(u64, u64)> {
        if self.input_tokens.is_none() && self.output_tokens.is_none() {
            return None;
        }
        Some((count(self.input_tokens), count(self.output_tokens)))
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and nothing is below 0"
)]
pub(super) fn count(number: Option<f64>) -> u64 {
    number.unwrap_or_default().round() as u64
}

/// Reads `usage`. What has no counts is as good as absent: an answer is not lost over it.
pub(super) fn usage(raw: &RawValue) -> Option<Usage> {
    let wire: UsageIn = serde_json::from_str::<Option<UsageIn>>(raw.get()).ok()??;
    let billed = wire.billed_units.and_then(TokensIn::whole);
    let counted = wire.tokens.and_then(TokensIn::whole);
    let (input_tokens, output_tokens) = counted.or(billed)?;
    Some(Usage {
        input_tokens,
        cached_input_tokens: count(wire.cached_tokens),
        output_tokens,
        billed: billed.map(|(input_tokens, output_tokens)| Billed {
            input_tokens,
            output_tokens,
        }),
        ..Usage::default()
    })
}

/// `usage` as it is written.
pub(super) fn usage_out(usage: Usage) -> impl Serialize {
    let cached = usage.cached_input_tokens;
    UsageOut {
        billed_units: usage.billed.map(|billed| TokensOut {
            input_tokens: billed.input_tokens,
            output_tokens: billed.output_tokens,
        }),
        tokens: TokensOut {
            input_tokens: usage.input_tokens,
            output_tokens: usage.output_tokens,
        },
        cached_tokens: (cached > 0).then_some(cached),
    }
}

/// Notes the counts that have no place here; they are part of those that have.
pub(super) fn note_counts(usage: Usage, report: &mut Report) {
    for (name, count) in [
        ("reasoning_tokens", usage.reasoning_tokens),
        ("cache_write_tokens", usage.cache_write_tokens),
        ("input_audio_tokens", usage.input_audio_tokens),
        ("output_audio_tokens", usage.output_audio_tokens),
    ] {
        if count > 0 {
            report.note_in("usage", name);
        }
    }
}

/// The meaning of a finish reason. `ERROR` and `TIMEOUT` are none (see [`super::error::of_finish`]).
pub(super) fn finish_reason(word: &str) -> FinishReason {
    match word {
        "COMPLETE" => FinishReason::Stop,
        // Which one is not said.
        "STOP_SEQUENCE" => FinishReason::StopSequence(String::new()),
        "MAX_TOKENS" => FinishReason::Length,
        "TOOL_CALL" => FinishReason::ToolCalls,
        name => FinishReason::Other {
            origin: FORMAT,
            name: name.to_owned(),
        },
    }
}

/// The word for a finish reason, and whether it says all.
pub(super) fn finish_word(reason: &FinishReason) -> (&str, bool) {
    match reason {
        FinishReason::Stop => ("COMPLETE", true),
        FinishReason::StopSequence(text) => ("STOP_SEQUENCE", text.is_empty()),
        FinishReason::Length => ("MAX_TOKENS", true),
        FinishReason::ToolCalls => ("TOOL_CALL", true),
        FinishReason::Other { origin, name } if *origin == FORMAT && !is_fault(name) => {
            (name, finish_reason(name) == *reason)
        }
        FinishReason::ContentFilter | FinishReason::Pause | FinishReason::Other { .. } => {
            ("COMPLETE", false)
        }
    }
}

/// Whether the word stands for an answer that failed.
pub(super) fn is_fault(word: &str) -> bool {
    matches!(word, "ERROR" | "TIMEOUT")
}
