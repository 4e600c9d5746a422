//! What an answer cost: its tokens times its model's rates, in whole nano-USD.
//!
//! *Guarantees*: exact integers, rounded once an answer; what is not known is `None`, never 0.
//!
//! *Caveats*: tokens only. What providers charge beside them (searches of the web, sessions, pictures by the piece, surcharges
//! of a region or of a faster mode) is not in it.

use std::fmt;
use std::iter::Sum;
use std::ops::AddAssign;

use fkm_dialect::{Price, Rates, ServiceTier};

use crate::ir::Usage;

/// Rates are per so many tokens.
const PER: u128 = 1_000_000;

/// An amount of money in nano-USD (10⁻⁹ USD). At most 18 billion USD; sums stop there instead of wrapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NanoUsd(pub u64);

/// Tokens of an answer by what they cost: every token is in exactly one part.
#[derive(Clone, Copy, Debug)]
struct Parts {
    input: u64,
    fresh: u64,
    input_audio: u64,
    cached: u64,
    written: u64,
    written_1h: u64,
    output: u64,
    output_audio: u64,
    reasoning: u64,
}

/// What `usage` costs under `price` in a tier of service; `None` where a rate that it takes is not known.
///
/// - Where the provider says what it bills, that is counted instead of what was read and written (Cohere's `billed_units`:
///   <https://docs.cohere.com/docs/rate-limits>).
/// - What was read from a cache, written to it for minutes and for an hour, and sound have rates of their own, and so have
///   reasoning and sound in the output; a part without one costs what the whole does
///   (<https://platform.claude.com/docs/en/build-with-claude/prompt-caching>, <https://openai.com/api/pricing>). Sound that
///   came from a cache costs what a cache does.
/// - Above a threshold of input tokens, cached ones included, the higher rates hold for the whole request, output included
///   (<https://ai.google.dev/gemini-api/docs/pricing>, <https://developers.openai.com/api/docs/pricing>).
/// - Rounded to the nearest nano-USD, halves up.
pub fn cost(usage: &Usage, price: &Price, tier: ServiceTier) -> Option<NanoUsd> {
    let parts = Parts::of(usage);
    let rates = price.rates(tier, parts.input)?;
    let millionths =
        parts
            .priced(rates)
            .into_iter()
            .try_fold(0u128, |sum, (tokens, rate)| match (tokens, rate) {
                (0, _) => Some(sum),
                (_, None) => None,
                (tokens, Some(rate)) => {
                    Some(sum.saturating_add(u128::from(tokens) * u128::from(rate)))
                }
            })?;
    let rounded = millionths.saturating_add(PER / 2) / PER;
    Some(NanoUsd(u64::try_from(rounded).unwrap_or(u64::MAX)))
}

// === impl Parts ===

impl Parts {
    /// Parts that are larger than what they are part of are cut to it: a provider that counts badly is not billed twice.
    fn of(usage: &Usage) -> Self {
        let (input, output) = usage
            .billed
            .map_or((usage.input_tokens, usage.output_tokens), |billed| {
                (billed.input_tokens, billed.output_tokens)
            });
        let cached = usage.cached_input_tokens.min(input);
        let written_all = usage.cache_write_tokens.min(input - cached);
        let written_1h = usage.cache_write_1h_tokens.min(written_all);
        let unstored = input - cached - written_all;
        let input_audio = usage.input_audio_tokens.min(unstored);
        let reasoning = usage.reasoning_tokens.min(output);
        let output_audio = usage.output_audio_tokens.min(output - reasoning);
        Self {
            input,
            fresh: unstored - input_audio,
            input_audio,
            cached,
            written: written_all - written_1h,
            written_1h,
            output: output - reasoning - output_audio,
            output_audio,
            reasoning,
        }
    }

    fn priced(self, rates: &Rates) -> [(u64, Option<u64>); 8] {
        let hour = match rates.cache_write {
            // an hour is never as cheap as minutes
            Some(_) => rates.cache_write1h,
            None => rates.cache_write1h.or(rates.input),
        };
        [
            (self.fresh, rates.input),
            (self.input_audio, rates.input_audio.or(rates.input)),
            (self.cached, rates.cache_read.or(rates.input)),
            (self.written, rates.cache_write.or(rates.input)),
            (self.written_1h, hour),
            (self.output, rates.output),
            (self.output_audio, rates.output_audio.or(rates.output)),
            (self.reasoning, rates.reasoning.or(rates.output)),
        ]
    }
}

// === impl NanoUsd ===

impl fmt::Display for NanoUsd {
    /// In USD, with all nine digits: `0.001250000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const ONE: u64 = 1_000_000_000;
        write!(f, "{}.{:09}", self.0 / ONE, self.0 % ONE)
    }
}

impl AddAssign for NanoUsd {
    fn add_assign(&mut self, other: Self) {
        self.0 = self.0.saturating_add(other.0);
    }
}

impl Sum for NanoUsd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::default(), |mut sum, amount| {
            sum += amount;
            sum
        })
    }
}

#[cfg(test)]
mod tests;
