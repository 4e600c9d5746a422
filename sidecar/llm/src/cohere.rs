//! Cohere's chat, version 2 (<https://docs.cohere.com/v2/reference/chat>).

mod citation;
mod content;
mod embed;
mod error;
mod links;
mod message;
mod meta;
mod relay;
mod request;
mod rerank;
mod response;
mod stream;
mod tool_call;
mod types;

use bytes::Bytes;
use fkm_dialect::{Dialect, Format};
use http::HeaderMap;

use crate::error::{ClientError, DecodeError, EncodeError, ProviderError, StreamFault};
use crate::format::{Encoded, RelayOptions, ResponseFacts, StreamOptions, Target, WireFormat};
use crate::ir::{Request, Response};
use crate::links::Link;
use crate::relay::Relay;
use crate::scan::RequestScan;
use crate::stream::{StreamDecoder, StreamEncoder, StreamTransform};

pub use embed::CohereEmbed;
pub use rerank::CohereRerank;

/// The format `cohere.chat`.
#[derive(Clone, Copy, Debug)]
pub struct Cohere;

const FORMAT: Format = Format::CohereChat;

/// Who reads what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    /// Takes back only what it made itself.
    Provider,
    /// Keeps the state of whatever provider.
    Client,
}

// === impl Cohere ===

impl WireFormat for Cohere {
    fn name(&self) -> Format {
        FORMAT
    }

    fn decode_request(&self, body: &[u8]) -> Result<Request, DecodeError> {
        request::decode(body)
    }

    fn links(&self, text: &str, scan: &RequestScan) -> Vec<Link> {
        links::links(text, scan)
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

    fn stream_decoder(&self, _dialect: &Dialect) -> Box<dyn StreamDecoder> {
        Box::new(stream::decoder())
    }

    fn stream_encoder(&self, _options: &StreamOptions) -> Box<dyn StreamEncoder> {
        // Its streams always tell their usage, and never a model or a time.
        Box::new(stream::Encoder::new())
    }

    fn decode_error(&self, status: u16, headers: &HeaderMap, body: &[u8]) -> ProviderError {
        error::decode(status, headers, body)
    }

    fn encode_error(&self, error: &ClientError) -> Vec<u8> {
        error::encode(error)
    }

    fn encode_stream_error(&self, error: &ClientError) -> Bytes {
        error::encode_frame(error)
    }

    fn request_id_header(&self) -> &'static str {
        error::TRACE_HEADER
    }

    fn response_facts(&self, body: &[u8]) -> Result<ResponseFacts, StreamFault> {
        relay::facts(body)
    }

    fn relay(&self, _options: &RelayOptions) -> Box<dyn StreamTransform> {
        Box::new(Relay::new(relay::EventInspector::new()))
    }
}
