//! Embeddings as OpenAI and everybody who speaks it sends and takes them.

mod form;
mod request;
mod response;

use fkm_dialect::{EmbeddingDialect, EmbeddingFormat};
use http::HeaderMap;

use crate::embedding::{
    EmbeddingCodec, EmbeddingRequest, EmbeddingResponse, EmbeddingTarget, ReplyOptions,
};
use crate::error::{ClientError, DecodeError, EncodeError, ProviderError};
use crate::format::Encoded;
use crate::openai_embeddings::form::Form;
use crate::openai_error;

/// The format `openai.embeddings`, as a family of clients has it.
#[derive(Clone, Copy, Debug)]
pub struct OpenAiEmbeddings {
    form: &'static Form,
}

const FORMAT: EmbeddingFormat = EmbeddingFormat::OpenAiEmbeddings;

// === impl OpenAiEmbeddings ===

impl OpenAiEmbeddings {
    /// As OpenAI's clients have it, and as every provider speaks it.
    pub const PLAIN: Self = Self { form: &Form::PLAIN };

    /// As Mistral's clients have it.
    pub const MISTRAL: Self = Self {
        form: &Form::MISTRAL,
    };

    /// As Voyage's clients have it.
    pub const VOYAGE: Self = Self {
        form: &Form::VOYAGE,
    };
}

impl EmbeddingCodec for OpenAiEmbeddings {
    fn name(&self) -> EmbeddingFormat {
        FORMAT
    }

    /// What all clients of a form find in an answer, not every provider gives.
    fn passes(&self, dialect: &EmbeddingDialect) -> bool {
        dialect.format == FORMAT && !self.form.id
    }

    fn decode_request(&self, body: &[u8]) -> Result<EmbeddingRequest, DecodeError> {
        request::decode(body, self.form)
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
        response::encode(response, options, self.form)
    }

    fn decode_error(&self, status: u16, headers: &HeaderMap, body: &[u8]) -> ProviderError {
        openai_error::decode(status, headers, body)
    }

    fn encode_error(&self, error: &ClientError) -> Vec<u8> {
        openai_error::encode_as(error, self.form.error)
    }

    fn request_id_header(&self) -> &'static str {
        self.form.request_id
    }
}
