//! How a provider departs from its format: fields that stand instead of those of the catalogue's record.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Decimal, MemberName, RequestPath};

/// Deviations from the format; each field that is given stands instead of the record's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Dialect {
    /// Appended to baseURL, for example /chat/completions. {model} stands for the model's name, percent-encoded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<RequestPath>,
    /// The path of requests that ask for a stream. Omitted: the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_path: Option<RequestPath>,
    /// The path of requests that count tokens, for clients of the same format (Anthropic's, Gemini's). Omitted: the catalogue's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count_path: Option<RequestPath>,
    /// How a key is shown: Bearer (Authorization: Bearer KEY), XApiKey (x-api-key), ApiKey (api-key, Azure), XGoogApiKey (x-goog-api-key, Google).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<DialectAuth>,
    /// The name of the output limit: AsSent (as the client has it), MaxTokens (max_tokens), MaxCompletionTokens (max_completion_tokens).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_tokens_field: Option<MaxTokensField>,
    /// Whether the usage of a stream may be asked for with stream_options.include_usage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_usage: Option<bool>,
    /// What says that a stream is complete: FinishReason, or Mark (`[DONE]` alone, for servers that send no finish reason).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream_end: Option<StreamEnd>,
    /// Members of a request that the provider refuses, for example logit_bias: left out, and told to the client in x-fkm-dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "set"))]
    pub drop: Option<Vec<MemberName>>,
    /// Members of a request that the provider knows by another name, for example seed: random_seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(extend("maxProperties" = 32))]
    pub rename: Option<BTreeMap<String, MemberName>>,
    /// Members of messages that the provider refuses, for example name: left out, and told to the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "set"))]
    pub drop_in_messages: Option<Vec<MemberName>>,
    /// Where the provider wants the thoughts of earlier answers: AsSent, ReasoningContent (reasoning_content), Reasoning (reasoning), ReasoningDetails (reasoning_details, and reasoning), Content (parts of type thinking), or Never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thoughts: Option<Thoughts>,
    /// Whether an assistant's message with tool calls must have thoughts: where the client has none, a space is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls_need_thoughts: Option<bool>,
    /// Whether role developer is understood. If not, system is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub developer_role: Option<bool>,
    /// Whether an assistant's content may be null or absent. If not, an empty text is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub null_content: Option<bool>,
    /// What the id of a tool call may be: Any, NineAlphanumerics (others are sent as a hash), or Never (none is sent; Gemini's format only).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_call_ids: Option<ToolCallIds>,
    /// The tool choice that demands a call: Required, Any, or Auto (there is none; the client is told).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required_choice: Option<RequiredChoice>,
    /// Whether strict of a function is understood. If not, it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict_tools: Option<bool>,
    /// The highest temperature, for example "1": a higher one is lowered to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_temperature: Option<Decimal>,
    /// How a place for the prompt cache is marked: Breakpoint (prompt_cache_breakpoint), or CacheControl (cache_control).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_marks: Option<CacheMarks>,
    /// In what kind of part a document is sent: AsSent (file, when translated), or DocumentUrl (document_url, which may be an address).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub documents: Option<Documents>,
    /// What a part of type input_audio holds: AsSent (an object of data and format, when translated), or Base64 (the base64 alone).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sound: Option<Sound>,
    /// Which parts may stand at an address, for the provider to fetch them: Any (as far as its format has a word for it), Images (documents are sent with their content), or Never. Where they may not, media.fetch of the pool decides whether the sidecar fetches them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_urls: Option<MediaUrls>,
}

/// How a key is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[expect(
    missing_docs,
    reason = "a documented variant would leave the structural schema"
)]
pub enum DialectAuth {
    Bearer,
    XApiKey,
    ApiKey,
    XGoogApiKey,
}

/// The name of the output limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[expect(
    missing_docs,
    reason = "a documented variant would leave the structural schema"
)]
pub enum MaxTokensField {
    AsSent,
    MaxTokens,
    MaxCompletionTokens,
}

/// What says that a stream is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[expect(
    missing_docs,
    reason = "a documented variant would leave the structural schema"
)]
pub enum StreamEnd {
    FinishReason,
    Mark,
}

/// Where thoughts go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[expect(
    missing_docs,
    reason = "a documented variant would leave the structural schema"
)]
pub enum Thoughts {
    AsSent,
    ReasoningContent,
    Reasoning,
    ReasoningDetails,
    Content,
    Never,
}

/// What the id of a tool call may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[expect(
    missing_docs,
    reason = "a documented variant would leave the structural schema"
)]
pub enum ToolCallIds {
    Any,
    NineAlphanumerics,
    Never,
}

/// The word that demands a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[expect(
    missing_docs,
    reason = "a documented variant would leave the structural schema"
)]
pub enum RequiredChoice {
    Required,
    Any,
    Auto,
}

/// How a place for the prompt cache is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[expect(
    missing_docs,
    reason = "a documented variant would leave the structural schema"
)]
pub enum CacheMarks {
    Breakpoint,
    CacheControl,
}

/// In what kind of part a document is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[expect(
    missing_docs,
    reason = "a documented variant would leave the structural schema"
)]
pub enum Documents {
    AsSent,
    DocumentUrl,
}

/// What a part of type `input_audio` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[expect(
    missing_docs,
    reason = "a documented variant would leave the structural schema"
)]
pub enum Sound {
    AsSent,
    Base64,
}

/// Which parts may stand at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[expect(
    missing_docs,
    reason = "a documented variant would leave the structural schema"
)]
pub enum MediaUrls {
    Any,
    Images,
    Never,
}
