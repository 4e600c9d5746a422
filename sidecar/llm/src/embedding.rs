//! Embeddings: an operation of its own, with its own representation, formats and registry.
//!
//! *Flow*: `decode_request` of the client's format, `encode_request` of the provider's; `decode_response` of the provider's,
//! `encode_response` of the client's, with the vectors as the client asked for them ([`EmbeddingRequest::reply`]).
//!
//! *Guarantees*: vectors stay as they came (numbers digit for digit, base64 byte for byte) unless the client asked for
//! them otherwise. What cannot be expressed is refused or reported, as for conversations.

mod request;
mod response;
mod vector;

use fkm_dialect::{EmbeddingDialect, EmbeddingFormat};
use http::HeaderMap;

use crate::error::{ClientError, DecodeError, EncodeError, ProviderError};
use crate::format::Encoded;

pub use request::{
    EmbeddingInput, EmbeddingRequest, Encoding, ReplyOptions, Shape, Task, Truncate,
};
pub use response::{Embedding, EmbeddingResponse, Members};
pub use vector::{InvalidVector, Vector};

/// One wire format of embeddings, both ways.
///
/// *Guarantees*, tested as laws for every value that encode accepts without a drop: `decode(encode(v)) = v` for requests,
/// and for answers whose vectors are as they were asked for.
pub trait EmbeddingCodec: Send + Sync + std::fmt::Debug {
    /// Which format this is.
    fn name(&self) -> EmbeddingFormat;

    /// Whether answers of a provider of this dialect are such as these clients read.
    fn passes(&self, dialect: &EmbeddingDialect) -> bool {
        self.name() == dialect.format
    }

    /// Reads a client's request.
    fn decode_request(&self, body: &[u8]) -> Result<EmbeddingRequest, DecodeError>;

    /// Writes a request for a provider.
    fn encode_request(
        &self,
        request: &EmbeddingRequest,
        target: &EmbeddingTarget<'_>,
    ) -> Result<Encoded, EncodeError>;

    /// Reads an answer of a provider.
    fn decode_response(&self, body: &[u8]) -> Result<EmbeddingResponse, DecodeError>;

    /// Writes an answer for a client, as it asked for it.
    fn encode_response(
        &self,
        response: &EmbeddingResponse,
        options: &ReplyOptions,
    ) -> Result<Encoded, EncodeError>;

    /// Reads and classifies an answer whose status is not 2xx. Never fails: what cannot be read is classified by status.
    fn decode_error(&self, status: u16, headers: &HeaderMap, body: &[u8]) -> ProviderError;

    /// A whole error body for a client.
    fn encode_error(&self, error: &ClientError) -> Vec<u8>;

    /// The status under which a client of this format expects this error.
    fn error_status(&self, error: &ClientError) -> u16 {
        error.status.unwrap_or_else(|| error.kind.status())
    }

    /// The header in which this format carries the provider's request id.
    fn request_id_header(&self) -> &'static str;
}

/// Where a request for embeddings is encoded for.
#[derive(Clone, Copy, Debug)]
pub struct EmbeddingTarget<'a> {
    /// The model's name at the provider.
    pub model: &'a str,
    /// How the provider departs from the format.
    pub dialect: &'a EmbeddingDialect,
}
