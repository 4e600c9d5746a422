//! Chunks to events.

use std::collections::BTreeMap;

use fkm_dialect::StreamEnd;
use serde_json::value::RawValue;

use crate::error::{DecodeError, StreamFault};
use crate::ir::{BlockStart, Delta, Event, Extra, FinishReason, Start};
use crate::json::{Object, Path, array};
use crate::openai_completions::response::{LOGPROBS, created};
use crate::openai_completions::stream::logprobs::Logprobs;
use crate::openai_completions::{FORMAT, finish_reason};
use crate::sse::{DONE, Frame, Splitter};
use crate::stream::StreamDecoder;
use crate::{openai_error, openai_usage};

/// Decodes one stream.
pub(in crate::openai_completions) struct Decoder {
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

/// A choice on its way.
#[derive(Default)]
struct Choice {
    /// Its text has begun.
    begun: bool,
    finished: bool,
    logprobs: Logprobs,
    extra: Extra,
}

// === impl Decoder ===

impl Decoder {
    pub(in crate::openai_completions) fn new(end: StreamEnd) -> Self {
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
        let Some(data) = frame.data.filter(|data| !data.is_empty() && !self.done) else {
            return Ok(());
        };
        if &*data == DONE {
            self.done = true;
            if self.end == StreamEnd::Mark {
                for (index, choice) in &mut self.choices {
                    choice.finish(*index, FinishReason::Stop, out);
                }
            }
            return self.complete();
        }
        if frame.event == Some(b"error") {
            out.push(Event::Error(openai_error::decode_inside(&data)));
            return Ok(());
        }
        self.chunk(&data, out)
            .map_err(|error| StreamFault::Malformed {
                detail: error.to_string(),
            })
    }

    fn complete(&self) -> Result<(), StreamFault> {
        match !self.choices.is_empty() && self.choices.values().all(|choice| choice.finished) {
            true => Ok(()),
            false => Err(StreamFault::Incomplete),
        }
    }

    fn chunk(&mut self, data: &[u8], out: &mut Vec<Event>) -> Result<(), DecodeError> {
        let mut object = Object::parse(data, &Path::Root)?;
        if let Some(raw) = object.raw("error")
            && !matches!(raw.get(), "\"\"" | "{}" | "false")
        {
            out.push(Event::Error(openai_error::decode_inside(data)));
            return Ok(());
        }
        let path = object.path().member("choices");
        let choices = match object.raw("choices") {
            Some(raw) => array(raw, &path)?,
            None => Vec::new(),
        };
        let usage = object.raw("usage").and_then(openai_usage::read);
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
        let id = object.string("id")?.filter(present);
        head.id = id.or_else(|| head.id.take());
        let model = object.string("model")?.filter(present);
        head.model = model.or_else(|| head.model.take());
        head.created = created(&mut object).or(head.created);
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
        let choice = self.choices.entry(index).or_default();
        if choice.finished {
            return Ok(());
        }
        let word = object.string("finish_reason")?;
        if let Some(raw) = object.raw(LOGPROBS)
            && !choice.logprobs.add(raw)
        {
            return Err(object.invalid(LOGPROBS, "an object of lists"));
        }
        if let Some(text) = object.string("text")?.filter(|text| !text.is_empty()) {
            choice.text(index, text, out);
        }
        object.rest_into(&mut choice.extra, FORMAT, "");
        if let Some(word) = word.filter(|word| !word.is_empty()) {
            choice.finish(index, finish_reason(&word), out);
        }
        Ok(())
    }
}

// === impl Choice ===

impl Choice {
    fn text(&mut self, choice: u32, text: String, out: &mut Vec<Event>) {
        let block = 0;
        if !std::mem::replace(&mut self.begun, true) {
            let extra = Extra::default();
            let start = BlockStart::Text { extra };
            out.push(Event::BlockStart {
                choice,
                block,
                start,
            });
        }
        let delta = Delta::Text(text);
        out.push(Event::Delta {
            choice,
            block,
            delta,
        });
    }

    /// Ends the choice, once.
    fn finish(&mut self, choice: u32, reason: FinishReason, out: &mut Vec<Event>) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        if self.begun {
            out.push(Event::BlockStop { choice, block: 0 });
        }
        if let Some(logprobs) = std::mem::take(&mut self.logprobs).into_raw() {
            self.extra.insert(FORMAT, LOGPROBS, logprobs);
        }
        out.push(Event::Stop {
            choice,
            reason,
            extra: std::mem::take(&mut self.extra),
        });
    }
}
