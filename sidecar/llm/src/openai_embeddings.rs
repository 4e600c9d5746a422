//! Embeddings as OpenAI and everybody who speaks it sends and takes them.

mod request;
mod response;

use fkm_dialect::EmbeddingFormat;
use http::HeaderMap;

use crate::embedding::{
    EmbeddingCodec, EmbeddingRequest, EmbeddingResponse, EmbeddingTarget, ReplyOptions,
};
use crate::error::{ClientError, DecodeError, EncodeError, ProviderError};
use crate::format::Encoded;
use crate::openai_error;

/// The format `openai.embeddings`.
#[derive(Clone, Copy, Debug)]
pub struct OpenAiEmbeddings;

const FORMAT: EmbeddingFormat = EmbeddingFormat::OpenAiEmbeddings;

// === impl OpenAiEmbeddings ===

impl EmbeddingCodec for OpenAiEmbeddings {
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
        openai_error::decode(status, headers, body)
    }

    fn encode_error(&self, error: &ClientError) -> Vec<u8> {
        openai_error::encode(error)
    }

    fn request_id_header(&self) -> &'static str {
        "x-request-id"
    }
}
