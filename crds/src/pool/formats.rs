//! What a provider speaks besides its dialect: further formats of conversations, embeddings, reranking.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::RequestPath;

/// A further format of conversations. Keys are shown as in dialect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct SpokenFormat {
    /// OpenAIChat, OpenAICompletions, OpenAIResponses, AnthropicMessages, BedrockConverse, CohereChat, or GeminiGenerateContent.
    pub format: ChatFormat,
    /// Appended to baseURL, for example /responses. {model} stands for the model's name, percent-encoded.
    pub path: RequestPath,
    /// The path of requests that ask for a stream. Omitted: the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_path: Option<RequestPath>,
    /// The path of requests that count tokens, for AnthropicMessages and GeminiGenerateContent. Omitted: the provider does not count, and tokens are estimated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count_path: Option<RequestPath>,
}

/// How the provider makes vectors; each field that is given stands instead of the catalogue's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Embeddings {
    /// OpenAIEmbeddings, CohereEmbed, or GeminiEmbed. Omitted: the catalogue's, else OpenAIEmbeddings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<EmbeddingsFormat>,
    /// Appended to baseURL, for example /embeddings. {model} stands for the model's name. Needed where the catalogue has none of the format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<RequestPath>,
    /// Whether vectors may be asked for as base64. If not, lists are asked for, and made base64 for clients that want it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base64: Option<bool>,
    /// Whether texts may be told what they are for (input_type: query or document). If not, it is left out, and told to the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_type: Option<bool>,
    /// The name of the wanted length of vectors: Dimensions (dimensions), or OutputDimension (output_dimension).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimensions_field: Option<DimensionsField>,
    /// Whether the end user may be named (user). If not, it is left out, and told to the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<bool>,
}

/// How the provider ranks documents; each field that is given stands instead of the catalogue's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Rerank {
    /// CohereRerank (also of Jina, vLLM and others), or VoyageRerank. Omitted: the catalogue's, else CohereRerank.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<RerankFormat>,
    /// Appended to baseURL, for example /rerank. Needed where the catalogue has none of the format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<RequestPath>,
    /// Whether the provider gives documents back when asked to. If not, clients that want them get those that they sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returns_documents: Option<bool>,
}

/// A format of conversations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[expect(
    missing_docs,
    reason = "a documented variant would leave the structural schema"
)]
pub enum ChatFormat {
    OpenAIChat,
    OpenAICompletions,
    OpenAIResponses,
    AnthropicMessages,
    BedrockConverse,
    CohereChat,
    GeminiGenerateContent,
}

/// A format of embeddings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[expect(
    missing_docs,
    reason = "a documented variant would leave the structural schema"
)]
pub enum EmbeddingsFormat {
    OpenAIEmbeddings,
    CohereEmbed,
    GeminiEmbed,
}

/// The name of the wanted length of vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[expect(
    missing_docs,
    reason = "a documented variant would leave the structural schema"
)]
pub enum DimensionsField {
    Dimensions,
    OutputDimension,
}

/// A format of reranking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[expect(
    missing_docs,
    reason = "a documented variant would leave the structural schema"
)]
pub enum RerankFormat {
    CohereRerank,
    VoyageRerank,
}
