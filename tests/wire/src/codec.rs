//! A format of any operation, by its stable name, with what all of them can do.

use fkm_llm::rerank_codec;

use fkm_llm::{
    ClientError, EmbeddingFormat, Format, ProviderError, RerankFormat, embedding_codec, format,
};
use http::HeaderMap;
use serde::Deserialize;

/// A format.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Codec {
    /// Of conversations.
    Chat(Format),
    /// Of embeddings.
    Embedding(EmbeddingFormat),
    /// Of rankings.
    Rerank(RerankFormat),
}

// === impl Codec ===

impl Codec {
    /// The names of all.
    pub(crate) fn names() -> Vec<&'static str> {
        let chat = Format::ALL.map(Format::name);
        let embedding = EmbeddingFormat::ALL.map(EmbeddingFormat::name);
        let rerank = RerankFormat::ALL.map(RerankFormat::name);
        chat.into_iter().chain(embedding).chain(rerank).collect()
    }

    pub(crate) fn decode_error(
        self,
        status: u16,
        headers: &HeaderMap,
        body: &[u8],
    ) -> ProviderError {
        match self {
            Self::Chat(name) => format(name).decode_error(status, headers, body),
            Self::Embedding(name) => embedding_codec(name).decode_error(status, headers, body),
            Self::Rerank(name) => rerank_codec(name).decode_error(status, headers, body),
        }
    }

    pub(crate) fn error_status(self, error: &ClientError) -> u16 {
        match self {
            Self::Chat(name) => format(name).error_status(error),
            Self::Embedding(name) => embedding_codec(name).error_status(error),
            Self::Rerank(name) => rerank_codec(name).error_status(error),
        }
    }

    pub(crate) fn encode_error(self, error: &ClientError) -> Vec<u8> {
        match self {
            Self::Chat(name) => format(name).encode_error(error),
            Self::Embedding(name) => embedding_codec(name).encode_error(error),
            Self::Rerank(name) => rerank_codec(name).encode_error(error),
        }
    }

    /// The frame that ends a stream, for what has streams.
    pub(crate) fn encode_stream_error(self, error: &ClientError) -> Option<Vec<u8>> {
        match self {
            Self::Chat(name) => Some(format(name).encode_stream_error(error).to_vec()),
            Self::Embedding(_) | Self::Rerank(_) => None,
        }
    }
}
