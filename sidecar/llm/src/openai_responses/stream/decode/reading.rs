//! The items of a stream that is being read.
//!
//! One item is told piece by piece as it comes. Items that overlap with it (the provider runs several steps at once) are told
//! as a whole when they are complete and it is. Whatever was not told in pieces is told from the complete item, so that
//! nothing depends on a provider sending every event.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde_json::value::RawValue;

use crate::error::DecodeError;
use crate::ir::{BlockStart, Delta, Event, RawJson};
use crate::json::{Object, Path};
use crate::openai_responses::found::Found;
use crate::openai_responses::item::{self, CALL, MESSAGE};
use crate::openai_responses::stream::decode::blocks::{Blocks, add, stop};
use crate::openai_responses::stream::decode::message::Message;
use crate::openai_responses::stream::decode::thought::Thought;
use crate::openai_responses::{reasoning, types};

/// What is known of the items.
#[derive(Default)]
pub(super) struct Reading {
    /// The item that is told piece by piece.
    current: Option<(u64, Item)>,
    /// Complete items that wait until the current one is complete.
    waiting: Vec<RawJson>,
    /// The items that are complete.
    complete: BTreeSet<u64>,
    blocks: Blocks,
    /// There was an item that the client is to run.
    calls: bool,
}

/// An item that is told piece by piece.
enum Item {
    Message(Message),
    /// The block, and the bytes of its arguments that were told.
    Call(u32, usize),
    Thought(Thought),
}

// === impl Reading ===

impl Reading {
    /// Whether there was an item that the client is to run.
    pub(super) fn calls(&self) -> bool {
        self.calls
    }

    /// Adds text to the block that is open, of the item and the piece of these numbers; `None` when it is not for that one.
    pub(super) fn grow(
        &mut self,
        kind: &str,
        (index, piece): (u64, Option<u64>),
        text: Cow<'_, str>,
        out: &mut Vec<Event>,
    ) -> Option<()> {
        let (_, item) = self.current.as_mut().filter(|(at, _)| *at == index)?;
        match (item, kind) {
            (Item::Message(message), "response.output_text.delta") => {
                message.grow(piece?, text, out)
            }
            (Item::Thought(thought), "response.reasoning_summary_text.delta") => {
                thought.grow((true, piece?), text, out)
            }
            (Item::Thought(thought), "response.reasoning_text.delta") => {
                thought.grow((false, piece?), text, out)
            }
            (Item::Call(block, told), "response.function_call_arguments.delta") => {
                *told += text.len();
                add(*block, Delta::Arguments(text.into_owned()), out);
                Some(())
            }
            _ => None,
        }
    }

    /// Takes an event about an item. One that is not known tells nothing that the complete item does not.
    pub(super) fn event(
        &mut self,
        kind: &str,
        mut object: Object<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let Some(index) = object.take("output_index", "a whole number")? else {
            return Ok(());
        };
        match kind {
            "response.output_item.added" => {
                return self.added(index, object.required("item")?, out);
            }
            "response.output_item.done" => {
                return self.complete(index, object.required("item")?, out);
            }
            _ => {}
        }
        let Some((_, item)) = self.current.as_mut().filter(|(at, _)| *at == index) else {
            return Ok(());
        };
        match (item, kind) {
            (Item::Message(message), kind) => message.event(kind, object, &mut self.blocks, out),
            (Item::Thought(thought), kind) => thought.event(kind, object, &mut self.blocks, out),
            (Item::Call(block, told), "response.function_call_arguments.delta") => {
                let text = object.string("delta")?.unwrap_or_default();
                *told += text.len();
                add(*block, Delta::Arguments(text), out);
                Ok(())
            }
            (Item::Call(..), _) => Ok(()),
        }
    }

    fn added(
        &mut self,
        index: u64,
        raw: &RawValue,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        if self.current.is_some() || self.complete.contains(&index) {
            return Ok(());
        }
        let path = Path::Root.member("item");
        let mut object = Object::from_raw(raw, &path)?;
        let item = match &*object.kind() {
            MESSAGE => Item::Message(Message::new(item::members(object, Found::Answer))),
            CALL => {
                self.calls = true;
                let mut call = item::call(object, Found::Answer)?;
                let arguments = std::mem::take(&mut call.arguments);
                let start = BlockStart::ToolCall {
                    id: call.id,
                    name: call.name,
                    state: None,
                    extra: call.extra,
                };
                let block = self.blocks.begin(start, out);
                if !arguments.is_empty() {
                    add(block, Delta::Arguments(arguments.clone()), out);
                }
                Item::Call(block, arguments.len())
            }
            reasoning::KIND => Item::Thought(Thought::new(&mut object)),
            _ => return Ok(()),
        };
        self.current = Some((index, item));
        Ok(())
    }

    /// Takes an item that is complete.
    pub(super) fn complete(
        &mut self,
        index: u64,
        raw: &RawValue,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        if !self.complete.insert(index) {
            return Ok(());
        }
        match self.current.take() {
            Some((at, item)) if at == index => {
                item.complete(raw, &mut self.blocks, out)?;
                for raw in std::mem::take(&mut self.waiting) {
                    self.whole(raw.raw(), out)?;
                }
                Ok(())
            }
            None => self.whole(raw, out),
            current => {
                self.current = current;
                self.waiting.push(RawJson::from(raw));
                Ok(())
            }
        }
    }

    fn whole(&mut self, raw: &RawValue, out: &mut Vec<Event>) -> Result<(), DecodeError> {
        let path = Path::Root.member("item");
        let kind = Object::from_raw(raw, &path)?.kind();
        self.calls |= types::is_call(&kind);
        for part in item::decode(raw, &path, Found::Answer)? {
            self.blocks.whole(&part, out);
        }
        Ok(())
    }

    /// No more items come; one that never was complete is as complete as it will be.
    pub(super) fn close(&mut self, out: &mut Vec<Event>) {
        if let Some((_, item)) = self.current.take() {
            let open = match item {
                Item::Message(message) => message.block(),
                Item::Call(block, _) => Some(block),
                Item::Thought(thought) => thought.block(),
            };
            if let Some(block) = open {
                stop(block, out);
            }
        }
        for raw in std::mem::take(&mut self.waiting) {
            // They were read before.
            let _ = self.whole(raw.raw(), out);
        }
    }
}

// === impl Item ===

impl Item {
    /// Tells what is left of a complete item.
    fn complete(
        self,
        raw: &RawValue,
        blocks: &mut Blocks,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let path = Path::Root.member("item");
        match self {
            Self::Message(message) => message.complete(raw, blocks, out),
            Self::Thought(thought) => thought.complete(raw, blocks, out),
            Self::Call(block, told) => {
                let call = item::call(Object::from_raw(raw, &path)?, Found::Answer)?;
                if let Some(rest) = call.arguments.get(told..).filter(|rest| !rest.is_empty()) {
                    add(block, Delta::Arguments(rest.to_owned()), out);
                }
                stop(block, out);
                Ok(())
            }
        }
    }
}
