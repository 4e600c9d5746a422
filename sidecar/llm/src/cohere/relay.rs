//! Pass-through: what is read from events and answers that are forwarded as they are.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::cohere::{FORMAT, error, types};
use crate::error::StreamFault;
use crate::format::ResponseFacts;
use crate::relay::{Inspector, check_readable};
use crate::sse::{DONE, Frame, Verdict};
use crate::stream::Progress;
use crate::written::Meter;

/// Watches the events of one stream.
#[derive(Default)]
pub(super) struct EventInspector {
    done: bool,
    progress: Progress,
    meter: Meter,
}

/// An event, or a whole answer, as far as pass-through looks into it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Peek<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow)]
    delta: Option<EndPeek<'a>>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    finish_reason: Option<String>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    error: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct EndPeek<'a> {
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    finish_reason: Option<String>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    error: Option<String>,
}

/// What a delta may hold.
#[derive(Default, Deserialize)]
#[serde(default)]
struct MessagePeek<'a> {
    #[serde(borrow)]
    content: Option<ContentPeek<'a>>,
    #[serde(borrow)]
    tool_plan: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ContentPeek<'a> {
    #[serde(borrow)]
    r#type: Option<Cow<'a, str>>,
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    #[serde(borrow)]
    thinking: Option<&'a RawValue>,
    #[serde(borrow)]
    signature: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

// === impl EventInspector ===

impl EventInspector {
    pub(super) fn new() -> Self {
        Self::default()
    }

    fn event(&mut self, name: Option<&[u8]>, data: &[u8]) -> Result<(), StreamFault> {
        let peek: Peek<'_> = serde_json::from_slice(data).map_err(|error| malformed(&error))?;
        let named = name.and_then(|name| std::str::from_utf8(name).ok());
        let kind = if peek.r#type.is_empty() {
            named.unwrap_or_default()
        } else {
            &*peek.r#type
        };
        match kind {
            "content-start" | "content-delta" | "tool-plan-delta" => {
                let message = peek.delta.and_then(|delta| delta.message);
                let message = message.and_then(|raw| serde_json::from_str(raw.get()).ok());
                let message: MessagePeek<'_> = message.unwrap_or_default();
                self.progress.content_started |= message.is_content();
            }
            "tool-call-start" | "citation-start" => self.progress.content_started = true,
            "message-end" => return self.message_end(peek.delta.unwrap_or_default()),
            "" if peek.message.is_some_and(|raw| raw.get().starts_with('"')) => {
                return Err(StreamFault::Provider(Box::new(error::decode_inside(data))));
            }
            _ => {}
        }
        Ok(())
    }

    fn message_end(&mut self, end: EndPeek<'_>) -> Result<(), StreamFault> {
        let usage = end.usage.and_then(types::usage);
        self.progress.usage = usage.or(self.progress.usage);
        let word = match (&end.finish_reason, &end.error) {
            (None, Some(_)) => "ERROR",
            (None, None) => return Ok(()),
            (Some(word), _) => word,
        };
        if let Some(reported) = error::of_finish(word, end.error) {
            return Err(StreamFault::Provider(Box::new(reported)));
        }
        if !self.progress.finished {
            self.progress.note_finish(types::finish_reason(word), 1);
        }
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
            self.done = true;
            // Every client takes it for the end: before the finish reason it must not get out.
            return match self.progress.finished {
                true => Ok(Verdict::Keep),
                false => Err(StreamFault::Incomplete),
            };
        }
        self.progress.events += 1;
        self.progress.written_bytes += self.meter.bytes(&data);
        match frame.event {
            // What passes most, and has nothing to tell once the answer has begun.
            Some(b"content-delta" | b"tool-call-delta" | b"tool-plan-delta")
                if self.progress.content_started && !self.progress.finished =>
            {
                check_readable(&data, FORMAT)?;
            }
            Some(b"error") => {
                return Err(StreamFault::Provider(Box::new(error::decode_inside(&data))));
            }
            name if !self.progress.finished => self.event(name, &data)?,
            // After its end every client has stopped reading.
            _ => return Ok(Verdict::Drop),
        }
        Ok(Verdict::Keep)
    }

    fn missing(&self) -> &'static [u8] {
        if self.done { b"" } else { b"data: [DONE]\n\n" }
    }

    fn progress(&self) -> &Progress {
        &self.progress
    }
}

// === impl MessagePeek ===

impl MessagePeek<'_> {
    fn is_content(&self) -> bool {
        let content = self.content.as_ref();
        is_something(self.tool_plan) || content.is_some_and(ContentPeek::is_content)
    }
}

// === impl ContentPeek ===

impl ContentPeek<'_> {
    /// Text and thinking begin empty; every other part is content from the start.
    fn is_content(&self) -> bool {
        match self.r#type.as_deref() {
            None | Some("text" | "thinking") => {
                [self.text, self.thinking, self.signature, self.data]
                    .into_iter()
                    .any(is_something)
            }
            Some(_) => true,
        }
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
    let peek: Peek<'_> = match serde_json::from_slice(body) {
        Ok(peek) => peek,
        Err(error) if error.is_eof() => return Err(StreamFault::Incomplete),
        Err(error) => return Err(malformed(&error)),
    };
    if peek.message.is_some_and(|raw| raw.get().starts_with('"')) {
        return Err(StreamFault::Provider(Box::new(error::decode_inside(body))));
    }
    let Some(word) = peek.finish_reason else {
        return Err(StreamFault::Incomplete);
    };
    if let Some(reported) = error::of_finish(&word, peek.error) {
        return Err(StreamFault::Provider(Box::new(reported)));
    }
    Ok(ResponseFacts {
        model: None,
        usage: peek.usage.and_then(types::usage),
        finish_reasons: vec![types::finish_reason(&word)],
    })
}

#[cfg(test)]
mod tests;
