//! Which module implements which format. The formats do not know of each other, nor of this list.

use fkm_dialect::{EmbeddingFormat, Format, RerankFormat};

use crate::anthropic::Anthropic;
use crate::bedrock::Bedrock;
use crate::client_form::ClientForm;
use crate::cohere::{Cohere, CohereEmbed, CohereRerank};
use crate::embedding::EmbeddingCodec;
use crate::format::WireFormat;
use crate::gemini::Gemini;
use crate::gemini::embed::GeminiEmbed;
use crate::openai_chat::OpenAiChat;
use crate::openai_completions::OpenAiCompletions;
use crate::openai_embeddings::OpenAiEmbeddings;
use crate::openai_responses::OpenAiResponses;
use crate::rerank::RerankCodec;
use crate::voyage_rerank::VoyageRerank;

/// The implementation of a format of conversations.
pub fn format(format: Format) -> &'static dyn WireFormat {
    match format {
        Format::OpenAiChat => &OpenAiChat::PLAIN,
        Format::OpenAiCompletions => &OpenAiCompletions,
        Format::OpenAiResponses => &OpenAiResponses,
        Format::AnthropicMessages => &Anthropic,
        Format::BedrockConverse => &Bedrock,
        Format::CohereChat => &Cohere,
        Format::GeminiGenerateContent => &Gemini,
    }
}

/// The implementation of a format of embeddings.
pub fn embedding_codec(format: EmbeddingFormat) -> &'static dyn EmbeddingCodec {
    match format {
        EmbeddingFormat::CohereEmbed => &CohereEmbed,
        EmbeddingFormat::GeminiEmbed => &GeminiEmbed,
        EmbeddingFormat::OpenAiEmbeddings => &OpenAiEmbeddings::PLAIN,
    }
}

/// The same for clients who read it in a form of their own; as everybody else does where the format has no such form.
pub fn client_format(name: Format, form: ClientForm) -> &'static dyn WireFormat {
    match (name, form) {
        (Format::OpenAiChat, ClientForm::Mistral) => &OpenAiChat::MISTRAL,
        (name, _) => format(name),
    }
}

/// As [`client_format`], of embeddings.
pub fn client_embeddings(name: EmbeddingFormat, form: ClientForm) -> &'static dyn EmbeddingCodec {
    match (name, form) {
        (EmbeddingFormat::OpenAiEmbeddings, ClientForm::Mistral) => &OpenAiEmbeddings::MISTRAL,
        (EmbeddingFormat::OpenAiEmbeddings, ClientForm::Voyage) => &OpenAiEmbeddings::VOYAGE,
        (name, _) => embedding_codec(name),
    }
}

/// The implementation of a format of reranking.
pub fn rerank_codec(format: RerankFormat) -> &'static dyn RerankCodec {
    match format {
        RerankFormat::CohereRerank => &CohereRerank,
        RerankFormat::VoyageRerank => &VoyageRerank,
    }
}
