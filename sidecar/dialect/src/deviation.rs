//! The ways in which members of a family differ, one enum each.

use serde::{Deserialize, Serialize};

/// How a credential is shown to the provider: always in a header, never in the query, which logs keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Auth {
    /// `Authorization: Bearer KEY`.
    Bearer,
    /// `x-api-key: KEY` (Anthropic).
    XApiKey,
    /// `api-key: KEY` (Azure).
    ApiKey,
    /// `x-goog-api-key: KEY` (Google).
    XGoogApiKey,
}

/// The name of the output limit in OpenAI-shaped requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MaxTokensField {
    /// Whatever the client used; `max_completion_tokens` when translated from another format. The default.
    #[default]
    AsSent,
    /// Always `max_tokens`: servers that ignore or refuse the newer name.
    MaxTokens,
    /// Always `max_completion_tokens`.
    MaxCompletionTokens,
}

/// What says that a stream is complete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum StreamEnd {
    /// The finish reason of every choice; the mark of the end alone is none. The default.
    #[default]
    FinishReason,
    /// The mark of the end (`[DONE]`), after at least one choice: servers that send no finish reason. Without the mark the
    /// stream is still incomplete.
    Mark,
}

/// Where an OpenAI-shaped provider wants the thoughts of earlier answers, which clients send back in messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Thoughts {
    /// Where the client has them; `reasoning_content` for the text and `reasoning_details` for the state when translated.
    /// The default.
    #[default]
    AsSent,
    /// As text in `reasoning_content`.
    ReasoningContent,
    /// As text in `reasoning`.
    Reasoning,
    /// With their state in `reasoning_details`, and as text in `reasoning`.
    ReasoningDetails,
    /// As parts of type `thinking` in `content` (Mistral). Passed through, parts stay and other members are left out.
    Content,
    /// Nowhere: the provider refuses such members.
    Never,
}

/// What the id of a tool call may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToolCallIds {
    /// Anything. The default.
    #[default]
    Any,
    /// Nine ASCII letters and digits (Mistral): others are sent as a hash, in calls and results alike. For `openai.chat`.
    NineAlphanumerics,
    /// None: the provider refuses the member (Vertex). Results are sent in the order of the calls, by which they are told apart.
    /// For `gemini.generate_content`.
    Never,
}

/// The word for a tool choice that demands some call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RequiredChoice {
    /// `required`. The default.
    #[default]
    Required,
    /// `any`.
    Any,
    /// There is none: `auto` is sent, and reported.
    Auto,
}

/// In what kind of part of a message a document is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Documents {
    /// As the client has it; `file`, with its content, when translated. The default.
    #[default]
    AsSent,
    /// `document_url`, with an address or with its content as a `data:` address, and `document_name` (Mistral).
    DocumentUrl,
}

/// What a part of type `input_audio` holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sound {
    /// What the client sends; an object of `data` and `format` when translated. The default.
    #[default]
    AsSent,
    /// The base64 alone, as a string (Mistral, which hears what format it is).
    Base64,
}

/// Which parts of a message may stand at an address, for the provider to fetch them. What its format has no word for stays
/// out of the question: images in Bedrock's, documents in most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaUrls {
    /// Whatever the format has a word for. The default.
    #[default]
    Any,
    /// Images; documents are sent with their content.
    Images,
    /// None: the provider fetches nothing.
    Never,
}

/// What may stand at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Medium {
    /// An image.
    Image,
    /// A document.
    Document,
}

/// How a place for the prompt cache is marked in a part of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum CacheMarks {
    /// `prompt_cache_breakpoint`, for models that take it. The default.
    #[default]
    Breakpoint,
    /// `cache_control`, as Anthropic has it.
    CacheControl,
}
