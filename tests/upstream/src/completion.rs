//! What one answer is made from, and the choice of the format that shapes it.

use serde_json::Value;

use crate::relayed::{self, Relayed};
use crate::request::Request;
use crate::script::{Answer, Streamed, UsageChunk};
use crate::{Format, anthropic, openai, responses};

/// What an answer repeats from its request.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The format, by the path.
    pub(crate) format: Format,
    /// What is asked that is no conversation.
    relayed: Option<Relayed>,
    /// The model.
    pub(crate) model: String,
    /// Whether a stream was asked for.
    pub(crate) stream: bool,
    /// Whether `stream_options.include_usage` was said.
    pub(crate) include_usage: bool,
    /// The number of the request, which makes ids unique.
    pub(crate) number: usize,
}

// === impl Asked ===

impl Asked {
    /// What the request asks for; `None` where no format listens on its path. A body that is no JSON asks for nothing.
    pub(crate) fn of(request: &Request, number: usize) -> Option<Self> {
        let relayed = Relayed::of(request);
        // Their errors are those of its chats.
        let chat = relayed.is_some().then_some(Format::OpenAiChat);
        let format = chat.or_else(|| format_of(request.path()))?;
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let says = |name, word| relayed::field(&request.body, name).as_deref() == Some(word);
        let model = relayed::field(&request.body, "model").filter(|model| model != "null");
        Some(Self {
            format,
            relayed,
            model: model.unwrap_or_else(|| "unnamed".to_owned()),
            stream: says("stream", "true") || says("stream_format", "sse"),
            include_usage: body["stream_options"]["include_usage"] == true,
            number,
        })
    }

    /// Whether a stream of this answer carries its own usage frame (`openai.chat` only).
    pub(crate) fn wants_usage(&self, streamed: &Streamed) -> bool {
        match streamed.usage_chunk {
            UsageChunk::AsAsked => self.include_usage,
            UsageChunk::Always => true,
            UsageChunk::Never => false,
        }
    }

    /// The media type of a whole answer.
    pub(crate) fn content_type(&self) -> &'static str {
        let relayed = self.relayed.as_ref();
        relayed.map_or("application/json", Relayed::content_type)
    }

    /// The body of a whole answer.
    pub(crate) fn body(&self, answer: &Answer) -> Vec<u8> {
        if let Some(relayed) = &self.relayed {
            return relayed.body(&self.model, answer);
        }
        let value = match self.format {
            Format::OpenAiChat => openai::body(self, answer),
            Format::OpenAiResponses => responses::body(self, answer),
            Format::AnthropicMessages => anthropic::body(self, answer),
            Format::OpenAiCompletions
            | Format::BedrockConverse
            | Format::CohereChat
            | Format::GeminiGenerateContent => unspoken(),
        };
        to_bytes(&value)
    }

    /// The frames of a stream, before any cut.
    pub(crate) fn frames(&self, streamed: &Streamed) -> Vec<Vec<u8>> {
        if !streamed.frames.is_empty() {
            return streamed
                .frames
                .iter()
                .map(|frame| frame.clone().into_bytes())
                .collect();
        }
        if let Some(relayed) = &self.relayed {
            return relayed.frames(streamed);
        }
        match self.format {
            Format::OpenAiChat => openai::frames(self, streamed),
            Format::OpenAiResponses => responses::frames(self, streamed),
            Format::AnthropicMessages => anthropic::frames(streamed, self),
            Format::OpenAiCompletions
            | Format::BedrockConverse
            | Format::CohereChat
            | Format::GeminiGenerateContent => {
                vec![to_bytes(&unspoken())]
            }
        }
    }

    /// The body of an error.
    pub(crate) fn error(&self, status: u16, message: &str) -> Vec<u8> {
        let value = match self.format {
            Format::OpenAiChat | Format::OpenAiResponses => openai::error(status, message),
            Format::AnthropicMessages => anthropic::error(status, message),
            Format::OpenAiCompletions
            | Format::BedrockConverse
            | Format::CohereChat
            | Format::GeminiGenerateContent => unspoken(),
        };
        to_bytes(&value)
    }
}

/// The format that listens on a path.
fn format_of(path: &str) -> Option<Format> {
    if path.ends_with("/chat/completions") {
        Some(Format::OpenAiChat)
    } else if path.ends_with("/responses") {
        Some(Format::OpenAiResponses)
    } else if path.ends_with("/messages") {
        Some(Format::AnthropicMessages)
    } else if path.ends_with("/converse") || path.ends_with("/converse-stream") {
        Some(Format::BedrockConverse)
    } else if path.ends_with("/chat") {
        Some(Format::CohereChat)
    } else if path.ends_with(":generateContent") || path.ends_with(":streamGenerateContent") {
        Some(Format::GeminiGenerateContent)
    } else {
        None
    }
}

/// For formats whose answers are scripted byte for byte.
fn unspoken() -> Value {
    serde_json::json!({"message": "this provider answers in this format with raw bytes only"})
}

fn to_bytes(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}
