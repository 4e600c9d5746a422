//! One candidate of a stream that is decoded: which part is open, and what belongs to it.

use std::collections::BTreeSet;

use serde_json::value::RawValue;

use crate::error::{DecodeError, ProviderError};
use crate::gemini::part::{self, Mint};
use crate::gemini::response::Candidate;
use crate::gemini::stream::partial_args::Arguments;
use crate::gemini::stream::plain::Piece;
use crate::gemini::types::{camel, take_state};
use crate::gemini::{FORMAT, citation, finish};
use crate::ir::{
    BlockStart, Citation, Delta, Event, Extra, FinishReason, OutputPart, Reasoning, Text, ToolCall,
};
use crate::json::{Object, Path};

/// A candidate on its way.
pub(super) struct Choice {
    index: u32,
    /// The number of the next part.
    next: u32,
    open: Open,
    mint: Mint,
    any_call: bool,
    /// The sources that were told: each piece may repeat them.
    cited: BTreeSet<Vec<u8>>,
    /// Sources that wait for a text.
    citations: Vec<Citation>,
    extra: Extra,
    finished: bool,
}

/// The part that grows.
enum Open {
    Nothing,
    Text,
    Thought,
    /// A call whose arguments come in pieces.
    Call(Arguments),
}

const PARTIAL_MEMBERS: [&str; 2] = ["partialArgs", "willContinue"];

// === impl Choice ===

impl Choice {
    pub(super) fn new(index: u32, id: Option<&str>) -> Self {
        Self {
            index,
            next: 0,
            open: Open::Nothing,
            mint: Mint::of_answer(id, index),
            any_call: false,
            cited: BTreeSet::new(),
            citations: Vec::new(),
            extra: Extra::default(),
            finished: false,
        }
    }

    pub(super) fn finished(&self) -> bool {
        self.finished
    }

    /// Takes this candidate's share of a piece; gives the failure that it ends with, if it does. What follows the finish
    /// reason has nothing to add.
    pub(super) fn piece(
        &mut self,
        candidate: Candidate<'_>,
        path: &Path<'_>,
        out: &mut Vec<Event>,
    ) -> Result<Option<Box<ProviderError>>, DecodeError> {
        if self.finished {
            return Ok(None);
        }
        for citation in citation::of_candidate(&candidate.extra) {
            if self.cited.insert(citation.raw.bytes.clone()) {
                self.citations.push(citation);
            }
        }
        for (name, origin, value) in candidate.extra.iter() {
            self.extra.insert(origin, name, value.clone());
        }
        self.cite(out);
        let content = path.member("content");
        let content = content.member("parts");
        for (index, raw) in candidate.parts.into_iter().enumerate() {
            self.part(raw, &content.item(index), out)?;
        }
        self.cite(out);
        let Some((word, message)) = candidate.finish else {
            return Ok(None);
        };
        match finish::meaning(&word, message.as_deref()) {
            Ok(reason) => self.finish(&word, reason, out),
            Err(failure) => return Ok(Some(failure)),
        }
        Ok(None)
    }

    /// Adds to the part that is open; false when the piece is not for it.
    pub(super) fn grow(&mut self, piece: Piece<'_>, out: &mut Vec<Event>) -> bool {
        let delta = match (&self.open, piece.thought) {
            _ if self.finished => return false,
            (Open::Text, false) => Delta::Text(piece.text.into_owned()),
            (Open::Thought, true) => Delta::Reasoning(piece.text.into_owned()),
            _ => return false,
        };
        self.add(delta, out);
        true
    }

    /// Tells the sources that wait, when a text is open.
    fn cite(&mut self, out: &mut Vec<Event>) {
        if matches!(self.open, Open::Text) {
            for citation in std::mem::take(&mut self.citations) {
                self.add(Delta::Citation(citation), out);
            }
        }
    }

    fn finish(&mut self, word: &str, reason: FinishReason, out: &mut Vec<Event>) {
        if !self.citations.is_empty() {
            let extra = Extra::default();
            self.begin(BlockStart::Text { extra }, Open::Text, out);
            self.cite(out);
        }
        self.close(out);
        self.finished = true;
        finish::keep(word, &reason, &mut self.extra);
        out.push(Event::Stop {
            choice: self.index,
            reason: match reason {
                FinishReason::Stop if self.any_call => FinishReason::ToolCalls,
                reason => reason,
            },
            extra: std::mem::take(&mut self.extra),
        });
    }

