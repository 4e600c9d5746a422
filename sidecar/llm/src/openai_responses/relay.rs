//! Pass-through: what is read from events and answers that are forwarded as they are.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::StreamFault;
use crate::format::{RelayOptions, ResponseFacts};
use crate::ir::{FinishReason, Usage};
use crate::kept;
use crate::openai_responses::types::Status;
use crate::openai_responses::{FORMAT, error, types};
use crate::relay::{Inspector, check_readable};
use crate::sse::{DONE, Frame, Verdict};
use crate::stream::Progress;
use crate::written::Meter;

/// Watches the events of one stream.
#[derive(Default)]
pub(super) struct EventInspector {
    /// An item that the client is to run was begun.
    calls: bool,
    progress: Progress,
    meter: Meter,
    /// Put on the ids of what is kept.
    mark: Option<Arc<str>>,
}

/// An event, as far as pass-through looks into it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Peek<'a> {
    #[serde(borrow)]
    r#type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    delta: Option<&'a RawValue>,
    #[serde(borrow)]
    item: Option<ItemPeek<'a>>,
    #[serde(borrow)]
    response: Option<AnswerPeek<'a>>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ItemPeek<'a> {
    #[serde(borrow)]
    r#type: Option<Cow<'a, str>>,
}

/// A whole answer, or the one that an event carries.
#[derive(Default, Deserialize)]
#[serde(default)]
struct AnswerPeek<'a> {
    #[serde(borrow)]
    model: Option<Cow<'a, str>>,
    #[serde(borrow)]
    status: Option<Cow<'a, str>>,
    #[serde(borrow)]
    incomplete_details: Option<DetailsPeek<'a>>,
    #[serde(borrow)]
    output: Option<Vec<ItemPeek<'a>>>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    service_tier: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DetailsPeek<'a> {
    #[serde(borrow)]
    reason: Option<Cow<'a, str>>,
}

// === impl EventInspector ===

impl EventInspector {
    pub(super) fn new(options: &RelayOptions) -> Self {
        Self {
            mark: options.mark.clone(),
            ..Self::default()
        }
    }

    fn event(&mut self, data: &[u8]) -> Result<(), StreamFault> {
        let peek: Peek<'_> = serde_json::from_slice(data).map_err(|error| malformed(&error))?;
        let kind = peek.r#type.as_deref().unwrap_or_default();
        let failed = matches!(kind, "error" | "response.failed") || is_something(peek.error);
        if failed && !self.progress.finished {
            return Err(StreamFault::Provider(Box::new(error::decode_inside(data))));
        }
        match kind {
            "response.output_item.added" | "response.output_item.done" => {
                let item = peek.item.as_ref();
                let item = item.and_then(|item| item.r#type.as_deref());
                self.calls |= item.is_some_and(types::is_call);
                // A message and a thought begin empty.
                let begun = kind == "response.output_item.added"
                    && matches!(item, Some("message" | "reasoning"));
                self.progress.content_started |= !begun;
            }
            "response.completed" | "response.incomplete" => {
                self.finish(&peek.response.unwrap_or_default())?;
            }
            "response.created" | "response.in_progress" | "response.queued" => {
                let answer = peek.response.unwrap_or_default();
                let model = answer.model();
                self.progress.response_model =
                    model.or_else(|| self.progress.response_model.take());
            }
            _ => self.progress.content_started |= is_something(peek.delta),
        }
        Ok(())
    }

    fn finish(&mut self, answer: &AnswerPeek<'_>) -> Result<(), StreamFault> {
        if self.progress.finished {
            return Ok(());
        }
        let reason = answer.finish(self.calls).ok_or(StreamFault::Incomplete)?;
        self.progress.usage = answer.usage();
        let model = answer.model();
        self.progress.response_model = model.or_else(|| self.progress.response_model.take());
        self.progress.note_finish(reason, 1);
        Ok(())
    }
}

impl Inspector for EventInspector {
    fn inspect(&mut self, frame: &[u8]) -> Result<Verdict, StreamFault> {
        let frame = Frame::parse(frame);
        let Some(data) = frame.data.filter(|data| !data.is_empty()) else {
            return Ok(Verdict::Keep);
        };
        if &*data == DONE {
            // Not of this format, but clients would take it for the end.
            return match self.progress.finished {
                true => Ok(Verdict::Keep),
                false => Err(StreamFault::Incomplete),
            };
        }
        self.progress.events += 1;
        self.progress.written_bytes += self.meter.bytes(&data);
        let passes = frame.event.is_some_and(|name| {
            name.ends_with(b".delta") || name.starts_with(b"response.content_part.")
        });
        // What passes most has nothing to tell once the answer has begun.
        match passes && self.progress.content_started {
            true => check_readable(&data, FORMAT)?,
            false => self.event(&data)?,
        }
        let is_delta = frame.event.is_some_and(|name| name.ends_with(b".delta"));
        // A piece of text names nothing.
        let mark = self.mark.as_deref().filter(|_| !is_delta);
        let marked = mark.and_then(|mark| kept::marked_event(&data, mark));
        Ok(match marked {
            Some(marked) => Verdict::Replace(written(frame.event, &marked)),
            None => Verdict::Keep,
        })
    }

