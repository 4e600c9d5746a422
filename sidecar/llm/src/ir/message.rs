//! The parts of a conversation.

use crate::ir::{Audio, CacheMark, Extra, File, Image, ImageSource, Opaque};

/// One turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// An instruction in the middle of the conversation (those before it are [`crate::ir::Request::system`]).
    System {
        /// What it says.
        parts: Vec<InputPart>,
        /// Unknown members.
        extra: Extra,
    },
    /// What the user said.
    User {
        /// What it holds.
        parts: Vec<InputPart>,
        /// Unknown members.
        extra: Extra,
    },
    /// What the model said.
    Assistant {
        /// What it holds, in order.
        parts: Vec<OutputPart>,
        /// Unknown members.
        extra: Extra,
    },
    /// The results of the tool calls of the turn before.
    Tool {
        /// One a call.
        results: Vec<ToolResult>,
        /// Unknown members.
        extra: Extra,
    },
}

/// A piece of what a model reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InputPart {
    /// Text.
    Text(Text),
    /// An image.
    Image(Image),
    /// Sound.
    Audio(Audio),
    /// A document.
    File(File),
    /// A part of another type (search results, …), as JSON of its origin.
    Opaque(Opaque),
}

/// A piece of what a model writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutputPart {
    /// Text.
    Text(Text),
    /// Thinking.
    Reasoning(Reasoning),
    /// The wish that the client runs a tool.
    ToolCall(ToolCall),
    /// The refusal to answer, in words.
    Refusal(String),
    /// An image that the model drew.
    Image(Image),
    /// A part of another type (steps that the provider itself ran, and their results), as JSON with a `type` member.
    Opaque(Opaque),
}

/// Text with what belongs to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// The text.
    pub text: String,
    /// Where it comes from.
    pub citations: Vec<Citation>,
    /// A prompt cache may end here.
    pub cache: Option<CacheMark>,
    /// Unknown members.
    pub extra: Extra,
}

/// A source of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Citation {
    /// Its address, where it has one.
    pub url: Option<String>,
    /// Its title, where it has one.
    pub title: Option<String>,
    /// The whole of it, as JSON of its origin.
    pub raw: Opaque,
}

/// Thinking of a model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reasoning {
    /// What can be read of it; `None` when the provider shows only [`Self::state`]. An empty text with state is a
    /// thought that was left out, and must be sent back all the same.
    pub text: Option<String>,
    /// The signature or the encrypted thought.
    pub state: Option<Opaque>,
    /// Unknown members.
    pub extra: Extra,
}

/// The wish that the client runs a tool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolCall {
    /// Ties the result to the call.
    pub id: String,
    /// The tool.
    pub name: String,
    /// JSON text, normally an object; models may write what is not JSON.
    pub arguments: String,
    /// State of the provider that belongs to the call (a thought's signature), to be sent back with it.
    pub state: Option<Opaque>,
    /// A prompt cache may end here.
    pub cache: Option<CacheMark>,
    /// Unknown members.
    pub extra: Extra,
}

/// What a tool gave back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolResult {
    /// The call that this answers.
    pub call_id: String,
    /// What it gave.
    pub parts: Vec<InputPart>,
    /// The tool failed.
    pub is_error: bool,
    /// A prompt cache may end here.
    pub cache: Option<CacheMark>,
    /// Unknown members.
    pub extra: Extra,
}

// === impl Text ===

impl Text {
    /// Text with nothing else.
    pub fn plain(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    /// Whether there is nothing but the text.
    pub fn is_plain(&self) -> bool {
        self.citations.is_empty() && self.cache.is_none() && self.extra.is_empty()
    }

    /// Whether it says nothing at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
            && self.citations.is_empty()
            && self.cache.is_none()
            && self.extra.is_quiet()
    }
}

// === impl InputPart ===

impl InputPart {
    /// Whether it is text.
    pub fn is_text(&self) -> bool {
        matches!(self, Self::Text(_))
    }

    /// The text that it is.
    pub fn as_text(&self) -> Option<&Text> {
        match self {
            Self::Text(text) => Some(text),
            Self::Image(_) | Self::Audio(_) | Self::File(_) | Self::Opaque(_) => None,
        }
    }

