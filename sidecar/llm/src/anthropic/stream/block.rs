//! One block of a stream that is decoded.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::anthropic::stream::plain::Piece;
use crate::anthropic::{FORMAT, block, types};
use crate::error::DecodeError;
use crate::ir::{BlockStart, Delta, Event, Opaque, OutputPart, RawJson, Reasoning, Text, ToolCall};
use crate::json::{Object, Path, string};

/// The block that grows.
pub(super) enum Block {
    Text,
    Thinking,
    /// With the input of its start, which counts when no pieces come.
    ToolUse {
        input: String,
    },
    /// Complete with its start.
    Whole,
    /// A block of another type, which is told when it is complete: as it was written, or from its pieces.
    Other {
        whole: RawJson,
        pieces: BTreeMap<String, String>,
    },
}

const INPUT: &str = "input";

/// Begins a block; what it holds already is told with it.
pub(super) fn begin(
    raw: &RawValue,
    number: u32,
    path: &Path<'_>,
    out: &mut Vec<Event>,
) -> Result<Block, DecodeError> {
    let (block, start, deltas) = match block::decode_output(raw, path)? {
        OutputPart::Text(text) => text_start(text),
        OutputPart::Reasoning(Reasoning {
            text: None,
            state,
            extra,
        }) => {
            let state = state.unwrap_or_else(|| Opaque::new(FORMAT, ""));
            let start = BlockStart::HiddenReasoning { state, extra };
            (Block::Whole, start, vec![])
        }
        OutputPart::Reasoning(thought) => thinking_start(thought),
        OutputPart::ToolCall(call) => call_start(call),
        OutputPart::Refusal(_) | OutputPart::Image(_) | OutputPart::Opaque(_) => {
            return Ok(Block::Other {
                whole: raw.into(),
                pieces: BTreeMap::new(),
            });
        }
    };
    push_start(number, start, out);
    for delta in deltas {
        push_delta(number, delta, out);
    }
    Ok(block)
}

fn text_start(text: Text) -> (Block, BlockStart, Vec<Delta>) {
    let start = BlockStart::Text { extra: text.extra };
    let said = (!text.text.is_empty()).then_some(Delta::Text(text.text));
    let citations = text.citations.into_iter().map(Delta::Citation);
    (
        Block::Text,
        start,
        said.into_iter().chain(citations).collect(),
    )
}

fn thinking_start(thought: Reasoning) -> (Block, BlockStart, Vec<Delta>) {
    let extra = thought.extra;
    let said = thought.text.filter(|text| !text.is_empty());
    let said = said.map(Delta::Reasoning).into_iter();
    let deltas = said.chain(thought.state.map(Delta::State)).collect();
    (Block::Thinking, BlockStart::Reasoning { extra }, deltas)
}

fn call_start(call: ToolCall) -> (Block, BlockStart, Vec<Delta>) {
    let start = BlockStart::ToolCall {
        id: call.id,
        name: call.name,
        state: None,
        extra: call.extra,
    };
    let input = call.arguments;
    (Block::ToolUse { input }, start, vec![])
}

fn push_start(block: u32, start: BlockStart, out: &mut Vec<Event>) {
    out.push(Event::BlockStart {
        choice: 0,
        block,
        start,
    });
}

fn push_delta(block: u32, delta: Delta, out: &mut Vec<Event>) {
    out.push(Event::Delta {
        choice: 0,
        block,
        delta,
    });
}

// === impl Block ===

impl Block {
    /// Adds a piece.
    pub(super) fn add(
        &mut self,
        mut delta: Object<'_, '_>,
        number: u32,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let kind = delta.kind();
        delta.raw("type");
        let delta = match (&mut *self, &*kind) {
            (Self::Text, "text_delta") => Delta::Text(delta.required_string("text")?),
            (Self::Text, "citations_delta") => {
                Delta::Citation(types::citation(delta.required("citation")?))
            }
            (Self::Thinking, "thinking_delta") => {
                Delta::Reasoning(delta.required_string("thinking")?)
            }
            (Self::Thinking, "signature_delta") => {
                let text = delta.required_string("signature")?;
                let state = Opaque::unwrap(&text, FORMAT);
                let state = state.map_err(|_| delta.invalid("signature", "a signature"))?;
                Delta::State(state)
            }
            (Self::ToolUse { input }, "input_json_delta") => {
                let piece = delta.required_string("partial_json")?;
                if piece.is_empty() {
                    return Ok(());
                }
                input.clear();
                Delta::Arguments(piece)
            }
            (Self::Other { pieces, .. }, _) => {
                add_pieces(pieces, delta);
                return Ok(());
            }
            // A piece of a type that is not known, for a block that is: nothing of it can be told.
            _ => return Ok(()),
        };
        push_delta(number, delta, out);
        Ok(())
    }

    /// Adds a piece of text, thinking or input; false when it is not for a block of this type.
    pub(super) fn grow(&mut self, piece: Piece<'_>, number: u32, out: &mut Vec<Event>) -> bool {
        let delta = match (&mut *self, piece) {
            (Self::Text, Piece::Text(text)) => Delta::Text(text.into_owned()),
            (Self::Thinking, Piece::Thinking(thinking)) => Delta::Reasoning(thinking.into_owned()),
            (Self::ToolUse { input }, Piece::Input(partial_json)) if !partial_json.is_empty() => {
                input.clear();
                Delta::Arguments(partial_json.into_owned())
            }
            _ => return false,
        };
        push_delta(number, delta, out);
        true
    }

    /// Ends the block.
    pub(super) fn end(self, number: u32, out: &mut Vec<Event>) {
        match self {
            Self::ToolUse { input } if !input.is_empty() => {
                push_delta(number, Delta::Arguments(input), out);
            }
            Self::Other { whole, pieces } => {
                let whole = put_together(&whole, pieces);
                let start = BlockStart::Opaque(Opaque::new(FORMAT, whole.get()));
                push_start(number, start, out);
            }
            _ => {}
        }
        out.push(Event::BlockStop {
            choice: 0,
            block: number,
        });
    }
}

/// Texts grow; pieces of JSON are those of the input.
fn add_pieces(pieces: &mut BTreeMap<String, String>, delta: Object<'_, '_>) {
    for (name, value) in delta.into_members() {
        let name = if name == "partial_json" {
            INPUT.to_owned()
        } else {
            name
        };
        if let Some(text) = string(value.raw()) {
            pieces.entry(name).or_default().push_str(&text);
        }
    }
}

/// The block with its pieces in it; as it was written when there are none.
fn put_together(whole: &RawJson, pieces: BTreeMap<String, String>) -> RawJson {
    let members = Object::from_raw(whole.raw(), &Path::Root).map(Object::into_members);
    let (Ok(mut members), false) = (members, pieces.is_empty()) else {
        return whole.clone();
    };
    for (name, text) in pieces {
        let value = match name.as_str() {
            INPUT => RawJson::try_new(&text).unwrap_or_else(|_| RawJson::string(&text)),
            _ => {
                let before = members.get(&name).and_then(|value| string(value.raw()));
                RawJson::string(&(before.unwrap_or_default().into_owned() + &text))
            }
        };
        members.insert(name, value);
    }
    let text = serde_json::to_string(&members).expect("string keys only");
    RawJson::try_new(&text).expect("just serialised")
}
