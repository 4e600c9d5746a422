//! Events of the wire to events.

use serde_json::value::RawValue;

use crate::cohere::response::{LOGPROBS, OF_MESSAGE};
use crate::cohere::stream::block::Blocks;
use crate::cohere::stream::{kind, plain};
use crate::cohere::{FORMAT, error, types};
use crate::error::{DecodeError, StreamFault};
use crate::ir::{Event, Extra, FinishReason, RawJson, Start};
use crate::json::{Object, Path, array, is_string};
use crate::sse::DONE;
use crate::stream::StreamDecoder;
use crate::stream::framed::{Framed, Reader, malformed};

/// What is known between events.
#[derive(Default)]
struct State {
    started: bool,
    blocks: Blocks,
    /// One a piece of text, when they were asked for.
    logprobs: Vec<RawJson>,
    /// Sources without a text to belong to.
    sources: Vec<RawJson>,
    /// Unknown members, for the end.
    extra: Extra,
    /// The finish reason has come.
    finished: bool,
    /// Nothing of worth can follow.
    ended: bool,
}

/// Decodes one stream.
pub(in crate::cohere) fn decoder() -> impl StreamDecoder {
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
        if self.ended {
            return Ok(());
        }
        if data == DONE {
            self.ended = true;
            return self.complete();
        }
        if event == Some(b"error") {
            out.push(Event::Error(error::decode_inside(data)));
            return Ok(());
        }
        let piece = plain::read(data);
        if piece.is_some_and(|piece| self.blocks.grow(piece, out)) {
            return Ok(());
        }
        self.event(event, data, out)
            .map_err(|error| malformed(&error))
    }

    fn ended(&self) -> bool {
        self.ended
    }

    fn complete(&self) -> Result<(), StreamFault> {
        match self.finished {
            true => Ok(()),
            false => Err(StreamFault::Incomplete),
        }
    }
}

impl State {
    fn event(
        &mut self,
        name: Option<&[u8]>,
        data: &[u8],
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let mut object = Object::parse(data, &Path::Root)?;
        let said = object.kind();
        // The type stands in both places; one will do.
        let named = name.and_then(|name| std::str::from_utf8(name).ok());
        let kind = if said.is_empty() {
            named.unwrap_or_default()
        } else {
            &*said
        };
        match kind {
            kind::MESSAGE_START if !self.started => self.start(object, out)?,
            kind::CONTENT_START => {
                if let Some(raw) = dig(&mut object, "content")? {
                    self.blocks.content_start(raw, out)?;
                }
            }
            kind::CONTENT_DELTA => {
                self.logprobs
                    .extend(object.raw(LOGPROBS).map(RawJson::from));
                if let Some(raw) = dig(&mut object, "content")? {
                    self.blocks.content_delta(raw, out)?;
                }
            }
            kind::PLAN_DELTA => {
                let raw = dig(&mut object, "tool_plan")?;
                let text = raw.and_then(crate::json::string);
                self.blocks.plan(text.unwrap_or_default().into_owned(), out);
            }
            kind::CALL_START | kind::CALL_DELTA => self.call(kind, &mut object, out)?,
            kind::CITATION_START => self.cite(&mut object, out)?,
            kind::MESSAGE_END => self.finish(object, out)?,
            "" if object.peek("message").is_some_and(is_string) => {
                out.push(Event::Error(error::decode_inside(data)));
            }
            // Ends of parts, a second `message-start`, `debug`, and what is new.
            _ => {}
        }
        Ok(())
    }

    fn start(
        &mut self,
        mut object: Object<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        self.started = true;
        object.raw("type");
        if let Some(raw) = object.raw("delta") {
            let mut delta = Object::from_raw(raw, &Path::Root)?;
            if let Some(raw) = delta.raw("message") {
                let mut message = Object::from_raw(raw, &Path::Root)?;
                for name in ["role", "content", "tool_plan", "tool_calls", "citations"] {
                    message.raw(name);
                }
                message.rest_into(&mut self.extra, FORMAT, OF_MESSAGE);
            }
        }
        out.push(Event::Start(Start {
            id: object.string("id")?.filter(|id| !id.is_empty()),
            model: None,
            created: None,
            extra: object.rest(FORMAT),
        }));
        Ok(())
    }

    fn call(
        &mut self,
        kind: &str,
        object: &mut Object<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let number: Option<u64> = object.take("index", "a whole number")?;
        let number = number.unwrap_or_default();
        let Some(raw) = dig(object, "tool_calls")? else {
            return Ok(());
        };
        if kind == kind::CALL_START {
            return self.blocks.call_start(number, raw, out);
        }
        match self.blocks.call_delta(number, raw, out)? {
            true => Ok(()),
            false => Err(object.invalid("index", "the number of the open call")),
        }
    }

    fn cite(
        &mut self,
        object: &mut Object<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let Some(raw) = dig(object, "citations")? else {
            return Ok(());
        };
        if !self.blocks.cite(raw, out) {
            self.sources.push(raw.into());
        }
        Ok(())
    }

    fn finish(
        &mut self,
        mut object: Object<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let mut delta = match object.raw("delta") {
            Some(raw) => Object::from_raw(raw, &Path::Root)?,
            None => Object::empty(&Path::Root),
        };
        let usage = delta.raw("usage").and_then(types::usage);
        out.extend(usage.map(Event::Usage));
        let reported = delta.string("error")?;
        let Some(word) = delta.string("finish_reason")? else {
            let reported = error::of_finish("ERROR", reported);
            out.extend(reported.map(Event::Error));
            return Ok(());
        };
        self.ended = true;
        if let Some(reported) = error::of_finish(&word, reported) {
            out.push(Event::Error(reported));
            return Ok(());
        }
        self.blocks.close(out);
        self.finished = true;
        if let Some(raw) = delta.raw("message") {
            Object::from_raw(raw, &Path::Root)?.rest_into(&mut self.extra, FORMAT, OF_MESSAGE);
        }
        delta.rest_into(&mut self.extra, FORMAT, "");
        let sources = format!("{OF_MESSAGE}citations");
        for (name, list) in [(LOGPROBS, &self.logprobs), (&sources, &self.sources)] {
            if !list.is_empty() {
                let text = serde_json::to_string(list).expect("JSON already");
                let list = RawJson::try_new(&text).expect("just serialised");
                self.extra.insert(FORMAT, name, list);
            }
        }
        out.push(Event::Stop {
            choice: 0,
            reason: match types::finish_reason(&word) {
                FinishReason::Stop if self.blocks.any_call => FinishReason::ToolCalls,
                reason => reason,
            },
            extra: std::mem::take(&mut self.extra),
        });
        Ok(())
    }
}

/// Member `name` of the message in the delta of an event; of a list, the first.
fn dig<'a>(event: &mut Object<'a, '_>, name: &str) -> Result<Option<&'a RawValue>, DecodeError> {
    let Some(delta) = event.raw("delta") else {
        return Ok(None);
    };
    let mut delta = Object::from_raw(delta, &Path::Root)?;
    let Some(message) = delta.raw("message") else {
        return Ok(None);
    };
    let mut message = Object::from_raw(message, &Path::Root)?;
    match message.raw(name) {
        Some(raw) if raw.get().starts_with('[') => Ok(array(raw, &Path::Root)?.into_iter().next()),
        raw => Ok(raw),
    }
}
