//! Events of the wire to events.

use crate::anthropic::stream::block::{self, Block};
use crate::anthropic::stream::plain;
use crate::anthropic::types::{self, Counts};
use crate::anthropic::{FORMAT, error};
use crate::error::{DecodeError, StreamFault};
use crate::ir::{Event, Start};
use crate::json::{Object, Path};
use crate::stream::StreamDecoder;
use crate::stream::framed::{Framed, Reader, malformed};

/// What is known between events.
#[derive(Default)]
struct State {
    started: bool,
    counts: Counts,
    /// The block that is open, with the number that the provider gave it.
    open: Option<(u64, Block)>,
    /// The number of the next block, as it is told.
    next: u32,
    /// The stop reason has come.
    stopped: bool,
    /// The end has come.
    ended: bool,
}

/// Decodes one stream.
pub(in crate::anthropic) fn decoder() -> impl StreamDecoder {
    Framed::new(State::default())
}

// === impl State ===

impl Reader for State {
    fn frame(
        &mut self,
        event: Option<&[u8]>,
        data: &[u8],
        out: &mut Vec<Event>,
    ) -> Result<(), StreamFault> {
        match event {
            _ if self.ended => Ok(()),
            Some(b"ping") => Ok(()),
            Some(b"error") => {
                out.push(Event::Error(error::decode_inside(data)));
                Ok(())
            }
            _ if self.plain(data, out) => Ok(()),
            _ => match self.event(data, out) {
                Ok(()) if self.ended && !self.stopped => Err(StreamFault::Incomplete),
                Ok(()) => Ok(()),
                Err(error) => Err(malformed(&error)),
            },
        }
    }

    fn ended(&self) -> bool {
        self.ended
    }

    fn complete(&self) -> Result<(), StreamFault> {
        match self.stopped {
            true => Ok(()),
            false => Err(StreamFault::Incomplete),
        }
    }
}

impl State {
    /// Takes an event that only adds to the block that is open; false for every other.
    fn plain(&mut self, data: &[u8], out: &mut Vec<Event>) -> bool {
        let Some((open, block)) = self.open.as_mut().filter(|_| !self.stopped) else {
            return false;
        };
        match plain::read(data) {
            Some((number, piece)) if number == *open => block.grow(piece, self.next, out),
            _ => false,
        }
    }

    fn event(&mut self, data: &[u8], out: &mut Vec<Event>) -> Result<(), DecodeError> {
        let mut object = Object::parse(data, &Path::Root)?;
        match &*object.kind() {
            "error" => out.push(Event::Error(error::decode_inside(data))),
            "message_start" if !self.started => self.start(&mut object, out)?,
            "content_block_start" if !self.stopped => self.block_start(&mut object, out)?,
            "content_block_delta" if !self.stopped => self.block_delta(&mut object, out)?,
            "content_block_stop" => self.block_stop(out),
            "message_delta" => self.message_delta(&mut object, out)?,
            "message_stop" => self.ended = true,
            // A second `message_start`, `ping`, and what is new.
            _ => {}
        }
        Ok(())
    }

    fn count(&mut self, object: &mut Object<'_, '_>, out: &mut Vec<Event>) {
        if let Some(raw) = object.raw("usage") {
            self.counts.add(raw);
            out.extend(self.counts.usage().map(Event::Usage));
        }
    }

    fn start(
        &mut self,
        object: &mut Object<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        self.started = true;
        let path = object.path().member("message");
        let mut message = Object::from_raw(object.required("message")?, &path)?;
        let mut usage = Vec::new();
        self.count(&mut message, &mut usage);
        for name in ["type", "role", "content", "stop_reason", "stop_sequence"] {
            message.raw(name);
        }
        out.push(Event::Start(Start {
            id: message.string("id")?.filter(|id| !id.is_empty()),
            model: message.string("model")?.filter(|model| !model.is_empty()),
            created: None,
            extra: message.rest(FORMAT),
        }));
        out.append(&mut usage);
        Ok(())
    }

    fn block_start(
        &mut self,
        object: &mut Object<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        self.block_stop(out);
        let number = number(object)?;
        let path = object.path().member("content_block");
        let raw = object.required("content_block")?;
        let block = block::begin(raw, self.next, &path, out)?;
        self.open = Some((number, block));
        Ok(())
    }

    fn block_delta(
        &mut self,
        object: &mut Object<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let number = number(object)?;
        let path = object.path().member("delta");
        let delta = Object::from_raw(object.required("delta")?, &path)?;
        match &mut self.open {
            Some((open, block)) if *open == number => block.add(delta, self.next, out),
            _ => Err(object.invalid("index", "the number of the open block")),
        }
    }

    fn block_stop(&mut self, out: &mut Vec<Event>) {
        if let Some((_, block)) = self.open.take() {
            block.end(self.next, out);
            self.next += 1;
        }
    }

    fn message_delta(
        &mut self,
        object: &mut Object<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        self.count(object, out);
        let path = object.path().member("delta");
        let Some(raw) = object.raw("delta") else {
            return Ok(());
        };
        let mut delta = Object::from_raw(raw, &path)?;
        let word = delta.string("stop_reason")?;
        let sequence = delta.string("stop_sequence")?;
        if let Some(word) = word.filter(|_| !self.stopped) {
            self.block_stop(out);
            self.stopped = true;
            out.push(Event::Stop {
                choice: 0,
                reason: types::finish_reason(&word, sequence),
                extra: delta.rest(FORMAT),
            });
        }
        Ok(())
    }
}

fn number(object: &mut Object<'_, '_>) -> Result<u64, DecodeError> {
    let number = object.take("index", "a whole number")?;
    Ok(number.unwrap_or_default())
}
