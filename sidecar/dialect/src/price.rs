//! What a model's tokens cost, as its provider publishes it: plain data. The formula is `fkm_llm::cost`.

use serde::{Deserialize, Serialize};

use crate::is_default;

/// The price lists of a model. Every amount is in whole nano-USD (10⁻⁹ USD) per million tokens: 1.25 USD per million is
/// 1 250 000 000.
///
/// A price list is a list of rates by rising [`Rates::above`], of which the first is 0. Empty: not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Price {
    /// What a request costs that asks for nothing special.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub default: Vec<Rates>,
    /// What it costs in a batch, which is answered within hours.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub batch: Vec<Rates>,
    /// What it costs where it may wait, or be refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub flex: Vec<Rates>,
    /// What it costs where it goes before others.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub priority: Vec<Rates>,
}

/// Rates of one price list, for requests above a number of input tokens. An amount that is absent has no rate of its own:
/// the tokens cost what the kind does that they are part of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct Rates {
    /// They hold for the **whole** request when its input, cached or not, is of more tokens than this. 0: from the first.
    #[serde(skip_serializing_if = "is_default")]
    pub above: u64,
    /// Input that neither came from nor went into a cache; absent: not known.
    #[serde(skip_serializing_if = "is_default")]
    pub input: Option<u64>,
    /// Output; absent: not known.
    #[serde(skip_serializing_if = "is_default")]
    pub output: Option<u64>,
    /// Input from the provider's cache; absent: as input.
    #[serde(skip_serializing_if = "is_default")]
    pub cache_read: Option<u64>,
    /// Input into the provider's cache for its usual time, which is minutes; absent: as input.
    #[serde(skip_serializing_if = "is_default")]
    pub cache_write: Option<u64>,
    /// Input into the provider's cache for an hour; absent: not known where `cacheWrite` is given, else as input.
    #[serde(skip_serializing_if = "is_default")]
    pub cache_write1h: Option<u64>,
    /// Sound in the input; absent: as input.
    #[serde(skip_serializing_if = "is_default")]
    pub input_audio: Option<u64>,
    /// Sound in the output; absent: as output.
    #[serde(skip_serializing_if = "is_default")]
    pub output_audio: Option<u64>,
    /// Reasoning in the output; absent: as output.
    #[serde(skip_serializing_if = "is_default")]
    pub reasoning: Option<u64>,
}

/// How urgently a request was served, as far as it changes the price.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum ServiceTier {
    /// As every request that asks for nothing.
    #[default]
    Default,
    /// In a batch.
    Batch,
    /// When there is room.
    Flex,
    /// Before others.
    Priority,
    /// In another way, for which no list says a price (capacity that is paid for by the hour, …).
    Other,
}

// === impl Price ===

impl Price {
    /// The rates of a request of so many input tokens; `None` where the list of this tier is not known. Linear in the number
    /// of thresholds, of which providers have at most a few.
    pub fn rates(&self, tier: ServiceTier, input_tokens: u64) -> Option<&Rates> {
        let holds = |rates: &&Rates| rates.above == 0 || input_tokens > rates.above;
        self.list(tier).iter().rfind(holds)
    }

    /// Whether every list begins at 0 and rises, which [`Self::rates`] takes for granted.
    pub fn is_ordered(&self) -> bool {
        let lists = [&self.default, &self.batch, &self.flex, &self.priority];
        lists.into_iter().all(|list| {
            list.first().is_none_or(|first| first.above == 0)
                && list.windows(2).all(|pair| pair[0].above < pair[1].above)
        })
    }

    fn list(&self, tier: ServiceTier) -> &[Rates] {
        match tier {
            ServiceTier::Default => &self.default,
            ServiceTier::Batch => &self.batch,
            ServiceTier::Flex => &self.flex,
            ServiceTier::Priority => &self.priority,
            ServiceTier::Other => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_hold_above_their_threshold_and_not_at_it() {
        let price: Price = serde_json::from_str(
            r#"{"default":[{"input":1,"cacheWrite1h":7},{"above":200,"input":2}],"flex":[{"input":3}]}"#,
        )
        .unwrap();
        let input = |tier, tokens| price.rates(tier, tokens).and_then(|rates| rates.input);
        assert_eq!(input(ServiceTier::Default, 0), Some(1));
        assert_eq!(input(ServiceTier::Default, 200), Some(1));
        assert_eq!(input(ServiceTier::Default, 201), Some(2));
        assert_eq!(input(ServiceTier::Flex, 201), Some(3));
        assert_eq!(input(ServiceTier::Batch, 1), None);
        assert_eq!(input(ServiceTier::Other, 1), None);
        assert_eq!(price.default[0].cache_write1h, Some(7));
    }

    #[test]
    fn lists_begin_at_zero_and_rise() {
        for (json, ordered) in [
            ("{}", true),
            (
                r#"{"default":[{},{"above":1},{"above":2}],"flex":[{}]}"#,
                true,
            ),
            (r#"{"default":[{"above":1}]}"#, false),
            (
                r#"{"default":[{}],"batch":[{},{"above":2},{"above":2}]}"#,
                false,
            ),
        ] {
            let price: Price = serde_json::from_str(json).unwrap();
            assert_eq!(price.is_ordered(), ordered, "{json}");
        }
    }

    #[test]
    fn what_is_not_known_takes_no_space() {
        assert_eq!(serde_json::to_string(&Price::default()).unwrap(), "{}");
        let free = Rates {
            input: Some(0),
            ..Rates::default()
        };
        assert_eq!(serde_json::to_string(&free).unwrap(), r#"{"input":0}"#);
    }
}
