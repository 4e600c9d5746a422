//! One provider's record: its format, where it listens below the base URL, how it wants the key, what it deviates in.

use serde::{Deserialize, Serialize};

use crate::{Format, is_default};

/// How a provider departs from its [`Format`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Dialect {
    /// The wire format.
    pub format: Format,
    /// Appended to the base URL, with a leading slash, for example `/chat/completions`.
    pub path: String,
    /// How the credential is shown.
    pub auth: Auth,
    /// The name under which the output limit is sent (formats that know only one name ignore it).
    #[serde(default, skip_serializing_if = "is_default")]
    pub max_tokens_field: MaxTokensField,
    /// Whether `stream_options.include_usage` is understood. Default true. When false, it is never sent, and the usage
    /// of a stream is what the provider volunteers.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub stream_usage: bool,
    /// What says that a stream is complete.
    #[serde(default, skip_serializing_if = "is_default")]
    pub stream_end: StreamEnd,
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

/// How a credential is shown to the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Auth {
    /// `Authorization: Bearer KEY`.
    Bearer,
    /// `x-api-key: KEY` (Anthropic).
    XApiKey,
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

// === impl Dialect ===

impl Dialect {
    /// A provider that does not depart from its format.
    pub fn new(format: Format, path: impl Into<String>, auth: Auth) -> Self {
        Self {
            format,
            path: path.into(),
            auth,
            max_tokens_field: MaxTokensField::AsSent,
            stream_usage: true,
            stream_end: StreamEnd::FinishReason,
        }
    }
}

fn yes() -> bool {
    true
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn is_yes(value: &bool) -> bool {
    *value
}
