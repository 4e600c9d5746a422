//! The events of a stream. A whole answer is the fold of the same events ([`crate::fold`]).

use crate::error::ProviderError;
use crate::ir::{Citation, Extra, FinishReason, Image, Opaque, Usage};

/// One step of an answer.
///
/// *Guarantees* of a decoder: one `Start` comes first; a block's `Delta`s lie between its `BlockStart` and its
/// `BlockStop`; blocks of one choice have rising numbers; a choice's `Stop` comes after its blocks; `Usage` may come
/// anywhere, the last one counts, and after an `Error` nothing comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The answer begins.
    Start(Start),
    /// A part begins.
    BlockStart {
        /// The choice, from 0.
        choice: u32,
        /// The part, from 0 in its choice.
        block: u32,
        /// What kind of part.
        start: BlockStart,
    },
    /// A part goes on.
    Delta {
        /// The choice.
        choice: u32,
        /// The part.
        block: u32,
        /// What is added.
        delta: Delta,
    },
    /// A part is complete.
    BlockStop {
        /// The choice.
        choice: u32,
        /// The part.
        block: u32,
    },
    /// What was used so far, all in all.
    Usage(Usage),
    /// A choice is complete.
    Stop {
        /// The choice.
        choice: u32,
        /// Why.
        reason: FinishReason,
        /// Unknown members, as in [`crate::ir::Choice::extra`].
        extra: Extra,
    },
    /// The provider reports an error instead of the rest.
    Error(ProviderError),
}

/// The head of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Start {
    /// The provider's id of the answer.
    pub id: Option<String>,
    /// The model that answers.
    pub model: Option<String>,
    /// Unix seconds, where the format has them.
    pub created: Option<u64>,
    /// Unknown members.
    pub extra: Extra,
}

/// The head of a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlockStart {
    /// Text.
    Text {
        /// Unknown members.
        extra: Extra,
    },
    /// Thinking that can be read.
    Reasoning {
        /// Unknown members.
        extra: Extra,
    },
    /// Thinking that only the provider can read; complete with this.
    HiddenReasoning {
        /// The thought.
        state: Opaque,
        /// Unknown members.
        extra: Extra,
    },
    /// A tool call.
    ToolCall {
        /// Its id.
        id: String,
        /// The tool.
        name: String,
        /// State of the provider that belongs to the call, as in [`crate::ir::ToolCall::state`].
        state: Option<Opaque>,
        /// Unknown members.
        extra: Extra,
    },
    /// A refusal.
    Refusal,
    /// An image; complete with this.
    Image(Image),
    /// A part of another type, as JSON; complete with this.
    Opaque(Opaque),
}

/// What is added to a part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delta {
    /// To a text.
    Text(String),
    /// A source of a text.
    Citation(Citation),
    /// To a thought.
    Reasoning(String),
    /// The signature of a thought.
    State(Opaque),
    /// To the arguments of a tool call: a piece of JSON text.
    Arguments(String),
    /// To a refusal.
    Refusal(String),
}

// === impl BlockStart ===

impl BlockStart {
    /// Whether this alone is content (a text that has only begun is not).
    pub fn is_content(&self) -> bool {
        match self {
            Self::Text { .. } | Self::Reasoning { .. } | Self::Refusal => false,
            Self::HiddenReasoning { .. }
            | Self::ToolCall { .. }
            | Self::Image(_)
            | Self::Opaque(_) => true,
        }
    }
}

// === impl Delta ===

impl Delta {
    /// The bytes that the model wrote.
    pub(crate) fn written_bytes(&self) -> u64 {
        match self {
            Self::Text(text)
            | Self::Reasoning(text)
            | Self::Arguments(text)
            | Self::Refusal(text) => text.len() as u64,
            Self::Citation(_) | Self::State(_) => 0,
        }
    }

    /// Whether this is content: not empty.
    pub fn is_content(&self) -> bool {
        match self {
            Self::Text(text)
            | Self::Reasoning(text)
            | Self::Arguments(text)
            | Self::Refusal(text) => !text.is_empty(),
            Self::Citation(_) | Self::State(_) => true,
        }
    }
}