    /// The text that it is.
    pub fn into_text(self) -> Option<Text> {
        match self {
            Self::Text(text) => Some(text),
            Self::Image(_) | Self::Audio(_) | Self::File(_) | Self::Opaque(_) => None,
        }
    }
}

/// JSON white space cut off; `{}` for nothing.
pub(crate) fn canonical_arguments(arguments: &str) -> &str {
    match arguments.trim_matches([' ', '\t', '\n', '\r']) {
        "" => "{}",
        arguments => arguments,
    }
}

// === impl Reasoning ===

impl Reasoning {
    /// Thinking with nothing but its text.
    pub fn plain(text: impl Into<String>) -> Self {
        Self {
            text: Some(text.into()),
            ..Self::default()
        }
    }

    /// Whether there is nothing but the text.
    pub fn is_plain(&self) -> bool {
        self.text.is_some() && self.state.is_none() && self.extra.is_empty()
    }

    /// Whether there is nothing to send back.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.as_deref().unwrap_or_default().is_empty()
            && self.state.is_none()
            && self.extra.is_empty()
    }
}

/// The state of a thought that belongs to the call after it: its format ties state to calls, and other formats have no
/// place for it but a thought.
fn state_of_next_call(part: &OutputPart) -> Option<Opaque> {
    match part {
        OutputPart::Reasoning(Reasoning {
            text: None,
            state: Some(state),
            extra,
        }) if extra.is_empty() && state.origin.ties_state_to_calls() => Some(state.clone()),
        _ => None,
    }
}

/// Empty texts taken out, images at a `data:` address taken in, sound by the short words for its type.
pub(crate) fn retain_input(parts: &mut Vec<InputPart>) {
    parts.retain_mut(|part| match part {
        InputPart::Text(text) => !text.is_empty(),
        InputPart::Image(image) => {
            take_in(image);
            true
        }
        InputPart::Audio(audio) => {
            // Two words for the same.
            let word = match audio.media_type.as_str() {
                "audio/mpeg" => "audio/mp3",
                "audio/x-wav" | "audio/wave" => "audio/wav",
                _ => return true,
            };
            word.clone_into(&mut audio.media_type);
            true
        }
        InputPart::File(_) | InputPart::Opaque(_) => true,
    });
}

/// An image at a `data:` address is here.
fn take_in(image: &mut Image) {
    if let ImageSource::Url(url) = &image.source {
        image.source = ImageSource::from_url(url);
    }
}

/// Empty parts gone, neighbouring plain thoughts one, arguments trimmed, state with the call that it belongs to.
pub(crate) fn canonical_output(parts: Vec<OutputPart>) -> Vec<OutputPart> {
    let mut out: Vec<OutputPart> = Vec::with_capacity(parts.len());
    for mut part in parts {
        if let OutputPart::Reasoning(thought) = &mut part {
            thought.state = thought.state.take().filter(|state| !state.bytes.is_empty());
            if thought.is_empty() {
                continue;
            }
        }
        match (part, out.last_mut()) {
            (OutputPart::Text(text), _) if text.is_empty() => {}
            (OutputPart::Refusal(text), _) if text.is_empty() => {}
            (OutputPart::Image(mut image), _) => {
                take_in(&mut image);
                out.push(OutputPart::Image(image));
            }
            (OutputPart::Reasoning(thought), Some(OutputPart::Reasoning(before)))
                if thought.is_plain() && before.is_plain() =>
            {
                let text = before.text.get_or_insert_default();
                text.push_str(thought.text.as_deref().unwrap_or_default());
            }
            (OutputPart::ToolCall(mut call), last) => {
                call.state = call.state.filter(|state| !state.bytes.is_empty());
                if call.state.is_none()
                    && let Some(state) = last.and_then(|last| state_of_next_call(last))
                {
                    call.state = Some(state);
                    out.pop();
                }
                if canonical_arguments(&call.arguments) != call.arguments {
                    let arguments = canonical_arguments(&call.arguments).to_owned();
                    call.arguments = arguments;
                }
                out.push(OutputPart::ToolCall(call));
            }
            (part, _) => out.push(part),
        }
    }
    out
}
