//! Chunks to events.

use std::collections::BTreeMap;

use fkm_dialect::StreamEnd;
use serde_json::value::RawValue;

use crate::error::{DecodeError, StreamFault};
use crate::ir::{Event, FinishReason, Start, Usage};
use crate::json::{Object, Path, array};
use crate::openai_chat::stream::choice::Choice;
use crate::openai_chat::stream::plain;
use crate::openai_chat::{FORMAT, response};
use crate::openai_error as error;
use crate::openai_usage;
use crate::sse::{DONE, Frame, Splitter};
use crate::stream::StreamDecoder;

/// Decodes one stream.
pub(in crate::openai_chat) struct Decoder {
    splitter: Splitter,
    state: State,
}

/// What is known between chunks.
#[derive(Default)]
struct State {
    /// The head, until the first choice comes.
    head: Start,
    started: bool,
    done: bool,
    choices: BTreeMap<u32, Choice>,
    end: StreamEnd,
}

// === impl Decoder ===

impl Decoder {
    pub(in crate::openai_chat) fn new(end: StreamEnd) -> Self {
        Self {
            splitter: Splitter::new(),
            state: State {
                end,
                ..State::default()
            },
        }
    }
}

impl StreamDecoder for Decoder {
    fn push(&mut self, chunk: &[u8], out: &mut Vec<Event>) -> Result<(), StreamFault> {
        let state = &mut self.state;
        self.splitter.split(chunk, |frame| state.frame(frame, out))
    }

    fn ended(&self) -> bool {
        self.state.done
    }

    fn end(&mut self, out: &mut Vec<Event>) -> Result<(), StreamFault> {
        let tail = self.splitter.take_tail();
        // The last frame may lack its blank line; what cannot be read is only part of one.
        match self.state.frame(&tail, out) {
            Ok(()) | Err(StreamFault::Malformed { .. }) => {}
            Err(fault) => return Err(fault),
        }
        self.state.complete()
    }
}

// === impl State ===

impl State {
    fn frame(&mut self, frame: &[u8], out: &mut Vec<Event>) -> Result<(), StreamFault> {
        let frame = Frame::parse(frame);
        let Some(data) = frame.data.filter(|data| !data.is_empty()) else {
            return Ok(());
        };
        if self.done {
            return Ok(());
        }
        if &*data == DONE {
            self.done = true;
            if self.end == StreamEnd::Mark {
                self.finish_all(out);
            }
            return self.complete();
        }
        if frame.event == Some(b"error") {
            out.push(Event::Error(error::decode_inside(&data)));
            return Ok(());
        }
        if self.started && self.plain(&data, out) {
            return Ok(());
        }
        self.chunk(&data, out)
            .map_err(|error| StreamFault::Malformed {
                detail: error.to_string(),
            })
    }

    /// Takes a chunk that only adds to the part that is open; false for every other.
    fn plain(&mut self, data: &[u8], out: &mut Vec<Event>) -> bool {
        let Some((index, piece)) = plain::read(data) else {
            return false;
        };
        let choice = self.choices.get_mut(&index);
        choice.is_some_and(|choice| choice.grow(piece, out))
    }

    /// The mark of the end stands for the finish reasons that never came.
    fn finish_all(&mut self, out: &mut Vec<Event>) {
        for choice in self.choices.values_mut().filter(|one| !one.finished()) {
            choice.finish(FinishReason::Stop, out);
        }
    }

    fn complete(&self) -> Result<(), StreamFault> {
        match !self.choices.is_empty() && self.choices.values().all(Choice::finished) {
            true => Ok(()),
            false => Err(StreamFault::Incomplete),
        }
    }

    fn chunk(&mut self, data: &[u8], out: &mut Vec<Event>) -> Result<(), DecodeError> {
        let mut object = Object::parse(data, &Path::Root)?;
        if let Some(raw) = object.raw("error")
            && !matches!(raw.get(), "\"\"" | "{}" | "false")
        {
            out.push(Event::Error(error::decode_inside(data)));
            return Ok(());
        }
        let path = object.path().member("choices");
        let choices = match object.raw("choices") {
            Some(raw) => array(raw, &path)?,
            None => Vec::new(),
        };
        let usage = object.raw("usage").and_then(openai_usage::read);
        let usage = match usage {
            None => groq_usage(&mut object),
            usage => usage,
        };
        if !self.started {
            self.head(object)?;
        }
        if !choices.is_empty() && !self.started {
            self.started = true;
            out.push(Event::Start(std::mem::take(&mut self.head)));
        }
        for (index, raw) in choices.into_iter().enumerate() {
            self.choice(raw, &path.item(index), out)?;
        }
        out.extend(usage.map(Event::Usage));
        Ok(())
    }

    /// Adds what a chunk says of the whole answer.
    fn head(&mut self, mut object: Object<'_, '_>) -> Result<(), DecodeError> {
        let present = |text: &String| !text.is_empty();
        let head = &mut self.head;
        head.id = object
            .string("id")?
            .filter(present)
            .or_else(|| head.id.take());
        head.model = object
            .string("model")?
            .filter(present)
            .or_else(|| head.model.take());
        head.created = response::created(&mut object).or(head.created);
        // Random padding against who listens to the line.
        object.raw("obfuscation");
        object.raw("object");
        object.rest_into(&mut head.extra, FORMAT, "");
        Ok(())
    }

    fn choice(
        &mut self,
        raw: &RawValue,
        path: &Path<'_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let mut object = Object::from_raw(raw, path)?;
        let index = object.take("index", "a whole number")?.unwrap_or_default();
        let choice = self
            .choices
            .entry(index)
            .or_insert_with(|| Choice::new(index));
        choice.chunk(object, out)
    }
}

/// Groq's place for the usage of a stream.
fn groq_usage(object: &mut Object<'_, '_>) -> Option<Usage> {
    let mut groq = Object::from_raw(object.peek("x_groq")?, &Path::Root).ok()?;
    let usage = openai_usage::read(groq.raw("usage")?)?;
    object.raw("x_groq");
    Some(usage)
}
