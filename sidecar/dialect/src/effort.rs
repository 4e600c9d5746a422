//! How hard a model thinks, by the words that the family agrees on.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How hard a model thinks, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effort {
    /// Not at all.
    None,
    /// As little as it can.
    Minimal,
    /// Little.
    Low,
    /// Some.
    Medium,
    /// Much.
    High,
    /// More.
    XHigh,
    /// As much as it can.
    Max,
}

// === impl Effort ===

impl Effort {
    /// Every effort, from least to most.
    pub const ALL: [Self; 7] = [
        Self::None,
        Self::Minimal,
        Self::Low,
        Self::Medium,
        Self::High,
        Self::XHigh,
        Self::Max,
    ];

    /// The word on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::XHigh => "xhigh",
            Self::Max => "max",
        }
    }

    /// From the word on the wire.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|effort| effort.name() == name)
    }

    /// The tokens that a model with a budget for thinking gets, where the client named an effort. The numbers are those that
    /// gateways settled on; 0 is off.
    pub fn budget_tokens(self) -> u64 {
        match self {
            Self::None => 0,
            Self::Minimal | Self::Low => 1024,
            Self::Medium => 2048,
            Self::High => 4096,
            Self::XHigh => 8192,
            Self::Max => 16_384,
        }
    }

    /// The effort that a budget of tokens comes nearest to: the inverse of [`Self::budget_tokens`], rounded up.
    pub fn of_budget(tokens: u64) -> Self {
        match tokens {
            0 => Self::None,
            1..=1024 => Self::Low,
            1025..=2048 => Self::Medium,
            2049..=8191 => Self::High,
            8192..=16_383 => Self::XHigh,
            16_384.. => Self::Max,
        }
    }

    /// The nearest of the levels that a model knows: itself, else the next lower, else the lowest. `None` when the list
    /// is empty, which means that the levels are not known.
    pub fn nearest(self, known: &[Self]) -> Option<Self> {
        let below = known.iter().copied().filter(|level| *level <= self).max();
        below.or_else(|| known.iter().copied().min())
    }
}

impl fmt::Display for Effort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serialised_name_is_the_word_on_the_wire() {
        for effort in Effort::ALL {
            assert_eq!(serde_json::to_value(effort).unwrap(), effort.name());
            assert_eq!(Effort::from_name(effort.name()), Some(effort));
        }
        assert_eq!(Effort::from_name("enormous"), None);
    }

    #[test]
    fn budgets_and_efforts_agree() {
        for effort in Effort::ALL {
            let again = Effort::of_budget(effort.budget_tokens());
            let expected = match effort {
                Effort::Minimal => Effort::Low,
                other => other,
            };
            assert_eq!(again, expected);
        }
        assert_eq!(Effort::of_budget(u64::MAX), Effort::Max);
    }

    #[test]
    fn the_nearest_level_is_never_more_than_asked_unless_it_is_the_least() {
        let known = [Effort::Low, Effort::High];
        assert_eq!(Effort::Max.nearest(&known), Some(Effort::High));
        assert_eq!(Effort::Medium.nearest(&known), Some(Effort::Low));
        assert_eq!(Effort::None.nearest(&known), Some(Effort::Low));
        assert_eq!(Effort::Low.nearest(&[]), None);
    }
}
