//! Pieces to events.

use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};

use crate::error::{DecodeError, StreamFault};
use crate::gemini::response::{self, Candidate};
use crate::gemini::stream::choice::Choice;
use crate::gemini::stream::{Elements, Piece, plain};
use crate::gemini::types::{self, camel};
use crate::gemini::{FORMAT, error};
use crate::ir::{Event, Extra, FinishReason, Start};
use crate::json::{Object, Path, array};
use crate::sse::{DONE, Frame, MAX_FRAME_BYTES, Splitter};
use crate::stream::StreamDecoder;

/// Decodes one stream.
pub(in crate::gemini) struct Decoder {
    framing: Framing,
    state: State,
}

/// How the pieces are divided.
enum Framing {
    /// Nothing has come.
    Unknown,
    Events(Splitter),
    /// One array, with the beginning of an element.
    Array(Elements, BytesMut),
}

/// What is known between pieces.
#[derive(Default)]
struct State {
    started: bool,
    id: Option<String>,
    choices: BTreeMap<u32, Choice>,
    /// An error has come, or the prompt was refused: nothing follows.
    over: bool,
    blocked: bool,
}

// === impl Decoder ===

impl Decoder {
    pub(in crate::gemini) fn new() -> Self {
        Self {
            framing: Framing::Unknown,
            state: State::default(),
        }
    }
}

impl StreamDecoder for Decoder {
    fn push(&mut self, chunk: &[u8], out: &mut Vec<Event>) -> Result<(), StreamFault> {
        let state = &mut self.state;
        if let Framing::Unknown = self.framing {
            self.framing = match chunk.first() {
                None => return Ok(()),
                Some(b'[') => Framing::Array(Elements::default(), BytesMut::new()),
                Some(_) => Framing::Events(Splitter::new()),
            };
        }
        match &mut self.framing {
            Framing::Unknown => Ok(()),
            Framing::Events(splitter) => splitter.split(chunk, |frame| state.frame(frame, out)),
            Framing::Array(elements, held) => {
                let mut rest = chunk;
                while let Some((length, piece)) = elements.find(rest)? {
                    hold(held, &rest[..length])?;
                    rest = &rest[length..];
                    let whole = held.split();
                    if piece == Piece::Element {
                        state.piece(Elements::element(&whole), out)?;
                    }
                }
                hold(held, rest)
            }
        }
    }

    fn ended(&self) -> bool {
        matches!(&self.framing, Framing::Array(elements, _) if elements.closed())
    }

    fn end(&mut self, out: &mut Vec<Event>) -> Result<(), StreamFault> {
        if let Framing::Events(splitter) = &mut self.framing {
            let tail: Bytes = splitter.take_tail();
            // The last frame may lack its blank line; what cannot be read is only part of one.
            match self.state.frame(&tail, out) {
                Ok(()) | Err(StreamFault::Malformed { .. }) => {}
                Err(fault) => return Err(fault),
            }
        }
        self.state.complete()
    }
}

/// Holds the beginning of a piece, up to the limit.
pub(in crate::gemini) fn hold(held: &mut BytesMut, bytes: &[u8]) -> Result<(), StreamFault> {
    if held.len() + bytes.len() > MAX_FRAME_BYTES {
        return Err(StreamFault::TooLarge {
            limit: MAX_FRAME_BYTES,
        });
    }
    held.extend_from_slice(bytes);
    Ok(())
}

// === impl State ===

impl State {
    fn frame(&mut self, frame: &[u8], out: &mut Vec<Event>) -> Result<(), StreamFault> {
        match Frame::parse(frame).data {
            Some(data) if !data.is_empty() && &*data != DONE => self.piece(&data, out),
            _ => Ok(()),
        }
    }

    fn complete(&self) -> Result<(), StreamFault> {
        let finished = !self.choices.is_empty() && self.choices.values().all(Choice::finished);
        match finished || self.blocked {
            true => Ok(()),
            false => Err(StreamFault::Incomplete),
        }
    }

    fn piece(&mut self, data: &[u8], out: &mut Vec<Event>) -> Result<(), StreamFault> {
        if self.over {
            return Ok(());
        }
        if self.plain(data, out) {
            return Ok(());
        }
        if let Some(reported) = error::inside(data) {
            self.over = true;
            out.push(Event::Error(reported));
            return Ok(());
        }
        self.answer(data, out)
            .map_err(|error| StreamFault::Malformed {
                detail: error.to_string(),
            })
    }

    /// Takes a piece that only adds to the part that is open; false for every other.
    fn plain(&mut self, data: &[u8], out: &mut Vec<Event>) -> bool {
        let Some(piece) = plain::read(data) else {
            return false;
        };
        let usage = piece.usage;
        let choice = self.choices.get_mut(&piece.index);
        let grown = choice.is_some_and(|choice| choice.grow(piece, out));
        if grown {
            out.extend(usage.and_then(types::usage).map(Event::Usage));
        }
        grown
    }

    fn answer(&mut self, data: &[u8], out: &mut Vec<Event>) -> Result<(), DecodeError> {
        let mut object = Object::parse(data, &Path::Root)?;
        camel(&mut object, &response::MEMBERS);
        camel(&mut object, &[response::FEEDBACK]);
        let path = object.path().member("candidates");
        let candidates = match object.raw("candidates") {
            Some(raw) => array(raw, &path)?,
            None => Vec::new(),
        };
        let usage = object.raw("usageMetadata").and_then(types::usage);
        let blocked = candidates.is_empty() && response::is_blocked(&object);
        self.start(object, out)?;
        for (index, raw) in (0..).zip(candidates) {
            let path = path.item(index as usize);
            let candidate = Candidate::decode(raw, &path)?;
            let index = candidate.index.unwrap_or(index);
            let id = self.id.as_deref();
            let choice = self
                .choices
                .entry(index)
                .or_insert_with(|| Choice::new(index, id));
            if let Some(failure) = choice.piece(candidate, &path, out)? {
                self.over = true;
                out.push(Event::Error(*failure));
                return Ok(());
            }
        }
        out.extend(usage.map(Event::Usage));
        if blocked && self.choices.is_empty() {
            self.over = true;
            self.blocked = true;
            out.push(Event::Stop {
                choice: 0,
                reason: FinishReason::ContentFilter,
                extra: Extra::default(),
            });
        }
        Ok(())
    }

    /// What the first piece says of the whole answer; the others repeat it.
    fn start(
        &mut self,
        mut object: Object<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        if std::mem::replace(&mut self.started, true) {
            return Ok(());
        }
        self.id = object.string("responseId")?.filter(|id| !id.is_empty());
        out.push(Event::Start(Start {
            id: self.id.clone(),
            model: object
                .string("modelVersion")?
                .filter(|model| !model.is_empty()),
            created: None,
            extra: object.rest(FORMAT),
        }));
        Ok(())
    }
}
