//! `OpenAI`'s completions, the format before the chats: one text in, its continuation out. In the representation the text is the
//! one turn of a user, and its continuation the answer.
//!
//! *Caveats*: a conversation is no text. More than one turn, instructions, tools and images are refused, as there are many ways
//! to write them down and a model knows one. Several prompts, tokens as prompt and a text to end with (`suffix`) are kept
//! for this format; others refuse them.

mod prompt;
mod request;
mod response;
mod stream;

use bytes::Bytes;
use fkm_dialect::{Dialect, Format};
use http::HeaderMap;

use crate::error::{ClientError, DecodeError, EncodeError, ProviderError, StreamFault};
use crate::format::{Encoded, RelayOptions, ResponseFacts, StreamOptions, Target, WireFormat};
use crate::ir::{FinishReason, Request, Response};
use crate::openai_error;
use crate::openai_relay::{self, ChunkInspector, Wording};
use crate::relay::Relay;
use crate::stream::{StreamDecoder, StreamEncoder, StreamTransform};

/// The format `openai.completions`.
#[derive(Clone, Copy, Debug)]
pub struct OpenAiCompletions;

const FORMAT: Format = Format::OpenAiCompletions;

const WORDING: Wording = Wording {
    format: FORMAT,
    finish_reason,
    content: "\"text\"",
};

/// The meaning of a finish reason; `eos` is Together's.
fn finish_reason(word: &str) -> FinishReason {
    match word {
        "" | "stop" | "eos" => FinishReason::Stop,
        "length" => FinishReason::Length,
        "content_filter" => FinishReason::ContentFilter,
        name => FinishReason::Other {
            origin: FORMAT,
            name: name.to_owned(),
        },
    }
}

/// The word for a finish reason, and whether it says all.
fn finish_word(reason: &FinishReason) -> (&str, bool) {
    match reason {
        FinishReason::Stop => ("stop", true),
        FinishReason::Length => ("length", true),
        FinishReason::ContentFilter => ("content_filter", true),
        FinishReason::Other { origin, name } if *origin == FORMAT => {
            (name, finish_reason(name) == *reason)
        }
        FinishReason::StopSequence(_)
        | FinishReason::ToolCalls
        | FinishReason::Pause
        | FinishReason::Other { .. } => ("stop", false),
    }
}

// === impl OpenAiCompletions ===

impl WireFormat for OpenAiCompletions {
    fn name(&self) -> Format {
        FORMAT
    }

    fn decode_request(&self, body: &[u8]) -> Result<Request, DecodeError> {
        request::decode(body)
    }

    fn encode_request(
        &self,
        request: &Request,
        target: &Target<'_>,
    ) -> Result<Encoded, EncodeError> {
        request::encode(request, target)
    }

    fn decode_response(&self, body: &[u8]) -> Result<Response, DecodeError> {
        response::decode(body)
    }

    fn encode_response(&self, response: &Response) -> Result<Encoded, EncodeError> {
        response::encode(response)
    }

    fn stream_decoder(&self, dialect: &Dialect) -> Box<dyn StreamDecoder> {
        Box::new(stream::decoder(dialect.stream_end))
    }

    fn stream_encoder(&self, options: &StreamOptions) -> Box<dyn StreamEncoder> {
        Box::new(stream::Encoder::new(options))
    }

    fn decode_error(&self, status: u16, headers: &HeaderMap, body: &[u8]) -> ProviderError {
        openai_error::decode(status, headers, body)
    }

    fn encode_error(&self, error: &ClientError) -> Vec<u8> {
        openai_error::encode(error)
    }

    fn encode_stream_error(&self, error: &ClientError) -> Bytes {
        openai_error::encode_frame(error)
    }

    fn request_id_header(&self) -> &'static str {
        "x-request-id"
    }

    fn response_facts(&self, body: &[u8]) -> Result<ResponseFacts, StreamFault> {
        openai_relay::facts(WORDING, body)
    }

    fn relay(&self, options: &RelayOptions) -> Box<dyn StreamTransform> {
        Box::new(Relay::new(ChunkInspector::new(WORDING, options)))
    }
}
