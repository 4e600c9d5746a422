//! Embeddings (<https://ai.google.dev/api/embeddings>, and `predict` of Vertex:
//! <https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api>).
//!
//! The end of the path says which of three methods is called, and with it the shape of request and answer. Vectors are lists
//! in all of them: base64 is made of them for clients of other formats.

mod decode;
mod encode;
mod response;

use fkm_dialect::EmbeddingFormat;
use http::HeaderMap;

use crate::embedding::{
    EmbeddingCodec, EmbeddingRequest, EmbeddingResponse, EmbeddingTarget, ReplyOptions, Task,
};
use crate::error::{ClientError, DecodeError, EncodeError, ProviderError};
use crate::format::Encoded;
use crate::gemini::error;

/// The format `gemini.embed`.
#[derive(Clone, Copy, Debug)]
pub struct GeminiEmbed;

const FORMAT: EmbeddingFormat = EmbeddingFormat::GeminiEmbed;

/// The words for what vectors are for.
const TASKS: [(&str, Task); 8] = [
    ("RETRIEVAL_QUERY", Task::Query),
    ("RETRIEVAL_DOCUMENT", Task::Document),
    ("SEMANTIC_SIMILARITY", Task::Similarity),
    ("CLASSIFICATION", Task::Classification),
    ("CLUSTERING", Task::Clustering),
    ("QUESTION_ANSWERING", Task::QuestionAnswering),
    ("FACT_VERIFICATION", Task::FactVerification),
    ("CODE_RETRIEVAL_QUERY", Task::CodeQuery),
];

// === impl GeminiEmbed ===

impl EmbeddingCodec for GeminiEmbed {
    fn name(&self) -> EmbeddingFormat {
        FORMAT
    }

    fn decode_request(&self, body: &[u8]) -> Result<EmbeddingRequest, DecodeError> {
        decode::decode(body)
    }

    fn encode_request(
        &self,
        request: &EmbeddingRequest,
        target: &EmbeddingTarget<'_>,
    ) -> Result<Encoded, EncodeError> {
        encode::encode(request, target)
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
        "x-request-id"
    }
}
