//! A whole answer.

use std::fmt;

use fkm_dialect::Format;

use crate::ir::message::canonical_output;
use crate::ir::{Extra, OutputPart, Text, Usage};
use crate::names::ToolNames;

/// An answer, independent of its wire format.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// The provider's id of the answer.
    pub id: Option<String>,
    /// The model that answered, as the provider names it.
    pub model: Option<String>,
    /// Unix seconds, where the format has them.
    pub created: Option<u64>,
    /// The choices, by index.
    pub choices: Vec<Choice>,
    /// What was used.
    pub usage: Option<Usage>,
    /// Unknown members.
    pub extra: Extra,
}

/// One of the answers that were asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// From 0.
    pub index: u32,
    /// What the model wrote, in order.
    pub parts: Vec<OutputPart>,
    /// Why it stopped.
    pub finish_reason: FinishReason,
    /// Unknown members of the choice; those of its message are named `message.…`.
    pub extra: Extra,
}

/// Why a model stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FinishReason {
    /// It had said all.
    Stop,
    /// It met this text of [`crate::ir::Request::stop`], where the provider says which.
    StopSequence(String),
    /// The limit of tokens or the window.
    Length,
    /// It wants tools to be run.
    ToolCalls,
    /// The provider withheld the answer.
    ContentFilter,
    /// The provider paused its own steps; sending the answer back continues.
    Pause,
    /// Another reason of this format.
    Other {
        /// The format that knows it.
        origin: Format,
        /// Its word; may be empty.
        name: String,
    },
}

// === impl FinishReason ===

impl FinishReason {
    /// The same, or [`Self::ContentFilter`] where a choice with a refusal in words just stopped.
    pub(crate) fn where_refusals_are_text(&self, refused: bool) -> &Self {
        match self {
            Self::Stop if refused => &Self::ContentFilter,
            reason => reason,
        }
    }

    /// A stable word for logs and telemetry.
    pub fn name(&self) -> &str {
        match self {
            Self::Stop | Self::StopSequence(_) => "stop",
            Self::Length => "length",
            Self::ToolCalls => "tool_calls",
            Self::ContentFilter => "content_filter",
            Self::Pause => "pause",
            Self::Other { name, .. } => name,
        }
    }
}

impl fmt::Display for FinishReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

// === impl Response ===

impl Response {
    /// Gives the calls the names by which the client knows its tools, and the form.
    pub fn restore_tool_names(&mut self, names: &ToolNames) {
        if names.is_empty() {
            return;
        }
        for choice in &mut self.choices {
            choice.restore_tool_names(names);
        }
    }

    /// The one way to say the same: choices by index, neighbouring plain texts as one, empty ones gone, arguments trimmed
    /// (`{}` for none), and a stop with tool calls is a stop for tool calls (providers differ when a tool is forced).
    #[must_use]
    pub fn canonical(mut self) -> Self {
        self.choices.sort_by_key(|choice| choice.index);
        for choice in &mut self.choices {
            let parts = std::mem::take(&mut choice.parts);
            choice.parts = merge_texts(canonical_output(parts));
            let calls = |part: &OutputPart| matches!(part, OutputPart::ToolCall(_));
            if choice.finish_reason == FinishReason::Stop && choice.parts.iter().any(calls) {
                choice.finish_reason = FinishReason::ToolCalls;
            }
        }
        self
    }
}

/// Neighbouring plain texts, and neighbouring refusals, as one.
fn merge_texts(parts: Vec<OutputPart>) -> Vec<OutputPart> {
    let mut out: Vec<OutputPart> = Vec::with_capacity(parts.len());
    for part in parts {
        match (part, out.last_mut()) {
            (OutputPart::Text(text), Some(OutputPart::Text(before)))
                if text.is_plain() && before.is_plain() =>
            {
                before.text.push_str(&text.text);
            }
            (OutputPart::Refusal(text), Some(OutputPart::Refusal(before))) => {
                before.push_str(&text);
            }
            (part, _) => out.push(part),
        }
    }
    out
}

// === impl Choice ===

impl Choice {
    /// Why it stopped, for formats that show a refusal as text: the reason alone tells it from an answer.
    pub(crate) fn reason_where_refusals_are_text(&self) -> &FinishReason {
        let refusal = |part: &OutputPart| matches!(part, OutputPart::Refusal(_));
        let refused = self.parts.iter().any(refusal);
        self.finish_reason.where_refusals_are_text(refused)
    }

    fn restore_tool_names(&mut self, names: &ToolNames) {
        let mut answered = false;
        for part in &mut self.parts {
            if let OutputPart::ToolCall(call) = part {
                if names.is_answer(&call.name) {
                    answered = true;
                    *part = OutputPart::Text(Text::plain(std::mem::take(&mut call.arguments)));
                } else {
                    call.name = names.restore(&call.name).to_owned();
                    names.mark(&mut call.extra);
                }
            }
        }
        if answered && self.finish_reason == FinishReason::ToolCalls {
            self.finish_reason = FinishReason::Stop;
        }
    }

    /// All text together.
    pub fn text(&self) -> String {
        self.parts
            .iter()
            .filter_map(|part| match part {
                OutputPart::Text(Text { text, .. }) => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }
}
