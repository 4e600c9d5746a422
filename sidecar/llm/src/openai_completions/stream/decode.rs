//! Chunks to events.

use std::collections::BTreeMap;

use fkm_dialect::StreamEnd;
use serde_json::value::RawValue;

use crate::error::{DecodeError, StreamFault};
use crate::ir::{BlockStart, Delta, Event, Extra, FinishReason, Start};
use crate::json::{Object, Path, Shape, array};
use crate::openai_completions::response::LOGPROBS;
use crate::openai_completions::stream::logprobs::Logprobs;
use crate::openai_completions::{FORMAT, finish_reason};
use crate::sse::DONE;
use crate::stream::StreamDecoder;
use crate::stream::framed::{Framed, Reader, malformed};
use crate::{openai_error, openai_head, openai_usage};

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

/// A chunk of a stream that has begun, with more text and nothing that must be kept.
static PLAIN: Shape = Shape::Object(&[
    ("id", Shape::Any),
    ("object", Shape::Any),
    ("created", Shape::Any),
    ("model", Shape::Any),
    (
        "choices",
        Shape::One(&Shape::Object(&[
            ("text", Shape::Text(0)),
            ("index", Shape::Number(0)),
            (LOGPROBS, Shape::Null),
            ("finish_reason", Shape::Null),
        ])),
    ),
    ("system_fingerprint", Shape::Any),
    ("usage", Shape::Null),
]);

/// A choice on its way.
#[derive(Default)]
struct Choice {
    /// Its text has begun.
    begun: bool,
    finished: bool,
    logprobs: Logprobs,
    extra: Extra,
}

/// Decodes one stream.
pub(in crate::openai_completions) fn decoder(end: StreamEnd) -> impl StreamDecoder {
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
                for (index, choice) in &mut self.choices {
                    choice.finish(*index, FinishReason::Stop, out);
                }
            }
            return self.complete();
        }
        if event == Some(b"error") {
            out.push(Event::Error(openai_error::decode_inside(data)));
            return Ok(());
        }
        if self.plain(data, out).is_some() {
            return Ok(());
        }
        self.chunk(data, out).map_err(|error| malformed(&error))
    }

    fn ended(&self) -> bool {
        self.done
    }

    fn complete(&self) -> Result<(), StreamFault> {
        match !self.choices.is_empty() && self.choices.values().all(|choice| choice.finished) {
            true => Ok(()),
            false => Err(StreamFault::Incomplete),
        }
    }
}

impl State {
    /// Takes a chunk that only adds to a text that has begun; `None` for every other.
    fn plain(&mut self, data: &[u8], out: &mut Vec<Event>) -> Option<()> {
        let found = PLAIN.read(data)?;
        let [index, _] = found.numbers;
        let index = u32::try_from(index.unwrap_or_default()).ok()?;
        let choice = self.choices.get_mut(&index).filter(|one| !one.finished)?;
        let [text, ..] = found.texts;
        choice.text(
            index,
            text.filter(|text| !text.is_empty())?.into_owned(),
            out,
        );
        Some(())
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
        let usage = openai_usage::take(&mut object);
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
