//! Pass-through: what is read from events and answers that are forwarded as they are.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::anthropic::types::Counts;
use crate::anthropic::{FORMAT, error, types};
use crate::error::StreamFault;
use crate::format::ResponseFacts;
use crate::relay::{Inspector, check_readable};
use crate::sse::{Frame, Verdict};
use crate::stream::Progress;
use crate::written::Meter;

/// Watches the events of one stream.
pub(super) struct EventInspector {
    counts: Counts,
    stopped: bool,
    progress: Progress,
    meter: Meter,
}

/// An event, as far as pass-through looks into it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Peek<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    message: Option<MessagePeek<'a>>,
    #[serde(borrow)]
    content_block: Option<BlockPeek<'a>>,
    #[serde(borrow)]
    delta: Option<DeltaPeek<'a>>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
}

/// A whole answer, or the message of its first event.
#[derive(Default, Deserialize)]
#[serde(default)]
struct MessagePeek<'a> {
    #[serde(borrow)]
    r#type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    model: Option<Cow<'a, str>>,
    stop_reason: Option<String>,
    stop_sequence: Option<String>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct BlockPeek<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    #[serde(borrow)]
    thinking: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DeltaPeek<'a> {
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    #[serde(borrow)]
    thinking: Option<&'a RawValue>,
    #[serde(borrow)]
    signature: Option<&'a RawValue>,
    #[serde(borrow)]
    partial_json: Option<&'a RawValue>,
    stop_reason: Option<String>,
    stop_sequence: Option<String>,
}

// === impl EventInspector ===

impl EventInspector {
    pub(super) fn new() -> Self {
        Self {
            counts: Counts::default(),
            stopped: false,
            progress: Progress::default(),
            meter: Meter::default(),
        }
    }

    fn event(&mut self, data: &[u8]) -> Result<(), StreamFault> {
        let peek: Peek<'_> = serde_json::from_slice(data).map_err(|error| malformed(&error))?;
        match &*peek.r#type {
            "error" => return Err(StreamFault::Provider(Box::new(error::decode_inside(data)))),
            "message_start" => {
                let message = peek.message.unwrap_or_default();
                self.count(message.usage);
                self.progress.response_model = message.model();
            }
            "content_block_start" => {
                let block = peek.content_block.unwrap_or_default();
                self.progress.content_started |= block.is_content();
            }
            "content_block_delta" => {
                let delta = peek.delta.unwrap_or_default();
                self.progress.content_started |= delta.is_content();
            }
            "message_delta" => {
                self.count(peek.usage);
                self.message_delta(peek.delta.unwrap_or_default());
            }
            // Every client takes it for the end: before the stop reason it must not get out.
            "message_stop" if !self.progress.finished => return Err(StreamFault::Incomplete),
            "message_stop" => self.stopped = true,
            _ => {}
        }
        Ok(())
    }

    fn count(&mut self, usage: Option<&RawValue>) {
        if let Some(raw) = usage {
            self.counts.add(raw);
            self.progress.usage = self.counts.usage();
        }
    }

    fn message_delta(&mut self, delta: DeltaPeek<'_>) {
        if let Some(word) = delta.stop_reason
            && !self.progress.finished
        {
            let reason = types::finish_reason(&word, delta.stop_sequence);
            self.progress.note_finish(reason, 1);
        }
    }
}

impl Inspector for EventInspector {
    fn inspect(&mut self, frame: &[u8]) -> Result<Verdict, StreamFault> {
        let frame = Frame::parse(frame);
        let Some(data) = frame.data.filter(|data| !data.is_empty()) else {
            return Ok(Verdict::Keep);
        };
        self.progress.events += 1;
        self.progress.written_bytes += self.meter.bytes(&data);
        match frame.event {
            // What passes most, and has nothing to tell once the answer has begun.
            Some(b"content_block_delta" | b"content_block_start" | b"content_block_stop")
                if self.progress.content_started =>
            {
                check_readable(&data, FORMAT)?;
            }
            Some(b"ping") => check_readable(&data, FORMAT)?,
            Some(b"error") => {
                return Err(StreamFault::Provider(Box::new(error::decode_inside(&data))));
            }
            _ => self.event(&data)?,
        }
        Ok(Verdict::Keep)
    }

    fn missing(&self) -> &'static [u8] {
        if self.stopped {
            b""
        } else {
            b"event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"
        }
    }

    fn progress(&self) -> &Progress {
        &self.progress
    }
}

// === impl MessagePeek ===

impl MessagePeek<'_> {
    fn model(&self) -> Option<String> {
        let model = self.model.as_deref().filter(|model| !model.is_empty())?;
        Some(model.to_owned())
    }
}

// === impl BlockPeek ===

impl BlockPeek<'_> {
    /// Text and thinking begin empty; every other block is content from the start.
    fn is_content(&self) -> bool {
        match &*self.r#type {
            "text" | "thinking" => is_something(self.text) || is_something(self.thinking),
            _ => true,
        }
    }
}

// === impl DeltaPeek ===

impl DeltaPeek<'_> {
    fn is_content(&self) -> bool {
        [self.text, self.thinking, self.signature, self.partial_json]
            .into_iter()
            .any(is_something)
    }
}

fn is_something(raw: Option<&RawValue>) -> bool {
    raw.is_some_and(|raw| !matches!(raw.get(), "null" | "\"\""))
}

fn malformed(error: &serde_json::Error) -> StreamFault {
    // The text of the error may quote the answer; its place does not.
    StreamFault::Malformed {
        detail: format!("not an event of {FORMAT} at column {}", error.column()),
    }
}

/// Reads what pass-through must know of a whole answer.
pub(super) fn facts(body: &[u8]) -> Result<ResponseFacts, StreamFault> {
    let message: MessagePeek<'_> = match serde_json::from_slice(body) {
        Ok(message) => message,
        Err(error) if error.is_eof() => return Err(StreamFault::Incomplete),
        Err(error) => return Err(malformed(&error)),
    };
    if message.r#type.as_deref() == Some("error") || is_something(message.error) {
        return Err(StreamFault::Provider(Box::new(error::decode_inside(body))));
    }
    let model = message.model();
    let Some(word) = message.stop_reason else {
        return Err(StreamFault::Incomplete);
    };
    let mut counts = Counts::default();
    if let Some(raw) = message.usage {
        counts.add(raw);
    }
    Ok(ResponseFacts {
        model,
        usage: counts.usage(),
        finish_reasons: vec![types::finish_reason(&word, message.stop_sequence)],
    })
}

#[cfg(test)]
mod tests;
