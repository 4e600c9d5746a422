//! Formats of every operation behind one type, as far as the steps need them; and a client's together with a provider's.

use bytes::Bytes;
use fkm_llm::{
    ClientError, ClientForm, Dialect, EmbeddingCodec, EmbeddingDialect, ProviderError,
    RelayDialect, Relayed, RequestScan, RerankCodec, RerankDialect, WireFormat, client_embeddings,
    client_format, embedding_codec, rerank_codec,
};
use fkm_snapshot::AnyFormat;
use http::HeaderMap;

use crate::runtime::Speaks;

/// The implementation of a format.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Codec {
    Chat(&'static dyn WireFormat),
    Embeddings(&'static dyn EmbeddingCodec),
    Rerank(&'static dyn RerankCodec),
    Relayed(Relayed),
}

/// The format of a client and how a provider speaks, of the same operation.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pair<'a> {
    Chat(&'static dyn WireFormat, &'a Dialect),
    Embeddings(&'static dyn EmbeddingCodec, &'a EmbeddingDialect),
    Rerank(&'static dyn RerankCodec, &'a RerankDialect),
    Relayed(Relayed, &'a RelayDialect),
}

// === impl Codec ===

impl Codec {
    pub(crate) fn of(format: AnyFormat) -> Self {
        match format {
            AnyFormat::Chat(format) => Self::Chat(fkm_llm::format(format)),
            AnyFormat::Embeddings(format) => Self::Embeddings(embedding_codec(format)),
            AnyFormat::Rerank(format) => Self::Rerank(rerank_codec(format)),
            AnyFormat::Relayed(format) => Self::Relayed(Relayed(format)),
        }
    }

    /// As clients of this form read it.
    pub(crate) fn for_client(format: AnyFormat, form: ClientForm) -> Self {
        match format {
            AnyFormat::Chat(format) => Self::Chat(client_format(format, form)),
            AnyFormat::Embeddings(format) => Self::Embeddings(client_embeddings(format, form)),
            AnyFormat::Rerank(_) | AnyFormat::Relayed(_) => Self::of(format),
        }
    }

    pub(crate) fn name(self) -> AnyFormat {
        match self {
            Self::Chat(format) => AnyFormat::Chat(format.name()),
            Self::Embeddings(format) => AnyFormat::Embeddings(format.name()),
            Self::Rerank(format) => AnyFormat::Rerank(format.name()),
            Self::Relayed(Relayed(format)) => AnyFormat::Relayed(format),
        }
    }

    /// As many choices as a request asks for.
    pub(crate) fn choices(self, body: &[u8], scan: &RequestScan) -> u32 {
        match self {
            Self::Chat(format) => format.choices(body, scan),
            Self::Embeddings(_) | Self::Rerank(_) => 1,
            Self::Relayed(_) => scan.n.unwrap_or(1),
        }
    }

    pub(crate) fn decode_error(
        self,
        status: u16,
        headers: &HeaderMap,
        body: &[u8],
    ) -> ProviderError {
        match self {
            Self::Chat(format) => format.decode_error(status, headers, body),
            Self::Embeddings(format) => format.decode_error(status, headers, body),
            Self::Rerank(format) => format.decode_error(status, headers, body),
            Self::Relayed(format) => format.decode_error(status, headers, body),
        }
    }

    pub(crate) fn encode_error(self, error: &ClientError) -> Vec<u8> {
        match self {
            Self::Chat(format) => format.encode_error(error),
            Self::Embeddings(format) => format.encode_error(error),
            Self::Rerank(format) => format.encode_error(error),
            Self::Relayed(format) => format.encode_error(error),
        }
    }

    /// The frame that ends a stream with an error. Vectors and rankings do not stream.
    pub(crate) fn encode_stream_error(self, error: &ClientError) -> Bytes {
        match self {
            Self::Chat(format) => format.encode_stream_error(error),
            Self::Relayed(format) => format.encode_stream_error(error),
            Self::Embeddings(_) | Self::Rerank(_) => Bytes::new(),
        }
    }

    pub(crate) fn error_status(self, error: &ClientError) -> u16 {
        match self {
            Self::Chat(format) => format.error_status(error),
            Self::Embeddings(format) => format.error_status(error),
            Self::Rerank(format) => format.error_status(error),
            Self::Relayed(format) => format.error_status(error),
        }
    }

    pub(crate) fn request_id_header(self) -> &'static str {
        match self {
            Self::Chat(format) => format.request_id_header(),
            Self::Embeddings(format) => format.request_id_header(),
            Self::Rerank(format) => format.request_id_header(),
            Self::Relayed(format) => format.request_id_header(),
        }
    }

    /// The media type of a stream.
    pub(crate) fn stream_content_type(self) -> &'static str {
        match self {
            Self::Chat(format) => format.stream_content_type(),
            Self::Embeddings(_) | Self::Rerank(_) | Self::Relayed(_) => "text/event-stream",
        }
    }
}

// === impl Pair ===

impl<'a> Pair<'a> {
    /// `None` where they are of different operations.
    pub(crate) fn of(client: Codec, provider: &'a Speaks) -> Option<Self> {
        match (client, provider) {
            (Codec::Chat(client), Speaks::Chat(dialect)) => Some(Self::Chat(client, dialect)),
            (Codec::Embeddings(client), Speaks::Embeddings(dialect)) => {
                Some(Self::Embeddings(client, dialect))
            }
            (Codec::Rerank(client), Speaks::Rerank(dialect)) => Some(Self::Rerank(client, dialect)),
            (Codec::Relayed(client), Speaks::Relayed(dialect)) if client.0 == dialect.format => {
                Some(Self::Relayed(client, dialect))
            }
            _ => None,
        }
    }

    /// The provider's format.
    pub(crate) fn provider(&self) -> Codec {
        match self {
            Self::Chat(_, dialect) => Codec::Chat(fkm_llm::format(dialect.format)),
            Self::Embeddings(_, dialect) => Codec::Embeddings(embedding_codec(dialect.format)),
            Self::Rerank(_, dialect) => Codec::Rerank(rerank_codec(dialect.format)),
            Self::Relayed(client, _) => Codec::Relayed(*client),
        }
    }
}
