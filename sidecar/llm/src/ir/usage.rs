//! Tokens of one answer, counted the same way for every provider.

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

    /// Of the input: neither read from nor written to a cache.
    pub fn fresh_input_tokens(self) -> u64 {
        let cached = self
            .cached_input_tokens
            .saturating_add(self.cache_write_tokens);
        self.input_tokens.saturating_sub(cached)
    }
}
