//! One block of a stream that is decoded.

use serde_json::value::RawValue;

use crate::bedrock::block::decode_output;
use crate::bedrock::stream::IN_PIECES;
use crate::bedrock::stream::plain::Piece;
use crate::bedrock::{FORMAT, types};
use crate::error::DecodeError;
use crate::ir::{BlockStart, Delta, Event, Extra, Opaque, OutputPart, RawJson};
use crate::json::{Object, ObjectWriter, Path, array};

/// The block that grows.
pub(super) enum Block {
    Text,
    Thought,
    /// Thought that nobody can read: its bytes so far. It is told when it is complete.
    Hidden {
        bytes: Vec<u8>,
        extra: Extra,
    },
    /// Whether pieces of its input have come.
    ToolUse {
        begun: bool,
    },
    /// A block of another kind, which is told when it is complete.
    Other(Other),
}

/// As it began, and the member that comes in pieces.
pub(super) struct Other {
    whole: RawJson,
    pieces: Pieces,
}

/// Pieces of JSON text, or elements of an array, or the last whole value.
#[derive(Default)]
struct Pieces {
    text: String,
    elements: Vec<RawJson>,
    value: Option<RawJson>,
}

/// Begins a block that is told how it starts.
pub(super) fn begin(
    raw: &RawValue,
    number: u32,
    path: &Path<'_>,
    out: &mut Vec<Event>,
) -> Result<Block, DecodeError> {
    match decode_output(raw, path)? {
        OutputPart::ToolCall(call) => {
            let start = BlockStart::ToolCall {
                id: call.id,
                name: call.name,
                state: None,
                extra: call.extra,
            };
            push_start(number, start, out);
            Ok(Block::ToolUse { begun: false })
        }
        _ => Ok(Block::Other(Other {
            whole: raw.into(),
            pieces: Pieces::default(),
        })),
    }
}

/// Begins a block with its first piece; `None` for a piece of a kind that is not known.
pub(super) fn begin_with(
    mut delta: Object<'_, '_>,
    number: u32,
    out: &mut Vec<Event>,
) -> Result<Option<Block>, DecodeError> {
    let (block, piece) = if delta.peek("text").is_some() || delta.peek("citation").is_some() {
        let piece = text_piece(&mut delta)?;
        let extra = delta.rest(FORMAT);
        push_start(number, BlockStart::Text { extra }, out);
        (Block::Text, piece)
    } else if let Some(raw) = delta.raw("reasoningContent") {
        let path = delta.path().member("reasoningContent");
        let mut thought = Object::from_raw(raw, &path)?;
        if let Some(bytes) = hidden(&mut thought)? {
            let extra = thought.rest(FORMAT);
            return Ok(Some(Block::Hidden { bytes, extra }));
        }
        let piece = thought_piece(&mut thought)?;
        let extra = thought.rest(FORMAT);
        push_start(number, BlockStart::Reasoning { extra }, out);
        (Block::Thought, piece)
    } else {
        return Ok(None);
    };
    push_delta(number, piece, out);
    Ok(Some(block))
}

fn text_piece(delta: &mut Object<'_, '_>) -> Result<Option<Delta>, DecodeError> {
    if let Some(raw) = delta.raw("citation") {
        return Ok(Some(Delta::Citation(types::citation(raw))));
    }
    let text = delta.string("text")?;
    Ok(text.filter(|text| !text.is_empty()).map(Delta::Text))
}

fn thought_piece(thought: &mut Object<'_, '_>) -> Result<Option<Delta>, DecodeError> {
    if let Some(signature) = thought.string("signature")? {
        let state = Opaque::unwrap(&signature, FORMAT);
        let state = state.map_err(|_| thought.invalid("signature", "a signature"))?;
        return Ok(Some(Delta::State(state)));
    }
    let text = thought.string("text")?;
    Ok(text.filter(|text| !text.is_empty()).map(Delta::Reasoning))
}

fn hidden(thought: &mut Object<'_, '_>) -> Result<Option<Vec<u8>>, DecodeError> {
    let Some(text) = thought.string("redactedContent")? else {
        return Ok(None);
    };
    let bytes = types::blob_bytes(&text);
    let bytes = bytes.ok_or_else(|| thought.invalid("redactedContent", "base64"))?;
    Ok(Some(bytes))
}

fn push_start(block: u32, start: BlockStart, out: &mut Vec<Event>) {
    out.push(Event::BlockStart {
        choice: 0,
        block,
        start,
    });
}

fn push_delta(block: u32, delta: Option<Delta>, out: &mut Vec<Event>) {
    out.extend(delta.map(|delta| Event::Delta {
        choice: 0,
        block,
        delta,
    }));
}

// === impl Block ===

impl Block {
    /// Adds such a piece; false when it is not for this block.
    pub(super) fn grow(&mut self, piece: Piece<'_>, number: u32, out: &mut Vec<Event>) -> bool {
        let delta = match (&mut *self, piece) {
            (Self::Text, Piece::Text(text)) => Delta::Text(text.into_owned()),
            (Self::Thought, Piece::Thinking(text)) => Delta::Reasoning(text.into_owned()),
            (Self::ToolUse { begun }, Piece::Input(text)) => {
                *begun = true;
                Delta::Arguments(text.into_owned())
            }
            _ => return false,
        };
        push_delta(number, Some(delta), out);
        true
    }