    fn missing(&self) -> &'static [u8] {
        b""
    }

    fn progress(&self) -> &Progress {
        &self.progress
    }
}

// === impl AnswerPeek ===

impl AnswerPeek<'_> {
    fn model(&self) -> Option<String> {
        let model = self.model.as_deref().filter(|model| !model.is_empty())?;
        Some(model.to_owned())
    }

    fn usage(&self) -> Option<Usage> {
        let usage = self.usage.and_then(types::usage)?;
        Some(types::served(usage, self.service_tier))
    }

    /// Why it ended; `None` when it does not say.
    fn finish(&self, calls: bool) -> Option<FinishReason> {
        let items = self.output.iter().flatten();
        let mut kinds = items.filter_map(|item| item.r#type.as_deref());
        let details = self.incomplete_details.as_ref();
        let status = Status {
            status: self.status.as_deref()?,
            reason: details.and_then(|details| details.reason.as_deref()),
        };
        Some(status.meaning(calls || kinds.any(types::is_call)))
    }
}

fn is_something(raw: Option<&RawValue>) -> bool {
    raw.is_some_and(|raw| !matches!(raw.get(), "null" | "\"\"" | "{}"))
}

fn malformed(error: &serde_json::Error) -> StreamFault {
    // The text of the error may quote the answer; its place does not.
    StreamFault::Malformed {
        detail: format!("not an event of {FORMAT} at column {}", error.column()),
    }
}

/// A frame with other data. It is one line: ends of line in JSON are spaces.
fn written(event: Option<&[u8]>, data: &[u8]) -> Bytes {
    let mut frame = Vec::with_capacity(data.len() + 64);
    if let Some(event) = event {
        frame.extend_from_slice(b"event: ");
        frame.extend_from_slice(event);
        frame.push(b'\n');
    }
    frame.extend_from_slice(b"data: ");
    frame.extend(data.iter().map(|byte| match byte {
        b'\n' | b'\r' => b' ',
        byte => *byte,
    }));
    frame.extend_from_slice(b"\n\n");
    frame.into()
}

/// Reads what pass-through must know of a whole answer. One that is made in the background says so as its finish reason.
pub(super) fn facts(body: &[u8]) -> Result<ResponseFacts, StreamFault> {
    let answer: AnswerPeek<'_> = match serde_json::from_slice(body) {
        Ok(answer) => answer,
        Err(error) if error.is_eof() => return Err(StreamFault::Incomplete),
        Err(error) => return Err(malformed(&error)),
    };
    let failed = answer.status.as_deref() == Some("failed");
    if failed || is_something(answer.error) {
        return Err(StreamFault::Provider(Box::new(error::decode_inside(body))));
    }
    let reason = answer.finish(false).filter(|_| answer.output.is_some());
    Ok(ResponseFacts {
        model: answer.model(),
        usage: answer.usage(),
        finish_reasons: vec![reason.ok_or(StreamFault::Incomplete)?],
    })
}

#[cfg(test)]
mod tests;
