//! What one answer is made from, and the choice of the format that shapes it.

use serde_json::Value;

use crate::request::Request;
use crate::script::{Answer, Streamed, UsageChunk};
use crate::{Format, anthropic, openai, responses};

/// What an answer repeats from its request.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// The format, by the path.
    pub(crate) format: Format,
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
        let format = format_of(request.path())?;
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        Some(Self {
            format,
            model: body["model"].as_str().unwrap_or("unnamed").to_owned(),
            stream: body["stream"] == true,
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

    /// The body of a whole answer.
    pub(crate) fn body(&self, answer: &Answer) -> Vec<u8> {
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