    /// Adds a piece. One of a kind that is not known says nothing that could be told.
    pub(super) fn add(
        &mut self,
        mut delta: Object<'_, '_>,
        number: u32,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let path = delta.path().member("reasoningContent");
        let piece = match self {
            Self::Text => text_piece(&mut delta)?,
            Self::Thought => match delta.raw("reasoningContent") {
                Some(raw) => thought_piece(&mut Object::from_raw(raw, &path)?)?,
                None => None,
            },
            Self::Hidden { bytes, .. } => {
                if let Some(raw) = delta.raw("reasoningContent") {
                    let more = hidden(&mut Object::from_raw(raw, &path)?)?;
                    bytes.extend(more.unwrap_or_default());
                }
                None
            }
            Self::ToolUse { begun } => {
                let piece = input_piece(&mut delta)?;
                *begun |= piece.is_some();
                piece.map(Delta::Arguments)
            }
            Self::Other(other) => {
                other.pieces.add(&mut delta)?;
                None
            }
        };
        push_delta(number, piece, out);
        Ok(())
    }

    /// Ends the block.
    pub(super) fn end(self, number: u32, out: &mut Vec<Event>) -> Result<(), DecodeError> {
        match self {
            Self::Text | Self::Thought | Self::ToolUse { begun: true } => {}
            Self::ToolUse { begun: false } => {
                let none = Delta::Arguments("{}".to_owned());
                push_delta(number, Some(none), out);
            }
            Self::Hidden { bytes, extra } => {
                let state = types::state_of_blob(bytes).ok_or_else(|| DecodeError::Invalid {
                    path: "redactedContent".to_owned(),
                    expected: "a thought".to_owned(),
                })?;
                push_start(number, BlockStart::HiddenReasoning { state, extra }, out);
            }
            Self::Other(other) => {
                let whole = other.put_together();
                let start = match decode_output(whole.raw(), &Path::Root)? {
                    OutputPart::Image(image) => BlockStart::Image(image),
                    _ => BlockStart::Opaque(Opaque::new(FORMAT, whole.get())),
                };
                push_start(number, start, out);
            }
        }
        out.push(Event::BlockStop {
            choice: 0,
            block: number,
        });
        Ok(())
    }
}

/// A piece of a call's input: a piece of JSON text.
fn input_piece(delta: &mut Object<'_, '_>) -> Result<Option<String>, DecodeError> {
    let path = delta.path().member("toolUse");
    let Some(raw) = delta.raw("toolUse") else {
        return Ok(None);
    };
    let piece = Object::from_raw(raw, &path)?.string("input")?;
    Ok(piece.filter(|piece| !piece.is_empty()))
}

// === impl Pieces ===

impl Pieces {
    fn add(&mut self, delta: &mut Object<'_, '_>) -> Result<(), DecodeError> {
        if let Some(piece) = input_piece(delta)? {
            self.text.push_str(&piece);
        }
        let path = delta.path().member("toolResult");
        if let Some(raw) = delta.raw("toolResult") {
            let elements = array(raw, &path)?;
            self.elements
                .extend(elements.into_iter().map(RawJson::from));
        }
        let path = delta.path().member("image");
        if let Some(raw) = delta.raw("image") {
            let source = Object::from_raw(raw, &path)?
                .raw("source")
                .map(RawJson::from);
            self.value = source.or_else(|| self.value.take());
        }
        Ok(())
    }

    /// The member that the pieces make.
    fn into_value(self) -> Option<RawJson> {
        if !self.text.is_empty() {
            let json = RawJson::try_new(&self.text);
            return Some(json.unwrap_or_else(|_| RawJson::string(&self.text)));
        }
        if !self.elements.is_empty() {
            let text = serde_json::to_string(&self.elements).expect("JSON already");
            return RawJson::try_new(&text).ok();
        }
        self.value
    }
}

// === impl Other ===

impl Other {
    /// The block with its pieces in it; as it was written when there are none.
    fn put_together(self) -> RawJson {
        let Some(value) = self.pieces.into_value() else {
            return self.whole;
        };
        let with_value = || {
            let block = Object::from_raw(self.whole.raw(), &Path::Root).ok()?;
            let (name, inner) = block.only()?;
            let (_, member) = IN_PIECES.into_iter().find(|(block, _)| *block == name)?;
            let inner = Object::from_raw(inner, &Path::Root).ok()?;
            let mut members = inner.into_members();
            members.insert(member.to_owned(), value);
            let mut body = Vec::new();
            let mut block = ObjectWriter::new(&mut body);
            block.value(name, &members);
            block.end();
            RawJson::try_new(std::str::from_utf8(&body).ok()?).ok()
        };
        with_value().unwrap_or(self.whole)
    }
}
