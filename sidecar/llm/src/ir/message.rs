//! The parts of a conversation.

use crate::ir::{Extra, Opaque};

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
    /// A part of another type (audio, files, search results), as JSON with a `type` member.
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
    /// A part of another type (steps that the provider itself ran, and their results), as JSON with a `type` member.
    Opaque(Opaque),
}

/// Text with what belongs to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// The text.
    pub text: String,
    /// Sources, each as JSON of its origin.
    pub citations: Vec<Opaque>,
    /// Unknown members, cache breakpoints among them.
    pub extra: Extra,
}

/// An image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Where it is.
    pub source: ImageSource,
    /// How closely to look, as OpenAI words it.
    pub detail: Option<String>,
    /// Unknown members.
    pub extra: Extra,
}

/// Where an image is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ImageSource {
    /// At an address that the provider fetches.
    Url(String),
    /// Here.
    Base64 {
        /// For example `image/png`.
        media_type: String,
        /// Base64, not checked.
        data: String,
    },
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
        self.citations.is_empty() && self.extra.is_empty()
    }

    /// Whether it says nothing at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty() && self.is_plain()
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
            Self::Image(_) | Self::Opaque(_) => None,
        }
    }

    /// The text that it is.
    pub fn into_text(self) -> Option<Text> {
        match self {
            Self::Text(text) => Some(text),
            Self::Image(_) | Self::Opaque(_) => None,
        }
    }
}

// === impl ImageSource ===

impl ImageSource {
    /// From an address, which may hold the image itself (`data:image/png;base64,…`).
    pub fn from_url(url: &str) -> Self {
        match split_data_url(url) {
            Some((media_type, data)) => Self::Base64 {
                media_type: media_type.to_owned(),
                data: data.to_owned(),
            },
            None => Self::Url(url.to_owned()),
        }
    }

    /// As an address.
    pub fn to_url(&self) -> String {
        match self {
            Self::Url(url) => url.clone(),
            Self::Base64 { media_type, data } => format!("data:{media_type};base64,{data}"),
        }
    }
}

fn split_data_url(url: &str) -> Option<(&str, &str)> {
    let (head, data) = url.strip_prefix("data:")?.split_once(',')?;
    let media_type = head.strip_suffix(";base64")?;
    Some((media_type, data))
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

/// Empty texts taken out, images at a `data:` address taken in.
pub(crate) fn retain_input(parts: &mut Vec<InputPart>) {
    parts.retain_mut(|part| match part {
        InputPart::Text(text) => !text.is_empty(),
        InputPart::Image(image) => {
            if let ImageSource::Url(url) = &image.source {
                image.source = ImageSource::from_url(url);
            }
            true
        }
        InputPart::Opaque(_) => true,
    });
}

/// Empty parts gone, neighbouring plain thoughts one, arguments trimmed.
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
            (OutputPart::Reasoning(thought), Some(OutputPart::Reasoning(before)))
                if thought.is_plain() && before.is_plain() =>
            {
                let text = before.text.get_or_insert_default();
                text.push_str(thought.text.as_deref().unwrap_or_default());
            }
            (OutputPart::ToolCall(mut call), _) => {
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
