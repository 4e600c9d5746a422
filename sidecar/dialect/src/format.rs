//! The wire formats that the product speaks, by their stable names.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Medium;

/// The shape of a request, its answer and its stream on the wire.
///
/// The serialised names are part of the snapshot, of logs and of metrics; they never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Format {
    /// `POST …/chat/completions` of OpenAI and of everybody who speaks it.
    #[serde(rename = "openai.chat")]
    OpenAiChat,
    /// `POST …/completions` of OpenAI, the format before the chats: a text in, its continuation out.
    #[serde(rename = "openai.completions")]
    OpenAiCompletions,
    /// `POST …/responses` of OpenAI and of everybody who speaks it.
    #[serde(rename = "openai.responses")]
    OpenAiResponses,
    /// `POST …/v1/messages` of Anthropic.
    #[serde(rename = "anthropic.messages")]
    AnthropicMessages,
    /// `POST /model/MODEL/converse` and `/converse-stream` of Bedrock: the path names the model and whether it streams.
    #[serde(rename = "bedrock.converse")]
    BedrockConverse,
    /// `POST …/v2/chat` of Cohere.
    #[serde(rename = "cohere.chat")]
    CohereChat,
    /// `POST …/models/{model}:generateContent` and `:streamGenerateContent` of Google AI Studio and of Vertex.
    #[serde(rename = "gemini.generate_content")]
    GeminiGenerateContent,
}

impl Format {
    /// Every format, in the order of their names.
    pub const ALL: [Self; 7] = [
        Self::AnthropicMessages,
        Self::BedrockConverse,
        Self::CohereChat,
        Self::GeminiGenerateContent,
        Self::OpenAiChat,
        Self::OpenAiCompletions,
        Self::OpenAiResponses,
    ];

    /// The stable name, for example `openai.chat`.
    pub fn name(self) -> &'static str {
        match self {
            Self::OpenAiChat => "openai.chat",
            Self::OpenAiCompletions => "openai.completions",
            Self::OpenAiResponses => "openai.responses",
            Self::AnthropicMessages => "anthropic.messages",
            Self::BedrockConverse => "bedrock.converse",
            Self::CohereChat => "cohere.chat",
            Self::GeminiGenerateContent => "gemini.generate_content",
        }
    }
}

impl Format {
    /// Whether it can ask for any JSON object, without a schema; or can neither ask for JSON nor force a tool.
    pub fn has_json_mode(self) -> bool {
        match self {
            Self::OpenAiChat
            | Self::OpenAiCompletions
            | Self::OpenAiResponses
            | Self::CohereChat
            | Self::GeminiGenerateContent => true,
            Self::AnthropicMessages | Self::BedrockConverse => false,
        }
    }

    /// Whether it has a word for what stands at an `https` address.
    pub fn has_url_of(self, medium: Medium) -> bool {
        match self {
            Self::OpenAiChat
            | Self::OpenAiResponses
            | Self::AnthropicMessages
            | Self::GeminiGenerateContent => true,
            Self::CohereChat => medium == Medium::Image,
            Self::BedrockConverse | Self::OpenAiCompletions => false,
        }
    }

    /// Whether its clients can ask how many tokens a request holds.
    pub fn counts(self) -> bool {
        matches!(
            self,
            Self::AnthropicMessages | Self::GeminiGenerateContent | Self::OpenAiResponses
        )
    }

    /// Whether its providers give state with a tool call that must come back with that very call. In formats without a place
    /// for it, it travels as a hidden thought before the call.
    pub fn ties_state_to_calls(self) -> bool {
        match self {
            Self::OpenAiChat
            | Self::OpenAiCompletions
            | Self::OpenAiResponses
            | Self::AnthropicMessages
            | Self::BedrockConverse
            | Self::CohereChat => false,
            Self::GeminiGenerateContent => true,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serialised_name_is_the_stable_name() {
        for format in Format::ALL {
            let json = serde_json::to_value(format).unwrap();
            assert_eq!(json, serde_json::Value::from(format.name()));
        }
    }
}
