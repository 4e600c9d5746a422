//! A thought of a stream that is being read.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::error::DecodeError;
use crate::ir::{BlockStart, Delta, Event, Extra, OutputPart};
use crate::json::{Object, Path};
use crate::openai_responses::reasoning;
use crate::openai_responses::stream::decode::blocks::{Blocks, add, stop};

#[derive(Default)]
pub(super) struct Thought {
    extra: Extra,
    block: Option<u32>,
    /// The part that the last text belongs to: whether it is of the summary, and its number.
    part: Option<(bool, u64)>,
    told: bool,
}

// === impl Thought ===

impl Thought {
    /// Of an item that begins.
    pub(super) fn new(item: &mut Object<'_, '_>) -> Self {
        Self {
            extra: reasoning::streamed_extra(item),
            ..Self::default()
        }
    }

    /// The block that is open.
    pub(super) fn block(&self) -> Option<u32> {
        self.block
    }

    /// Adds to the part that the last text belongs to; `None` when the piece is not for it.
    pub(super) fn grow(
        &mut self,
        part: (bool, u64),
        text: Cow<'_, str>,
        out: &mut Vec<Event>,
    ) -> Option<()> {
        let block = self.block.filter(|_| self.part == Some(part))?;
        if text.is_empty() {
            return None;
        }
        add(block, Delta::Reasoning(text.into_owned()), out);
        Some(())
    }

    pub(super) fn event(
        &mut self,
        kind: &str,
        mut object: Object<'_, '_>,
        blocks: &mut Blocks,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let (of_summary, is_text) = match kind {
            "response.reasoning_summary_part.added" => (true, false),
            "response.reasoning_summary_text.delta" => (true, true),
            "response.reasoning_text.delta" => (false, true),
            _ => return Ok(()),
        };
        let block = *self.block.get_or_insert_with(|| {
            let extra = std::mem::take(&mut self.extra);
            blocks.begin(BlockStart::Reasoning { extra }, out)
        });
        let text = object.string("delta")?.filter(|_| is_text);
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            return Ok(());
        };
        let number = if of_summary {
            "summary_index"
        } else {
            "content_index"
        };
        let number = object.take(number, "a whole number")?.unwrap_or_default();
        let part = Some((of_summary, number));
        if std::mem::replace(&mut self.part, part) != part && self.told {
            add(block, Delta::Reasoning(reasoning::BREAK.to_owned()), out);
        }
        self.told = true;
        add(block, Delta::Reasoning(text), out);
        Ok(())
    }

    pub(super) fn complete(
        self,
        raw: &RawValue,
        blocks: &mut Blocks,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let path = Path::Root.member("item");
        let thought = reasoning::decode_answer(raw, &path)?;
        let Some(block) = self.block else {
            blocks.whole(&OutputPart::Reasoning(thought), out);
            return Ok(());
        };
        if let Some(text) = thought.text.filter(|text| !self.told && !text.is_empty()) {
            add(block, Delta::Reasoning(text), out);
        }
        if let Some(state) = thought.state {
            add(block, Delta::State(state), out);
        }
        stop(block, out);
        Ok(())
    }
}
