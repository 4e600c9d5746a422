//! OpenAI Responses, as OpenAI and everybody who speaks it sends and takes them.
//!
//! What a model does is a list of items: messages, calls of functions, thoughts, and steps that the provider runs itself. An
//! item is one part of the representation or, for a message, one part for each piece of its content; what belongs to the
//! item as a whole goes with the first of them.

mod content;
mod drawn;
mod error;
mod found;
mod ids;
mod item;
mod links;
mod output;
mod reasoning;
mod relay;
mod request;
mod response;
mod stream;
mod types;

use bytes::Bytes;
use fkm_dialect::{Dialect, Format};
use http::HeaderMap;

use crate::error::{ClientError, DecodeError, EncodeError, ProviderError, StreamFault};
use crate::format::{Encoded, RelayOptions, ResponseFacts, StreamOptions, Target, WireFormat};
use crate::ir::{Request, Response};
use crate::kept::Ids;
use crate::links::Link;
use crate::openai_error;
use crate::relay::Relay;
use crate::scan::RequestScan;
use crate::stream::{StreamDecoder, StreamEncoder, StreamTransform};

/// The format `openai.responses`.
#[derive(Clone, Copy, Debug)]
pub struct OpenAiResponses;

const FORMAT: Format = Format::OpenAiResponses;

// === impl OpenAiResponses ===

impl WireFormat for OpenAiResponses {
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
        error::encode_frame(error)
    }

    fn request_id_header(&self) -> &'static str {
        "x-request-id"
    }

    fn response_facts(&self, body: &[u8]) -> Result<ResponseFacts, StreamFault> {
        relay::facts(body)
    }

    fn kept_ids(&self) -> Option<Ids> {
        Some(Ids::RESPONSE)
    }

    fn relay(&self, options: &RelayOptions) -> Box<dyn StreamTransform> {
        Box::new(Relay::new(relay::EventInspector::new(options)))
    }
}
