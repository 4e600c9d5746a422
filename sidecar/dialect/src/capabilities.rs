//! What a model can and cannot take, as far as the translation of a request depends on it.

use serde::{Deserialize, Serialize};

use crate::{Effort, is_default};

/// What is known of one model. The default is a model of which nothing is known: everything is sent to it as its format
/// has it, and the provider says what it thinks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one independent fact"
)]
pub struct Capabilities {
    /// Refuses `temperature`, `top_p`, `top_k` and penalties: they are left out and reported.
    #[serde(skip_serializing_if = "is_default")]
    pub no_sampling: bool,
    /// Refuses a choice that forces a tool: `auto` is sent, and reported.
    #[serde(skip_serializing_if = "is_default")]
    pub no_forced_tool: bool,
    /// Refuses a conversation that ends with the assistant's own words (prefill): such a request is refused here.
    #[serde(skip_serializing_if = "is_default")]
    pub no_prefill: bool,
    /// Takes instructions in the middle of a conversation; otherwise they are folded into a user's turn.
    #[serde(skip_serializing_if = "is_default")]
    pub mid_system: bool,
    /// Whether an answer can be held to a JSON schema natively. `Some(false)`: through a forced tool, where the format has
    /// that way; `None`: as the format has it.
    #[serde(skip_serializing_if = "is_default")]
    pub json_schema: Option<bool>,
    /// How it is told to think.
    #[serde(skip_serializing_if = "is_default")]
    pub thinking: Thinking,
    /// The efforts that it knows; empty: not known, the word is sent as it is.
    #[serde(skip_serializing_if = "is_default")]
    pub efforts: Vec<Effort>,
    /// Whether it calls tools; `None`: not known.
    #[serde(skip_serializing_if = "is_default")]
    pub tools: Option<bool>,
    /// Whether it sees images; `None`: not known.
    #[serde(skip_serializing_if = "is_default")]
    pub vision: Option<bool>,
    /// Whether it reads PDF documents; `None`: not known.
    #[serde(skip_serializing_if = "is_default")]
    pub documents: Option<bool>,
    /// Whether it hears; `None`: not known.
    #[serde(skip_serializing_if = "is_default")]
    pub audio: Option<bool>,
    /// Takes explicit marks for its prompt cache where the format has them but not every model knows them.
    #[serde(skip_serializing_if = "is_default")]
    pub cache_breakpoints: bool,
    /// Takes such marks in instructions and messages, but not among tools (Nova): there they are left out and reported.
    #[serde(skip_serializing_if = "is_default")]
    pub no_cached_tools: bool,
    /// Takes members of Anthropic's own requests beside those of a format that serves many makers (Claude on Bedrock): how it
    /// may call tools, for one.
    #[serde(skip_serializing_if = "is_default")]
    pub anthropic_fields: bool,
}

/// How a model is told to think.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Thinking {
    /// Not known: what the client said is sent as the format has it; where a format has several ways, none is guessed.
    #[default]
    Unknown,
    /// It does not think: an effort is left out and reported.
    Never,
    /// By an effort.
    Effort,
    /// By a budget of tokens.
    Budget,
    /// As it sees fit, within an effort.
    Adaptive,
    /// Always, within an effort: it cannot be turned off.
    Always,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_takes_no_space() {
        let json = serde_json::to_string(&Capabilities::default()).unwrap();
        assert_eq!(json, "{}");
        let known = Capabilities {
            no_sampling: true,
            thinking: Thinking::Adaptive,
            efforts: vec![Effort::Low, Effort::XHigh],
            tools: Some(false),
            ..Capabilities::default()
        };
        let json = serde_json::to_string(&known).unwrap();
        assert_eq!(
            json,
            r#"{"noSampling":true,"thinking":"Adaptive","efforts":["low","xhigh"],"tools":false}"#
        );
        assert_eq!(serde_json::from_str::<Capabilities>(&json).unwrap(), known);
    }
}
