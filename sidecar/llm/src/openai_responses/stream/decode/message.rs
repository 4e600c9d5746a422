//! A message of a stream that is being read: its pieces, one after the other.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::error::DecodeError;
use crate::ir::{BlockStart, Delta, Event, Extra, OutputPart};
use crate::json::{Object, Path, array, string};
use crate::openai_responses::stream::decode::blocks::{Blocks, add, stop};
use crate::openai_responses::{item, types};

#[derive(Default)]
pub(super) struct Message {
    /// The members of the item, until its first piece has them.
    members: Extra,
    /// The pieces that are complete.
    complete: u64,
    open: Option<Piece>,
}

/// A piece of a message: a text, or a refusal.
struct Piece {
    index: u64,
    block: u32,
    /// The bytes and the sources that were told.
    told: usize,
    sources: usize,
}

// === impl Message ===

impl Message {
    /// Of an item with these members of its own.
    pub(super) fn new(members: Extra) -> Self {
        Self {
            members,
            ..Self::default()
        }
    }

    /// The block that is open.
    pub(super) fn block(&self) -> Option<u32> {
        self.open.as_ref().map(|piece| piece.block)
    }

    /// Adds to the text that is open; `None` when the piece is not for it.
    pub(super) fn grow(
        &mut self,
        index: u64,
        text: Cow<'_, str>,
        out: &mut Vec<Event>,
    ) -> Option<()> {
        let open = self.open.as_mut().filter(|open| open.index == index)?;
        open.told += text.len();
        add(open.block, Delta::Text(text.into_owned()), out);
        Some(())
    }

    pub(super) fn event(
        &mut self,
        kind: &str,
        mut object: Object<'_, '_>,
        blocks: &mut Blocks,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let Some(index) = object.take("content_index", "a whole number")? else {
            return Ok(());
        };
        if index < self.complete {
            return Ok(());
        }
        match kind {
            "response.content_part.added" => {
                self.begin(index, object.required("part")?, blocks, out)
            }
            "response.content_part.done" => self.end(index, object.required("part")?, blocks, out),
            "response.output_text.delta" | "response.refusal.delta" => {
                let refuses = kind == "response.refusal.delta";
                let text = object.string("delta")?.unwrap_or_default();
                let piece = self.piece(index, refuses, blocks, out);
                piece.told += text.len();
                let delta = if refuses { Delta::Refusal } else { Delta::Text };
                add(piece.block, delta(text), out);
                Ok(())
            }
            "response.output_text.annotation.added" => {
                let source = types::citation(object.required("annotation")?);
                let piece = self.piece(index, false, blocks, out);
                piece.sources += 1;
                add(piece.block, Delta::Citation(source), out);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The piece at `index`, begun when it has not been.
    fn piece(
        &mut self,
        index: u64,
        refuses: bool,
        blocks: &mut Blocks,
        out: &mut Vec<Event>,
    ) -> &mut Piece {
        if let Some(piece) = self.open.take_if(|piece| piece.index != index) {
            stop(piece.block, out);
            self.complete = piece.index + 1;
        }
        let members = &mut self.members;
        self.open.get_or_insert_with(|| {
            let members = std::mem::take(members);
            let start = if refuses {
                BlockStart::Refusal
            } else {
                BlockStart::Text { extra: members }
            };
            Piece {
                index,
                block: blocks.begin(start, out),
                told: 0,
                sources: 0,
            }
        })
    }

    fn begin(
        &mut self,
        index: u64,
        raw: &RawValue,
        blocks: &mut Blocks,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let path = Path::Root.member("part");
        match item::piece(raw, &path)? {
            OutputPart::Text(text) => self.members.extend(&text.extra),
            OutputPart::Refusal(_) => {
                self.piece(index, true, blocks, out);
                return Ok(());
            }
            // Told when it is complete.
            _ => return Ok(()),
        }
        self.piece(index, false, blocks, out);
        Ok(())
    }

    /// Tells what is left of a complete piece.
    fn end(
        &mut self,
        index: u64,
        raw: &RawValue,
        blocks: &mut Blocks,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        if index < self.complete {
            return Ok(());
        }
        let path = Path::Root.member("part");
        let mut part = item::piece(raw, &path)?;
        if self.open.as_ref().is_none_or(|piece| piece.index != index) {
            if let Some(before) = self.open.take() {
                stop(before.block, out);
            }
            if let OutputPart::Text(text) = &mut part {
                text.extra.extend(&std::mem::take(&mut self.members));
            }
            blocks.whole(&part, out);
        } else if let Some(piece) = self.open.take() {
            piece.rest(&part, out);
            stop(piece.block, out);
        }
        self.complete = index + 1;
        Ok(())
    }

    pub(super) fn complete(
        mut self,
        raw: &RawValue,
        blocks: &mut Blocks,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let path = Path::Root.member("item");
        let mut object = Object::from_raw(raw, &path)?;
        if let Some(content) = object.raw("content").filter(|raw| string(raw).is_none()) {
            for (index, raw) in (0..).zip(array(content, &path.member("content"))?) {
                self.end(index, raw, blocks, out)?;
            }
        }
        if let Some(piece) = self.open {
            stop(piece.block, out);
        }
        Ok(())
    }
}

// === impl Piece ===

impl Piece {
    /// Tells what has not been told of a piece that is now complete.
    fn rest(&self, part: &OutputPart, out: &mut Vec<Event>) {
        let rest = |text: &str| text.get(self.told..).unwrap_or_default().to_owned();
        match part {
            OutputPart::Text(text) => {
                let more = rest(&text.text);
                if !more.is_empty() {
                    add(self.block, Delta::Text(more), out);
                }
                for source in text.citations.iter().skip(self.sources) {
                    add(self.block, Delta::Citation(source.clone()), out);
                }
            }
            OutputPart::Refusal(text) => {
                let more = rest(text);
                if !more.is_empty() {
                    add(self.block, Delta::Refusal(more), out);
                }
            }
            _ => {}
        }
    }
}
