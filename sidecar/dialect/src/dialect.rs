//! One provider's record: its format, where it listens below the base URL, how it wants the key, what it deviates in.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Number;

use crate::deviation::{
    Auth, CacheMarks, Documents, MaxTokensField, MediaUrls, Medium, RequiredChoice, Sound,
    StreamEnd, Thoughts, ToolCallIds,
};
use crate::{Format, is_default, path_problem};

/// How a provider departs from its [`Format`].
///
/// Members of a request are named as they stand at its top level. What a record has left out is reported to the client. A
/// field that its format does not obey is a problem of the record ([`Dialect::problems`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one independent fact"
)]
pub struct Dialect {
    /// The wire format.
    pub format: Format,
    /// Appended to the base URL, with a leading slash, for example `/chat/completions`. `{model}` stands for the model's name at
    /// the provider, percent-encoded.
    pub path: String,
    /// The path of requests that ask for a stream. `None`: the same.
    #[serde(default, skip_serializing_if = "is_default")]
    pub stream_path: Option<String>,
    /// The path of requests that count a request's tokens, for clients of the same format (Anthropic, Gemini). `None`: the
    /// provider does not count.
    #[serde(default, skip_serializing_if = "is_default")]
    pub count_path: Option<String>,
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
    /// Members of a request that the provider refuses: left out.
    #[serde(default, skip_serializing_if = "is_default")]
    pub drop: BTreeSet<String>,
    /// Members of a request that the provider knows by another name: the format's to the provider's.
    #[serde(default, skip_serializing_if = "is_default")]
    pub rename: BTreeMap<String, String>,
    /// Members of each message that the provider refuses (`name`): left out.
    #[serde(default, skip_serializing_if = "is_default")]
    pub drop_in_messages: BTreeSet<String>,
    /// Where the provider wants the thoughts of earlier answers.
    #[serde(default, skip_serializing_if = "is_default")]
    pub thoughts: Thoughts,
    /// Whether an assistant's message with tool calls must have thoughts (`reasoning_content`): where the client has none, for
    /// another provider made the calls, a space is sent. Default false.
    #[serde(default, skip_serializing_if = "is_default")]
    pub calls_need_thoughts: bool,
    /// Whether role `developer` is understood. Default true. When false, `system` is sent.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub developer_role: bool,
    /// Whether an assistant's content may be `null` or absent. Default true. When false, `""` is sent.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub null_content: bool,
    /// What the id of a tool call may be.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tool_call_ids: ToolCallIds,
    /// The word for a tool choice that demands some call.
    #[serde(default, skip_serializing_if = "is_default")]
    pub required_choice: RequiredChoice,
    /// Whether `strict` of a function is understood. Default true. When false, it is left out.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub strict_tools: bool,
    /// The highest `temperature`: a higher one is lowered to it. `None`: the format's own.
    #[serde(default, skip_serializing_if = "is_default")]
    pub max_temperature: Option<Number>,
    /// How a place for the prompt cache is marked.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cache_marks: CacheMarks,
    /// In what kind of part a document is sent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub documents: Documents,
    /// What a part of type `input_audio` holds.
    #[serde(default, skip_serializing_if = "is_default")]
    pub sound: Sound,
    /// Which parts may stand at an address.
    #[serde(default, skip_serializing_if = "is_default")]
    pub media_urls: MediaUrls,
}

/// Members without which a request says nothing: no record may drop or rename them.
pub const NEEDED_MEMBERS: [&str; 3] = ["messages", "model", "stream"];

/// What stands for the model's name in a path.
pub const MODEL_IN_PATH: &str = "{model}";

// === impl Dialect ===

impl Dialect {
    /// A provider that does not depart from its format.
    pub fn new(format: Format, path: impl Into<String>, auth: Auth) -> Self {
        Self {
            format,
            path: path.into(),
            stream_path: None,
            count_path: None,
            auth,
            max_tokens_field: MaxTokensField::AsSent,
            stream_usage: true,
            stream_end: StreamEnd::FinishReason,
            drop: BTreeSet::new(),
            rename: BTreeMap::new(),
            drop_in_messages: BTreeSet::new(),
            thoughts: Thoughts::AsSent,
            calls_need_thoughts: false,
            developer_role: true,
            null_content: true,
            tool_call_ids: ToolCallIds::Any,
            required_choice: RequiredChoice::Required,
            strict_tools: true,
            max_temperature: None,
            cache_marks: CacheMarks::Breakpoint,
            documents: Documents::AsSent,
            sound: Sound::AsSent,
            media_urls: MediaUrls::Any,
        }
    }

    /// Whether the provider itself fetches what stands at an `https` address.
    pub fn takes_url_of(&self, medium: Medium) -> bool {
        let fetches = match self.media_urls {
            MediaUrls::Any => true,
            MediaUrls::Images => medium == Medium::Image,
            MediaUrls::Never => false,
        };
        // OpenAI's own words for documents are content and ids.
        let documents = self.format != Format::OpenAiChat || self.documents != Documents::AsSent;
        fetches && self.format.has_url_of(medium) && (medium == Medium::Image || documents)
    }

