//! The parts of a stream that is decoded, one open at a time.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::cohere::content::{self, SIGNATURE};
use crate::cohere::stream::plain::Piece;
use crate::cohere::{FORMAT, citation, tool_call};
use crate::error::DecodeError;
use crate::ir::{
    BlockStart, Citation, Delta, Event, Extra, Opaque, OutputPart, RawJson, Reasoning, Text,
};
use crate::json::{Object, Path, string};

/// What has been told so far.
#[derive(Default)]
pub(super) struct Blocks {
    open: Open,
    /// The number of the next part.
    next: u32,
    pub(super) any_call: bool,
}

/// The part that grows. One that its provider has ended stays open until the next begins: sources may come late.
#[derive(Default)]
enum Open {
    #[default]
    Nothing,
    Text,
    Plan,
    Thinking,
    /// A call, by the number that the provider gave it.
    Call(u64),
    /// A part of another type, which is told when it is complete: as it was written, or from its pieces.
    Other {
        whole: RawJson,
        pieces: BTreeMap<String, String>,
    },
}

// === impl Blocks ===

impl Blocks {
    fn begin(&mut self, start: BlockStart, open: Open, out: &mut Vec<Event>) {
        self.close(out);
        out.push(Event::BlockStart {
            choice: 0,
            block: self.next,
            start,
        });
        self.next += 1;
        self.open = open;
    }

    fn add(&self, delta: Delta, out: &mut Vec<Event>) {
        if delta.is_content() {
            out.push(Event::Delta {
                choice: 0,
                block: self.next.saturating_sub(1),
                delta,
            });
        }
    }

    /// Ends the part that is open.
    pub(super) fn close(&mut self, out: &mut Vec<Event>) {
        match std::mem::take(&mut self.open) {
            Open::Nothing => return,
            Open::Text | Open::Plan | Open::Thinking | Open::Call(_) => {}
            Open::Other { whole, pieces } => {
                let raw = Opaque::new(FORMAT, assembled(&whole, pieces));
                let start = BlockStart::Opaque(raw);
                self.begin(start, Open::Nothing, out);
            }
        }
        out.push(Event::BlockStop {
            choice: 0,
            block: self.next.saturating_sub(1),
        });
    }

    /// Adds to the part that is open; false when the piece is not for it.
    pub(super) fn grow(&mut self, piece: Piece<'_>, out: &mut Vec<Event>) -> bool {
        let delta = match (&self.open, piece) {
            (Open::Text, Piece::Text(text)) => Delta::Text(text.into_owned()),
            (Open::Thinking, Piece::Thinking(text)) => Delta::Reasoning(text.into_owned()),
            (Open::Call(open), Piece::Arguments(number, text)) if *open == number => {
                Delta::Arguments(text.into_owned())
            }
            _ => return false,
        };
        self.add(delta, out);
        true
    }

    /// A part of the content begins; what it holds already is told with it.
    pub(super) fn content_start(
        &mut self,
        raw: &RawValue,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        match content::decode_start(raw, &Path::Root)? {
            OutputPart::Text(Text { text, extra, .. }) => {
                self.begin(BlockStart::Text { extra }, Open::Text, out);
                self.add(Delta::Text(text), out);
            }
            OutputPart::Reasoning(Reasoning {
                text: None,
                state: Some(state),
                extra,
            }) => {
                let start = BlockStart::HiddenReasoning { state, extra };
                self.begin(start, Open::Thinking, out);
            }
            OutputPart::Reasoning(Reasoning { text, state, extra }) => {
                self.begin(BlockStart::Reasoning { extra }, Open::Thinking, out);
                self.add(Delta::Reasoning(text.unwrap_or_default()), out);
                if let Some(state) = state {
                    self.add(Delta::State(state), out);
                }
            }
            OutputPart::Opaque(_)
            | OutputPart::Image(_)
            | OutputPart::Refusal(_)
            | OutputPart::ToolCall(_) => {
                self.close(out);
                self.open = Open::Other {
                    whole: raw.into(),
                    pieces: BTreeMap::new(),
                };
            }
        }
        Ok(())
    }

