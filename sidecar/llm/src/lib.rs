//! Wire formats of LLM providers, the representation between them, and the surgical edits of pass-through.
//!
//! *Flow*: a request is either passed through ([`scan()`] once, [`edit()`] a few spans, [`WireFormat::relay`] the stream) or
//! translated: `decode_request` of the client's format, `encode_request` of the provider's, [`translate()`] the stream.
//!
//! *Guarantees*: no I/O, no clock, no randomness, no panic on data, memory bounded by [`sse::MAX_FRAME_BYTES`] and the
//! size of the input; work linear in the input however it is cut into pieces. What cannot be expressed is refused
//! ([`EncodeError`]) or reported ([`Encoded::dropped`]), never silently left out.
//!
//! *Caveats*: no format module imports another; they meet in [`ir`].
#![warn(missing_docs)]

pub mod anthropic;
pub mod bedrock;
mod client_form;
pub mod cohere;
pub mod cost;
pub mod edit;
pub mod embedding;
pub mod error;
mod fit;
pub mod fold;
mod follow;
pub mod form;
pub mod format;
pub mod gemini;
pub mod ir;
mod json;
pub mod kept;
mod links;
mod names;
pub mod openai_chat;
pub mod openai_completions;
pub mod openai_embeddings;
mod openai_error;
mod openai_head;
mod openai_relay;
pub mod openai_responses;
mod openai_usage;
mod patches;
mod registry;
mod relay;
pub mod relayed;
pub mod rerank;
pub mod scan;
mod schema;
pub mod sse;
pub mod stream;
mod thinking;
mod translate;
pub mod voyage_rerank;
mod weigh;
mod written;

pub use client_form::ClientForm;
pub use cost::{NanoUsd, cost};
pub use edit::{Edited, Edits, edit};
pub use embedding::{EmbeddingCodec, EmbeddingTarget};
pub use error::{
    ClientError, DecodeError, EncodeError, ErrorKind, ProviderError, Redactor, RetryAfter,
    StreamFault,
};
pub use fit::encode_request;
pub use fkm_dialect::{
    Auth, CacheMarks, Capabilities, Dialect, Documents, Effort, EmbeddingDialect, EmbeddingFormat,
    FailureClass, Format, MaxTokensField, MediaUrls, Medium, RequiredChoice, Sound, StreamEnd,
    Thinking, Thoughts, ToolCallIds,
};
pub use fkm_dialect::{
    Price, Rates, RelayDialect, RelayFormat, RerankDialect, RerankFormat, ServiceTier,
};
pub use follow::{inline, links_to_follow};
pub use format::{Encoded, RelayOptions, ResponseFacts, StreamOptions, Target, WireFormat};
pub use kept::Ids;
pub use links::{Content, Link};
pub use names::ToolNames;
pub use patches::Patches;
pub use registry::{client_embeddings, client_format, embedding_codec, format, rerank_codec};
pub use relayed::{AnswerKind, Relayed};
pub use rerank::{RerankCodec, RerankTarget};
pub use scan::{Member, RequestScan, ScanError, scan};
pub use stream::{Measured, Progress, StreamDecoder, StreamEncoder, StreamTransform};
pub use translate::{decode_stream, translate, translate_for};
pub use weigh::weigh;
