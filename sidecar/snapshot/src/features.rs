//! What a payload needs its reader to understand, by name.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A named ability. A snapshot lists in `requires` what its content needs; a sidecar that lacks one answers Nack.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Feature(pub String);

/// The features that this build obeys. A feature is added here with the code that obeys it.
pub const FEATURES: [&str; 6] = [
    "format.anthropic.messages",
    "format.openai.chat",
    "provider.simulated",
    "strategy.priority",
    "strategy.weighted",
    "tls.ca",
];

impl Feature {
    /// Whether this build obeys it.
    pub fn is_supported(&self) -> bool {
        FEATURES.contains(&self.0.as_str())
    }
}

impl From<&str> for Feature {
    fn from(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