    /// Whether the usage of a stream can be asked for.
    pub fn asks_usage(&self) -> bool {
        self.stream_usage && !self.drop.contains("stream_options")
    }

    /// Whether the provider reads the model's name in the path.
    pub fn names_model_in_path(&self) -> bool {
        self.path.contains(MODEL_IN_PATH)
    }

    /// Whether a request of the format may have to be changed for the provider, beyond the name of the output limit.
    pub fn changes_requests(&self) -> bool {
        !(self.drop.is_empty() && self.rename.is_empty())
            || self.changes_every_message()
            || self.thoughts != Thoughts::AsSent
            || self.documents != Documents::AsSent
            || self.sound != Sound::AsSent
            || !self.developer_role
            || self.required_choice != RequiredChoice::Required
            || !self.strict_tools
            || self.max_temperature.is_some()
    }

    /// Whether messages have to be looked at whatever is in them; thoughts, role `developer`, documents and sound
    /// stand out.
    pub fn changes_every_message(&self) -> bool {
        !self.drop_in_messages.is_empty()
            || self.calls_need_thoughts
            || !self.null_content
            || self.tool_call_ids != ToolCallIds::Any
    }

    /// What is wrong with the record itself: the field, and what would be right.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        for (field, path) in [
            ("path", Some(&self.path)),
            ("streamPath", self.stream_path.as_ref()),
            ("countPath", self.count_path.as_ref()),
        ] {
            problems.extend(path.and_then(|path| path_problem(field, path)));
        }
        for name in NEEDED_MEMBERS {
            if self.drop.contains(name) {
                problems.push(("drop", format!("{name:?} cannot be left out of a request")));
            }
        }
        for (from, to) in &self.rename {
            let needed = |name: &String| NEEDED_MEMBERS.contains(&name.as_str());
            let again = self
                .rename
                .iter()
                .any(|(other, name)| name == to && other != from);
            let why = if needed(from) || needed(to) {
                "a needed member keeps its name"
            } else if self.drop.contains(from) || self.drop.contains(to) {
                "a member that is dropped has no name"
            } else if again || self.rename.contains_key(to) {
                "two members cannot have one name"
            } else {
                continue;
            };
            problems.push(("rename", format!("{from:?} to {to:?}: {why}")));
        }
        let names_thoughts = matches!(
            self.thoughts,
            Thoughts::ReasoningContent | Thoughts::Reasoning | Thoughts::ReasoningDetails
        );
        if self.calls_need_thoughts && !names_thoughts {
            let message = "thoughts must say under which name".to_owned();
            problems.push(("callsNeedThoughts", message));
        }
        for name in ["content", "role", "tool_calls", "tool_call_id"] {
            if self.drop_in_messages.contains(name) {
                let message = format!("{name:?} cannot be left out of a message");
                problems.push(("dropInMessages", message));
            }
        }
        problems.extend(self.not_obeyed());
        problems
    }

    /// The fields that say something which the format does not obey.
    fn not_obeyed(&self) -> Vec<(&'static str, String)> {
        let chat = self.format == Format::OpenAiChat;
        let completions = self.format == Format::OpenAiCompletions;
        let plain = Self::new(self.format, "/", self.auth);
        let said = [
            (
                "maxTokensField",
                chat,
                self.max_tokens_field != plain.max_tokens_field,
            ),
            ("streamUsage", chat || completions, !self.stream_usage),
            (
                "streamEnd",
                chat || completions,
                self.stream_end != plain.stream_end,
            ),
            ("countPath", self.format.counts(), self.count_path.is_some()),
            ("dropInMessages", chat, !self.drop_in_messages.is_empty()),
            ("thoughts", chat, self.thoughts != plain.thoughts),
            ("callsNeedThoughts", chat, self.calls_need_thoughts),
            ("developerRole", chat, !self.developer_role),
            ("nullContent", chat, !self.null_content),
            (
                "toolCallIds",
                match self.tool_call_ids {
                    ToolCallIds::Any => true,
                    ToolCallIds::NineAlphanumerics => chat,
                    ToolCallIds::Never => self.format == Format::GeminiGenerateContent,
                },
                self.tool_call_ids != plain.tool_call_ids,
            ),
            (
                "requiredChoice",
                chat,
                self.required_choice != plain.required_choice,
            ),
            ("strictTools", chat, !self.strict_tools),
            ("maxTemperature", chat, self.max_temperature.is_some()),
            ("cacheMarks", chat, self.cache_marks != plain.cache_marks),
            ("documents", chat, self.documents != plain.documents),
            ("sound", chat, self.sound != plain.sound),
            (
                "mediaUrls",
                match self.media_urls {
                    MediaUrls::Any => true,
                    MediaUrls::Images => self.format.has_url_of(Medium::Document),
                    MediaUrls::Never => self.format.has_url_of(Medium::Image),
                },
                self.media_urls != plain.media_urls,
            ),
        ];
        let lost = said
            .into_iter()
            .filter(|(_, obeyed, said)| *said && !obeyed);
        lost.map(|(field, ..)| {
            let format = self.format;
            (
                field,
                format!("format {format} has nothing of the kind; leave it out"),
            )
        })
        .collect()
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

#[cfg(test)]
mod tests;
