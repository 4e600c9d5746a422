//! Reranking as Voyage has it (<https://docs.voyageai.com/reference/reranker-api>).

mod request;
mod response;

use fkm_dialect::RerankFormat;
use http::HeaderMap;

use crate::error::{ClientError, DecodeError, EncodeError, ProviderError};
use crate::format::Encoded;
use crate::openai_error;
use crate::rerank::{RerankCodec, RerankReply, RerankRequest, RerankResponse, RerankTarget};

/// The format `voyage.rerank`.
#[derive(Clone, Copy, Debug)]
pub struct VoyageRerank;

const FORMAT: RerankFormat = RerankFormat::VoyageRerank;

// === impl VoyageRerank ===

impl RerankCodec for VoyageRerank {
    fn name(&self) -> RerankFormat {
        FORMAT
    }

    fn decode_request(&self, body: &[u8]) -> Result<RerankRequest, DecodeError> {
        request::decode(body)
    }

    fn encode_request(
        &self,
        request: &RerankRequest,
        target: &RerankTarget<'_>,
    ) -> Result<Encoded, EncodeError> {
        request::encode(request, target)
    }

    fn decode_response(&self, body: &[u8]) -> Result<RerankResponse, DecodeError> {
        response::decode(body)
    }

    fn encode_response(&self, response: &RerankResponse, reply: &RerankReply) -> Encoded {
        response::encode(response, reply)
    }

    fn decode_error(&self, status: u16, headers: &HeaderMap, body: &[u8]) -> ProviderError {
        openai_error::decode(status, headers, body)
    }

    /// `{"detail": …}`.
    fn encode_error(&self, error: &ClientError) -> Vec<u8> {
        response::encode_error(error)
    }

    fn request_id_header(&self) -> &'static str {
        "x-request-id"
    }
}
