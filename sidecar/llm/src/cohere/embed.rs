//! Embeddings (<https://docs.cohere.com/v2/reference/embed>).

mod request;
mod response;

use fkm_dialect::EmbeddingFormat;
use http::HeaderMap;

use crate::cohere::error;
use crate::embedding::{
    EmbeddingCodec, EmbeddingRequest, EmbeddingResponse, EmbeddingTarget, ReplyOptions,
};
use crate::error::{ClientError, DecodeError, EncodeError, ProviderError};
use crate::format::Encoded;

/// The format `cohere.embed`.
#[derive(Clone, Copy, Debug)]
pub struct CohereEmbed;

const FORMAT: EmbeddingFormat = EmbeddingFormat::CohereEmbed;

// === impl CohereEmbed ===

impl EmbeddingCodec for CohereEmbed {
    fn name(&self) -> EmbeddingFormat {
        FORMAT
    }

    fn decode_request(&self, body: &[u8]) -> Result<EmbeddingRequest, DecodeError> {
        request::decode(body)
    }

    fn encode_request(
        &self,
        request: &EmbeddingRequest,
        target: &EmbeddingTarget<'_>,
    ) -> Result<Encoded, EncodeError> {
        request::encode(request, target)
    }

    fn decode_response(&self, body: &[u8]) -> Result<EmbeddingResponse, DecodeError> {
        response::decode(body)
    }

    fn encode_response(
        &self,
        response: &EmbeddingResponse,
        options: &ReplyOptions,
    ) -> Result<Encoded, EncodeError> {
        response::encode(response, options)
    }

    fn decode_error(&self, status: u16, headers: &HeaderMap, body: &[u8]) -> ProviderError {
        error::decode(status, headers, body)
    }

    fn encode_error(&self, error: &ClientError) -> Vec<u8> {
        error::encode(error)
    }

    fn request_id_header(&self) -> &'static str {
        error::TRACE_HEADER
    }
}
