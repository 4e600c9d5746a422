//! Gemini generateContent, of Google AI Studio and of Vertex.
//!
//! *Caveats*: the model and whether the answer is streamed are in the path (`models/{model}:generateContent`,
//! `:streamGenerateContent?alt=sse`), not in the body. [`crate::WireFormat::decode_request`] leaves `model` empty unless the
//! body names one, and `stream` false; whoever routes the request knows both. `encode_request` writes neither.
//!
//! Names of members are taken in both forms of Protocol Buffers' JSON (`generationConfig`, `generation_config`), and written
//! in the first.

mod citation;
pub mod embed;
mod error;
mod finish;
mod links;
mod media;
mod part;
mod relay;
mod request;
mod response;
mod schema;
mod stream;
mod tool_result;
mod types;

use bytes::Bytes;
use fkm_dialect::{Dialect, Format};
use http::HeaderMap;

use crate::error::{ClientError, DecodeError, EncodeError, ProviderError, StreamFault};
use crate::format::{Encoded, RelayOptions, ResponseFacts, StreamOptions, Target, WireFormat};
use crate::ir::{Request, Response};
use crate::links::Link;
use crate::scan::RequestScan;
use crate::stream::{StreamDecoder, StreamEncoder, StreamTransform};

/// The format `gemini.generate_content`.
#[derive(Clone, Copy, Debug)]
pub struct Gemini;

const FORMAT: Format = Format::GeminiGenerateContent;

// === impl Gemini ===

impl WireFormat for Gemini {
    fn name(&self) -> Format {
        FORMAT
    }

    fn choices(&self, body: &[u8], scan: &RequestScan) -> u32 {
        request::choices(body, scan)
    }

    fn decode_request(&self, body: &[u8]) -> Result<Request, DecodeError> {
        request::decode(body)
    }

    fn links(&self, text: &str, scan: &RequestScan) -> Vec<Link> {
        links::links(text, scan)
    }

    fn takes_link(&self, link: &Link, dialect: &Dialect) -> bool {
        dialect.takes_url_of(link.medium) && media::tells_type(link)
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
        Box::new(stream::Decoder::new())
    }

    fn stream_encoder(&self, options: &StreamOptions) -> Box<dyn StreamEncoder> {
        Box::new(stream::Encoder::new(options))
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

    /// The providers themselves send none: `responseId` in the body is all there is.
    fn request_id_header(&self) -> &'static str {
        "x-request-id"
    }

    fn response_facts(&self, body: &[u8]) -> Result<ResponseFacts, StreamFault> {
        relay::facts(body)
    }

    fn relay(&self, options: &RelayOptions) -> Box<dyn StreamTransform> {
        Box::new(relay::StreamRelay::new(options))
    }
}
