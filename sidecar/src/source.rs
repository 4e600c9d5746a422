//! What an attempt encodes: the bytes of a request, and the request in the representation once somebody needs it.

use std::sync::OnceLock;

use bytes::Bytes;
use fkm_llm::embedding::EmbeddingRequest;
use fkm_llm::rerank::RerankRequest;
use fkm_llm::{DecodeError, EmbeddingCodec, RequestScan, RerankCodec, WireFormat, ir};

/// What an attempt encodes: the request as it came, or with what is at its addresses.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    pub(crate) body: &'a Bytes,
    /// Of this body.
    pub(crate) scan: &'a RequestScan,
    pub(crate) decoded: &'a Decoded,
}

/// A request in the representation of its operation, once it is needed.
#[derive(Debug, Default)]
pub(crate) struct Decoded {
    chat: OnceLock<Result<ir::Request, DecodeError>>,
    embeddings: OnceLock<Result<EmbeddingRequest, DecodeError>>,
    rerank: OnceLock<Result<RerankRequest, DecodeError>>,
}

// === impl Source ===

impl<'a> Source<'a> {
    /// A conversation in the representation.
    pub(crate) fn chat(self, client: &dyn WireFormat) -> Result<&'a ir::Request, &'a DecodeError> {
        let decoded = &self.decoded.chat;
        decoded
            .get_or_init(|| client.decode_request(self.body))
            .as_ref()
    }

    /// What is to become vectors, in the representation.
    pub(crate) fn embeddings(
        self,
        client: &dyn EmbeddingCodec,
    ) -> Result<&'a EmbeddingRequest, &'a DecodeError> {
        let decoded = &self.decoded.embeddings;
        decoded
            .get_or_init(|| client.decode_request(self.body))
            .as_ref()
    }

    /// What is to be ranked, in the representation.
    pub(crate) fn rerank(
        self,
        client: &dyn RerankCodec,
    ) -> Result<&'a RerankRequest, &'a DecodeError> {
        let decoded = &self.decoded.rerank;
        decoded
            .get_or_init(|| client.decode_request(self.body))
            .as_ref()
    }
}
