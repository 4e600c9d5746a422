//! Chunks to events.

use std::collections::BTreeMap;

use fkm_dialect::StreamEnd;
use serde_json::value::RawValue;

use crate::error::{DecodeError, StreamFault};
use crate::ir::{Event, FinishReason, Start, Usage};
use crate::json::{Object, Path, array};
use crate::openai_chat::FORMAT;
use crate::openai_chat::stream::choice::Choice;
use crate::openai_chat::stream::plain;
use crate::openai_error as error;
use crate::sse::DONE;
use crate::stream::StreamDecoder;
use crate::stream::framed::{Framed, Reader, malformed};
use crate::{openai_head, openai_usage};

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

/// Decodes one stream.
pub(in crate::openai_chat) fn decoder(end: StreamEnd) -> impl StreamDecoder {
    Framed::new(State {
        end,
        ..State::default()
    })
}

// === impl State ===

impl Reader for State {
    fn frame(
        &mut self,
        event: Option<&[u8]>,
        data: &[u8],
        out: &mut Vec<Event>,
    ) -> Result<(), StreamFault> {
        if self.done {
            return Ok(());
        }
        if data == DONE {
            self.done = true;
            if self.end == StreamEnd::Mark {
                self.finish_all(out);
            }
            return self.complete();
        }
        if event == Some(b"error") {
            out.push(Event::Error(error::decode_inside(data)));
            return Ok(());
        }
        if self.started && self.plain(data, out) {
            return Ok(());
        }
        self.chunk(data, out).map_err(|error| malformed(&error))
    }

    fn ended(&self) -> bool {
        self.done
    }

    fn complete(&self) -> Result<(), StreamFault> {
        match !self.choices.is_empty() && self.choices.values().all(Choice::finished) {
            true => Ok(()),
            false => Err(StreamFault::Incomplete),
        }
    }
}

impl State {
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
        let usage = openai_usage::take(&mut object);
        let usage = match usage {
            None => groq_usage(&mut object),
            usage => usage,
        };
        if !self.started {
            openai_head::add(&mut self.head, object, FORMAT)?;
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
    Some(openai_usage::served(usage, object.peek("service_tier")))
}
