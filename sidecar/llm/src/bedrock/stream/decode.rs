//! Frames to events.

use crate::bedrock::frame::{Frame, FrameSplitter, Kind};
use crate::bedrock::response::STOP_MEMBER;
use crate::bedrock::stream::block::{self, Block};
use crate::bedrock::stream::plain;
use crate::bedrock::{FORMAT, error, types};
use crate::error::{DecodeError, StreamFault};
use crate::ir::{Event, Extra, Start};
use crate::json::{Object, Path};
use crate::stream::StreamDecoder;

/// Decodes one stream. The answer is complete with its stop reason; the usage comes after it, and with that the end.
pub(in crate::bedrock) struct Decoder {
    splitter: FrameSplitter,
    state: State,
}

/// What is known between frames.
#[derive(Default)]
struct State {
    started: bool,
    /// The block that is open, with the number that the provider gave it.
    open: Option<(u64, Block)>,
    /// The number of the next block, as it is told.
    next: u32,
    /// The stop reason has come.
    stopped: bool,
    /// The end has come.
    ended: bool,
}

// === impl Decoder ===

impl Decoder {
    pub(in crate::bedrock) fn new() -> Self {
        Self {
            splitter: FrameSplitter::default(),
            state: State::default(),
        }
    }
}

impl StreamDecoder for Decoder {
    fn push(&mut self, chunk: &[u8], out: &mut Vec<Event>) -> Result<(), StreamFault> {
        let state = &mut self.state;
        self.splitter.split(chunk, |frame| state.frame(frame, out))
    }

    fn ended(&self) -> bool {
        self.state.ended
    }

    fn end(&mut self, _out: &mut Vec<Event>) -> Result<(), StreamFault> {
        match self.state.stopped {
            true => Ok(()),
            false => Err(StreamFault::Incomplete),
        }
    }
}

// === impl State ===

impl State {
    fn frame(&mut self, frame: &[u8], out: &mut Vec<Event>) -> Result<(), StreamFault> {
        let frame = Frame::parse(frame)?;
        if self.ended {
            return Ok(());
        }
        if let Some(reported) = error::decode_frame(&frame) {
            out.push(Event::Error(reported));
            return Ok(());
        }
        let Kind::Event(name) = frame.kind() else {
            return Ok(());
        };
        self.event(name, frame.payload(), out)
            .map_err(|error| match error {
                DecodeError::Provider(reported) => StreamFault::Provider(reported),
                error => StreamFault::Malformed {
                    detail: error.to_string(),
                },
            })
    }

    fn event(
        &mut self,
        name: &str,
        payload: &[u8],
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        // What is new is not even read.
        let read = || Object::parse(payload, &Path::Root);
        match name {
            "messageStart" if !self.started => self.start(read()?, out),
            "contentBlockStart" if !self.stopped => self.block_start(&mut read()?, out)?,
            "contentBlockDelta" if self.plain(payload, out) => {}
            "contentBlockDelta" if !self.stopped => self.block_delta(&mut read()?, out)?,
            "contentBlockStop" => self.block_stop(out)?,
            "messageStop" if !self.stopped => self.stop(&mut read()?, out)?,
            "metadata" => {
                let mut late = read()?;
                if let Some(usage) = late.raw("usage").and_then(types::usage) {
                    let usage = types::served(usage, late.peek("serviceTier"));
                    out.push(Event::Usage(usage));
                }
                self.ended = self.stopped;
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes a piece that only adds to the block that is open; false for every other.
    fn plain(&mut self, payload: &[u8], out: &mut Vec<Event>) -> bool {
        let Some((open, block)) = self.open.as_mut().filter(|_| !self.stopped) else {
            return false;
        };
        match plain::read(payload) {
            Some((number, piece)) if number == *open => block.grow(piece, self.next, out),
            _ => false,
        }
    }

    fn start(&mut self, mut object: Object<'_, '_>, out: &mut Vec<Event>) {
        self.started = true;
        object.raw("role");
        padding(&mut object);
        out.push(Event::Start(Start {
            extra: object.rest(FORMAT),
            ..Start::default()
        }));
    }

    /// Every answer begins with its head, whatever the provider sent.
    fn begin(&mut self, out: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.started, true) {
            out.push(Event::Start(Start::default()));
        }
    }

    /// A start that says nothing leaves it to the first piece what begins.
    fn block_start(
        &mut self,
        object: &mut Object<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        self.begin(out);
        self.block_stop(out)?;
        let number = number(object)?;
        let path = object.path().member("start");
        let start = object.required("start")?;
        if !Object::from_raw(start, &path)?.is_empty() {
            let block = block::begin(start, self.next, &path, out)?;
            self.open = Some((number, block));
        }
        Ok(())
    }

    /// Texts and thoughts begin with their first piece.
    fn block_delta(
        &mut self,
        object: &mut Object<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        self.begin(out);
        let number = number(object)?;
        let path = object.path().member("delta");
        let delta = Object::from_raw(object.required("delta")?, &path)?;
        if self.open.as_ref().is_some_and(|(open, _)| *open != number) {
            self.block_stop(out)?;
        }
        match &mut self.open {
            Some((_, block)) => block.add(delta, self.next, out),
            None => {
                let block = block::begin_with(delta, self.next, out)?;
                self.open = block.map(|block| (number, block));
                Ok(())
            }
        }
    }

    fn block_stop(&mut self, out: &mut Vec<Event>) -> Result<(), DecodeError> {
        if let Some((_, block)) = self.open.take() {
            block.end(self.next, out)?;
            self.next += 1;
        }
        Ok(())
    }

    fn stop(
        &mut self,
        object: &mut Object<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        self.begin(out);
        self.block_stop(out)?;
        let word = object.required_string("stopReason")?;
        let reason = match types::finish_reason(&word) {
            Ok(reason) => reason,
            Err(reported) => {
                out.push(Event::Error(*reported));
                return Ok(());
            }
        };
        self.stopped = true;
        let mut extra = Extra::default();
        if let Some(raw) = object.raw(STOP_MEMBER) {
            extra.insert(FORMAT, STOP_MEMBER, raw.into());
        }
        out.push(Event::Stop {
            choice: 0,
            reason,
            extra,
        });
        Ok(())
    }
}

/// Takes out the member that only hides the length of a frame.
fn padding(object: &mut Object<'_, '_>) {
    object.raw("p");
}

fn number(object: &mut Object<'_, '_>) -> Result<u64, DecodeError> {
    let number = object.take("contentBlockIndex", "a whole number")?;
    Ok(number.unwrap_or_default())
}
