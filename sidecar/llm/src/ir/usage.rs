//! Tokens of one answer, counted the same way for every provider.

/// What one answer used, in tokens. A count that the provider does not give is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Everything that was read, **including** what came from or went into a cache (some providers leave it out; their
    /// format adds it).
    pub input_tokens: u64,
    /// Of the input: read from the provider's cache.
    pub cached_input_tokens: u64,
    /// Of the input: written to the provider's cache.
    pub cache_write_tokens: u64,
    /// Everything that was written, including reasoning.
    pub output_tokens: u64,
    /// Of the output: reasoning.
    pub reasoning_tokens: u64,
}

// === impl Usage ===

impl Usage {
    /// Input and output together.
    pub fn total_tokens(self) -> u64 {
        self.input_tokens.saturating_add(self.output_tokens)
    }
}
