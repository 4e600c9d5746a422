//! A request for one more turn.

use std::collections::BTreeMap;

use fkm_dialect::Effort;
use serde_json::Number;

use crate::ir::message::{canonical_output, retain_input};
use crate::ir::{CacheMark, Extra, InputPart, Message, Opaque, RawJson, Text};

/// A request, independent of its wire format.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The model's name as the client sent it.
    pub model: String,
    /// Instructions before the conversation.
    pub system: Vec<Text>,
    /// The conversation.
    pub messages: Vec<Message>,
    /// What the model may call.
    pub tools: Vec<Tool>,
    /// Whether and what it must call.
    pub tool_choice: Option<ToolChoice>,
    /// Whether it may call several at once; `None`: the provider's default.
    pub parallel_tool_calls: Option<bool>,
    /// How it draws.
    pub sampling: Sampling,
    /// The most tokens to write; `None`: the provider's default.
    pub max_output_tokens: Option<u64>,
    /// Texts that end the answer.
    pub stop: Vec<String>,
    /// The shape of the answer; `None`: free text.
    pub response_format: Option<ResponseFormat>,
    /// How many answers (`n`); `None`: one.
    pub choices: Option<u32>,
    /// Whether the answer is streamed.
    pub stream: bool,
    /// Whether a stream tells its usage, where the client can choose.
    pub include_usage: bool,
    /// How hard to think.
    pub effort: Option<Effort>,
    /// The most tokens to think, where the client gave a number; 0: not at all.
    pub thinking_budget: Option<u64>,
    /// The end user, as the application names him.
    pub user: Option<String>,
    /// What the application keeps with the request, by name.
    pub metadata: BTreeMap<String, String>,
    /// Other members of `stream_options`.
    pub stream_options: Extra,
    /// Unknown members.
    pub extra: Extra,
}

/// How a model draws its words. `None`: the provider's default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sampling {
    /// 0 is greedy.
    pub temperature: Option<Number>,
    /// Nucleus.
    pub top_p: Option<Number>,
    /// The most likely so many.
    pub top_k: Option<u64>,
    /// Against words by how often they came.
    pub frequency_penalty: Option<Number>,
    /// Against words that came at all.
    pub presence_penalty: Option<Number>,
    /// For repeatable draws.
    pub seed: Option<Number>,
}

/// Something that a model may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tool {
    /// A function that the client runs.
    Function(FunctionTool),
    /// Another kind (run by the provider, or with free text as input), as JSON.
    Opaque(Opaque),
}

/// A function that the client runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FunctionTool {
    /// Its name.
    pub name: String,
    /// What it does.
    pub description: Option<String>,
    /// JSON schema of its arguments.
    pub parameters: Option<RawJson>,
    /// Whether arguments are held to the schema.
    pub strict: Option<bool>,
    /// A prompt cache may end here.
    pub cache: Option<CacheMark>,
    /// Unknown members.
    pub extra: Extra,
}

/// Whether and what a model must call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolChoice {
    /// As it likes.
    Auto,
    /// Nothing.
    None,
    /// At least one of them.
    Required,
    /// This one.
    Function(String),
    /// Another kind, as JSON.
    Opaque(Opaque),
}

/// The shape of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResponseFormat {
    /// Any JSON object.
    JsonObject,
    /// JSON that follows a schema.
    JsonSchema(JsonSchema),
    /// Another kind, as JSON.
    Opaque(Opaque),
}

/// A schema for the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JsonSchema {
    /// Its name, where the format has one.
    pub name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The schema.
    pub schema: Option<RawJson>,
    /// Whether the answer is held to it.
    pub strict: Option<bool>,
}

// === impl Request ===

impl Request {
    /// The one way to say the same: what decode gives.
    ///
    /// Leading instructions are in `system`; results of neighbouring tool turns are in one turn; arguments are trimmed
    /// JSON (`{}` for none); neighbouring plain thoughts are one; empty texts are gone, and so are empty turns (but for a
    /// user's that follows no results); what is only a default is `None`; a function without parameters has an empty schema.
    #[must_use]
    pub fn canonical(mut self) -> Self {
        let mut messages: Vec<Message> = Vec::with_capacity(self.messages.len());
        self.system.retain(|text| !text.is_empty());
        for message in self.messages.drain(..) {
            let Some(message) = message.canonical() else {
                continue;
            };
            match (message, messages.last_mut()) {
                (Message::System { parts, extra }, None)
                    if extra.is_empty() && parts.iter().all(InputPart::is_text) =>
                {
                    self.system
                        .extend(parts.into_iter().filter_map(InputPart::into_text));
                }
                (
                    Message::Tool { results, extra },
                    Some(Message::Tool {
                        results: before,
                        extra: extra_before,
                    }),
                ) if extra.is_empty() && extra_before.is_empty() => before.extend(results),
                (Message::User { parts, extra }, Some(Message::Tool { .. }))
                    if parts.is_empty() && extra.is_empty() => {}
                (message, _) => messages.push(message),
            }
        }
        self.messages = messages;
        self.canonical_members();
        self
    }

    fn canonical_members(&mut self) {
        for tool in &mut self.tools {
            if let Tool::Function(function) = tool {
                function.parameters.get_or_insert_with(no_parameters);
            }
        }
        if self.thinking_budget == Some(0) {
            self.thinking_budget = None;
            self.effort.get_or_insert(Effort::None);
        }
        if self.choices == Some(1) {
            self.choices = None;
        }
        if self.parallel_tool_calls == Some(true) || self.tool_choice == Some(ToolChoice::None) {
            self.parallel_tool_calls = None;
        }
        if self.parallel_tool_calls == Some(false) {
            self.tool_choice.get_or_insert(ToolChoice::Auto);
        }
    }
}

/// The schema of a function without parameters.
fn no_parameters() -> RawJson {
    RawJson::try_new(r#"{"type":"object","properties":{}}"#).expect("a literal")
}

// === impl Message ===

impl Message {
    /// The message in canonical form; `None` when nothing of it is left.
    fn canonical(mut self) -> Option<Self> {
        let empty = match &mut self {
            Self::System { parts, extra } => {
                retain_input(parts);
                parts.is_empty() && extra.is_empty()
            }
            Self::User { parts, .. } => {
                retain_input(parts);
                false
            }
            Self::Assistant { parts, extra } => {
                *parts = canonical_output(std::mem::take(parts));
                parts.is_empty() && extra.is_empty()
            }
            Self::Tool { results, extra } => {
                for result in results.iter_mut() {
                    retain_input(&mut result.parts);
                }
                results.is_empty() && extra.is_empty()
            }
        };
        (!empty).then_some(self)
    }
}