    fn part(
        &mut self,
        raw: &RawValue,
        path: &Path<'_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        if self.partial_call(raw, path, out)? {
            return Ok(());
        }
        let mut parts = Vec::with_capacity(2);
        part::decode_output(raw, path, &mut self.mint, &mut parts)?;
        let signed = parts.len() > 1;
        for part in parts {
            match part {
                OutputPart::Text(text) => self.text(text, signed, out),
                OutputPart::Reasoning(thought) => self.thought(thought, out),
                OutputPart::ToolCall(call) => self.call(call, out),
                OutputPart::Image(image) => {
                    self.begin(BlockStart::Image(image), Open::Nothing, out);
                    self.stop(out);
                }
                OutputPart::Opaque(raw) => {
                    self.begin(BlockStart::Opaque(raw), Open::Nothing, out);
                    self.stop(out);
                }
                // Not among the parts of this format.
                OutputPart::Refusal(_) => {}
            }
        }
        Ok(())
    }

    /// A text that has more than text is a part by itself; others go on.
    fn text(&mut self, text: Text, signed: bool, out: &mut Vec<Event>) {
        let whole = signed || !text.extra.is_empty();
        if text.text.is_empty() && !whole {
            // Ends a thought, and says nothing.
            if matches!(self.open, Open::Thought) {
                self.close(out);
            }
            return;
        }
        if whole || !matches!(self.open, Open::Text) {
            let start = BlockStart::Text { extra: text.extra };
            self.begin(start, Open::Text, out);
        }
        if !text.text.is_empty() {
            self.add(Delta::Text(text.text), out);
        }
        if whole {
            self.cite(out);
            self.close(out);
        }
    }

    /// A thought goes on until its signature.
    fn thought(&mut self, thought: Reasoning, out: &mut Vec<Event>) {
        let Reasoning { text, state, extra } = thought;
        let Some(text) = text else {
            if let Some(state) = state {
                let start = BlockStart::HiddenReasoning { state, extra };
                self.begin(start, Open::Nothing, out);
                self.stop(out);
            }
            return;
        };
        let whole = !extra.is_empty();
        if whole || !matches!(self.open, Open::Thought) {
            if text.is_empty() && state.is_none() && !whole {
                return;
            }
            self.begin(BlockStart::Reasoning { extra }, Open::Thought, out);
        }
        if !text.is_empty() {
            self.add(Delta::Reasoning(text), out);
        }
        let signed = state.is_some();
        if let Some(state) = state {
            self.add(Delta::State(state), out);
        }
        if signed || whole {
            self.close(out);
        }
    }

    fn call(&mut self, call: ToolCall, out: &mut Vec<Event>) {
        self.any_call = true;
        let start = BlockStart::ToolCall {
            id: call.id,
            name: call.name,
            state: call.state,
            extra: call.extra,
        };
        self.begin(start, Open::Nothing, out);
        self.add(Delta::Arguments(call.arguments), out);
        self.stop(out);
    }

    /// Takes a part that is a piece of a call; false when it is not.
    fn partial_call(
        &mut self,
        raw: &RawValue,
        path: &Path<'_>,
        out: &mut Vec<Event>,
    ) -> Result<bool, DecodeError> {
        // What passes most is text.
        let going_on = matches!(self.open, Open::Call(_));
        if !going_on && memchr::memmem::find(raw.get().as_bytes(), b"unction").is_none() {
            return Ok(false);
        }
        let mut object = Object::from_raw(raw, path)?;
        camel(&mut object, &part::MEMBERS);
        let path = path.member("functionCall");
        let Some(raw) = object.raw("functionCall") else {
            return Ok(false);
        };
        let mut call = Object::from_raw(raw, &path)?;
        camel(&mut call, &PARTIAL_MEMBERS);
        let pieces = call.raw("partialArgs");
        let more: Option<bool> = call.take("willContinue", "true or false")?;
        let more = more.unwrap_or_default();
        let name = call.string("name")?.filter(|name| !name.is_empty());
        if pieces.is_none() && !more && (!going_on || name.is_some()) {
            // A whole call; one without a name, and without one before, says nothing.
            return Ok(name.is_none() && call.is_empty());
        }
        if let Some(name) = name {
            let id = call.string("id")?.filter(|id| !id.is_empty());
            let arguments = Arguments::new(call.raw("args"));
            let start = BlockStart::ToolCall {
                id: id.unwrap_or_else(|| self.mint.id()),
                name,
                state: take_state(&mut object)?,
                extra: call.rest(FORMAT),
            };
            self.any_call = true;
            self.begin(start, Open::Call(arguments), out);
        }
        if let Some(pieces) = pieces {
            match &mut self.open {
                Open::Call(arguments) => arguments.add(pieces, &path.member("partialArgs"))?,
                _ => return Err(object.invalid("functionCall.name", "in the first piece")),
            }
        }
        if !more {
            self.close(out);
        }
        Ok(true)
    }

    fn begin(&mut self, start: BlockStart, open: Open, out: &mut Vec<Event>) {
        self.close(out);
        self.open = open;
        self.next += 1;
        out.push(Event::BlockStart {
            choice: self.index,
            block: self.next - 1,
            start,
        });
    }

    fn add(&mut self, delta: Delta, out: &mut Vec<Event>) {
        out.push(Event::Delta {
            choice: self.index,
            block: self.next - 1,
            delta,
        });
    }

    fn stop(&mut self, out: &mut Vec<Event>) {
        out.push(Event::BlockStop {
            choice: self.index,
            block: self.next - 1,
        });
    }

    /// Ends the part that is open.
    fn close(&mut self, out: &mut Vec<Event>) {
        match std::mem::replace(&mut self.open, Open::Nothing) {
            Open::Nothing => return,
            Open::Text | Open::Thought => {}
            Open::Call(arguments) => self.add(Delta::Arguments(arguments.into_text()), out),
        }
        self.stop(out);
    }
}