    /// More of it.
    pub(super) fn content_delta(
        &mut self,
        raw: &RawValue,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let mut piece = Object::from_raw(raw, &Path::Root)?;
        if let Open::Other { pieces, .. } = &mut self.open {
            for (name, value) in piece.into_members() {
                if let Some(text) = string(value.raw()) {
                    pieces.entry(name).or_default().push_str(&text);
                }
            }
            return Ok(());
        }
        let state = content::take_state(&mut piece, SIGNATURE)?;
        let thought = piece.string("thinking")?;
        if thought.is_some() || state.is_some() {
            if !matches!(self.open, Open::Thinking) {
                let extra = Extra::default();
                self.begin(BlockStart::Reasoning { extra }, Open::Thinking, out);
            }
            self.add(Delta::Reasoning(thought.unwrap_or_default()), out);
            if let Some(state) = state {
                self.add(Delta::State(state), out);
            }
        }
        if let Some(text) = piece.string("text")? {
            self.text(text, Open::Text, out);
        }
        Ok(())
    }

    /// More of the plan before the tools.
    pub(super) fn plan(&mut self, text: String, out: &mut Vec<Event>) {
        self.text(text, Open::Plan, out);
    }

    fn text(&mut self, text: String, open: Open, out: &mut Vec<Event>) {
        if text.is_empty() {
            return;
        }
        if std::mem::discriminant(&self.open) != std::mem::discriminant(&open) {
            let extra = Extra::default();
            self.begin(BlockStart::Text { extra }, open, out);
        }
        self.add(Delta::Text(text), out);
    }

    /// A source of the text that is open; false when there is none.
    pub(super) fn cite(&mut self, raw: &RawValue, out: &mut Vec<Event>) -> bool {
        let is_text = matches!(self.open, Open::Text | Open::Plan);
        if is_text {
            let source: Citation = citation::citation(raw);
            self.add(Delta::Citation(source), out);
        }
        is_text
    }

    /// A call begins.
    pub(super) fn call_start(
        &mut self,
        number: u64,
        raw: &RawValue,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        self.any_call = true;
        let OutputPart::ToolCall(call) = tool_call::decode(raw, &Path::Root)? else {
            self.close(out);
            self.open = Open::Other {
                whole: raw.into(),
                pieces: BTreeMap::new(),
            };
            return Ok(());
        };
        let start = BlockStart::ToolCall {
            id: call.id,
            name: call.name,
            state: call.state,
            extra: call.extra,
        };
        self.begin(start, Open::Call(number), out);
        self.add(Delta::Arguments(call.arguments), out);
        Ok(())
    }

    /// More of its arguments; false when it is not the one that is open.
    pub(super) fn call_delta(
        &mut self,
        number: u64,
        raw: &RawValue,
        out: &mut Vec<Event>,
    ) -> Result<bool, DecodeError> {
        if !matches!(self.open, Open::Call(open) if open == number) {
            return Ok(matches!(self.open, Open::Other { .. }));
        }
        let mut call = Object::from_raw(raw, &Path::Root)?;
        if let Some(raw) = call.raw("function") {
            let mut function = Object::from_raw(raw, &Path::Root)?;
            let arguments = tool_call::arguments(&mut function)?;
            self.add(Delta::Arguments(arguments), out);
        }
        Ok(true)
    }
}

/// The object `whole`, its text members continued by `pieces`.
fn assembled(whole: &RawJson, pieces: BTreeMap<String, String>) -> String {
    let object = Object::from_raw(whole.raw(), &Path::Root);
    let (Ok(object), false) = (object, pieces.is_empty()) else {
        return whole.get().to_owned();
    };
    let mut members = object.into_members();
    for (name, piece) in pieces {
        let before = members.get(&name).and_then(|raw| string(raw.raw()));
        let text = before.unwrap_or_default().into_owned() + &piece;
        members.insert(name, RawJson::string(&text));
    }
    serde_json::to_string(&members).expect("string keys only")
}
