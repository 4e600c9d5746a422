//! `usage` of OpenAI and its family, the same in chats and completions.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::ir::Usage;
use crate::json::{Object, string};

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

#[expect(clippy::struct_field_names, reason = "the names of the wire")]
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct InputDetails {
    audio_tokens: Option<u64>,
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OutputDetails {
    audio_tokens: Option<u64>,
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

#[expect(clippy::struct_field_names, reason = "the names of the wire")]
#[derive(Debug, Serialize)]
struct InputDetailsOut {
    #[serde(skip_serializing_if = "is_zero")]
    audio_tokens: u64,
    cached_tokens: u64,
    cache_write_tokens: u64,
}

#[derive(Debug, Serialize)]
struct OutputDetailsOut {
    #[serde(skip_serializing_if = "is_zero")]
    audio_tokens: u64,
    reasoning_tokens: u64,
}

/// Reads `usage`. What has no counts, or counts that are none, is as good as absent: an answer is not lost over it.
pub(crate) fn read(raw: &RawValue) -> Option<Usage> {
    let wire: UsageIn = serde_json::from_str::<Option<UsageIn>>(raw.get()).ok()??;
    let input = wire.prompt_tokens?;
    let output = wire.completion_tokens.unwrap_or_default();
    let details = wire.prompt_tokens_details.unwrap_or_default();
    let output_details = wire.completion_tokens_details.unwrap_or_default();
    let reasoning = output_details.reasoning_tokens.unwrap_or_default();
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
        input_audio_tokens: details.audio_tokens.unwrap_or_default(),
        output_tokens: output,
        reasoning_tokens: reasoning,
        output_audio_tokens: output_details.audio_tokens.unwrap_or_default(),
        ..Usage::default()
    })
}

/// Takes the `usage` of an answer or of a chunk, with the `service_tier` beside it.
pub(crate) fn take(object: &mut Object<'_, '_>) -> Option<Usage> {
    let usage = object.raw("usage").and_then(read)?;
    Some(served(usage, object.peek("service_tier")))
}

/// A usage with what stands in `service_tier`.
pub(crate) fn served(usage: Usage, tier: Option<&RawValue>) -> Usage {
    usage.served(tier.and_then(string).as_deref())
}

/// `usage` as it is written.
pub(crate) fn written(usage: Usage) -> impl Serialize {
    UsageOut {
        prompt_tokens: usage.input_tokens,
        completion_tokens: usage.output_tokens,
        total_tokens: usage.total_tokens(),
        prompt_tokens_details: InputDetailsOut {
            audio_tokens: usage.input_audio_tokens,
            cached_tokens: usage.cached_input_tokens,
            cache_write_tokens: usage.cache_write_tokens,
        },
        completion_tokens_details: OutputDetailsOut {
            audio_tokens: usage.output_audio_tokens,
            reasoning_tokens: usage.reasoning_tokens,
        },
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn is_zero(count: &u64) -> bool {
    *count == 0
}
