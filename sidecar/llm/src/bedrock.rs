//! Bedrock Converse: one format for the models of many makers.
//!
//! The model and whether the answer is streamed are said by the path (`/model/MODEL/converse`, `…/converse-stream`), not by the
//! body: encode writes neither, and decode leaves [`Request::model`] empty and [`Request::stream`] false for the caller to fill
//! in. Shapes and limits are those of the service's own model, botocore's `bedrock-runtime/2023-09-30/service-2.json`.
//!
//! Streams are frames of `application/vnd.amazon.eventstream`. What the last of them says beside the usage (`trace`,
//! `serviceTier`, …) comes after the answer is complete, and is kept only when it is passed through.

mod block;
mod error;
mod frame;
mod media;
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
use crate::stream::{StreamDecoder, StreamEncoder, StreamTransform};

/// The format `bedrock.converse`.
#[derive(Clone, Copy, Debug)]
pub struct Bedrock;

const FORMAT: Format = Format::BedrockConverse;

// === impl Bedrock ===

impl WireFormat for Bedrock {
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

    fn stream_decoder(&self, _dialect: &Dialect) -> Box<dyn StreamDecoder> {
        Box::new(stream::Decoder::new())
    }

    fn stream_encoder(&self, _options: &StreamOptions) -> Box<dyn StreamEncoder> {
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

    fn error_status(&self, error: &ClientError) -> u16 {
        error::status(error)
    }

    fn stream_content_type(&self) -> &'static str {
        "application/vnd.amazon.eventstream"
    }

    fn request_id_header(&self) -> &'static str {
        "x-amzn-requestid"
    }

    fn response_facts(&self, body: &[u8]) -> Result<ResponseFacts, StreamFault> {
        relay::facts(body)
    }

    fn relay(&self, _options: &RelayOptions) -> Box<dyn StreamTransform> {
        Box::new(relay::FrameRelay::new())
    }
}
