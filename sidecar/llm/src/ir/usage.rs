//! Tokens of one answer, counted the same way for every provider.

use fkm_dialect::ServiceTier;
use serde::Deserialize;

/// What one answer used, in tokens. A count that the provider does not give is 0.
///
/// Providers count in two ways: inclusive (`OpenAI`, Gemini: what came from a cache is part of the input) and exclusive
/// (Anthropic, Bedrock: it is counted beside it). This is inclusive; the formats convert.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Everything that was read, **including** what came from or went into a cache.
    pub input_tokens: u64,
    /// Of the input: read from the provider's cache.
    pub cached_input_tokens: u64,
    /// Of the input: written to the provider's cache, for whatever time.
    pub cache_write_tokens: u64,
    /// Of those written to the cache: the ones that stay an hour.
    pub cache_write_1h_tokens: u64,
    /// Of the input: sound.
    pub input_audio_tokens: u64,
    /// Everything that was written, including reasoning.
    pub output_tokens: u64,
    /// Of the output: reasoning.
    pub reasoning_tokens: u64,
    /// Of the output: sound.
    pub output_audio_tokens: u64,
    /// What is paid for, where the provider says that it is not what was counted (Cohere).
    pub billed: Option<Billed>,
    /// How urgently it was served, where the provider says so.
    pub tier: Option<ServiceTier>,
    /// Not the provider's word: counted here, because the answer ended before it gave one.
    pub estimated: bool,
}

/// Tokens that are paid for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Billed {
    /// Of the input.
    pub input_tokens: u64,
    /// Of the output.
    pub output_tokens: u64,
}

// === impl Usage ===

impl Usage {
    /// Input and output together.
    pub fn total_tokens(self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }

    /// The tier whose price holds: the usual one where the provider says nothing.
    pub fn service_tier(self) -> ServiceTier {
        self.tier.unwrap_or_default()
    }

    /// The same, served as this word of a provider says.
    pub(crate) fn served(self, word: Option<&str>) -> Self {
        let tier = word.and_then(tier).or(self.tier);
        Self { tier, ..self }
    }

    /// Of the input: neither read from nor written to a cache.
    pub fn fresh_input_tokens(self) -> u64 {
        let cached = self
            .cached_input_tokens
            .saturating_add(self.cache_write_tokens);
        self.input_tokens.saturating_sub(cached)
    }
}

/// What providers call the ways to be served, each in its own words, none of which means two things: `service_tier` of OpenAI
/// and its family (<https://platform.openai.com/docs/api-reference/chat/object>) and of Anthropic
/// (<https://platform.claude.com/docs/en/api/service-tiers>), Bedrock's `serviceTier`
/// (<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ServiceTier.html>), Gemini's `serviceTier` and Vertex's
/// `trafficType` (<https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest/v1/GenerateContentResponse>). `auto` says
/// how it was asked for, not how it was served; `provisioned` is `OpenRouter`'s word for what it has bought itself, and sells at
/// the usual price.
fn tier(word: &str) -> Option<ServiceTier> {
    match word {
        "" | "auto" | "unspecified" | "TRAFFIC_TYPE_UNSPECIFIED" => None,
        "default" | "standard" | "on_demand" | "provisioned" | "ON_DEMAND" => {
            Some(ServiceTier::Default)
        }
        "batch" => Some(ServiceTier::Batch),
        "flex" | "ON_DEMAND_FLEX" => Some(ServiceTier::Flex),
        "priority" | "ON_DEMAND_PRIORITY" => Some(ServiceTier::Priority),
        _ => Some(ServiceTier::Other),
    }
}

/// Reads such a word; what is no text says nothing.
pub(crate) fn read_tier<'de, D: serde::Deserializer<'de>>(
    value: D,
) -> Result<Option<ServiceTier>, D::Error> {
    let value = serde_json::Value::deserialize(value)?;
    Ok(value.as_str().and_then(tier))
}
