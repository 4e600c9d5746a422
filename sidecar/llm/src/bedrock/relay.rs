//! Pass-through: what is read from frames and answers that are forwarded as they are.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::bedrock::frame::{Frame, FrameSplitter, Kind};
use crate::bedrock::{FORMAT, error, types};
use crate::error::StreamFault;
use crate::format::ResponseFacts;
use crate::sse::Verdict;
use crate::stream::{Progress, StreamTransform};
use crate::written::Meter;

/// Forwards the frames of one stream and watches them.
///
/// A stream may close between its stop reason and the frame with its usage: it is complete, and its usage is not made up here.
pub(super) struct FrameRelay {
    splitter: FrameSplitter,
    progress: Progress,
    meter: Meter,
}

/// A payload, as far as pass-through looks into it.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Peek<'a> {
    #[serde(borrow)]
    delta: Option<DeltaPeek<'a>>,
    #[serde(borrow)]
    stop_reason: Option<Cow<'a, str>>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    service_tier: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct DeltaPeek<'a> {
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning_content: Option<ReasoningPeek<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ReasoningPeek<'a> {
    #[serde(borrow)]
    text: Option<&'a RawValue>,
}

/// A whole answer.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct AnswerPeek<'a> {
    #[serde(borrow)]
    output: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow)]
    stop_reason: Option<Cow<'a, str>>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    service_tier: Option<&'a RawValue>,
}

// === impl FrameRelay ===

impl FrameRelay {
    pub(super) fn new() -> Self {
        Self {
            splitter: FrameSplitter::default(),
            progress: Progress::default(),
            meter: Meter::default(),
        }
    }
}

impl StreamTransform for FrameRelay {
    fn push(&mut self, chunk: Bytes, out: &mut Vec<Bytes>) -> Result<(), StreamFault> {
        let (progress, meter) = (&mut self.progress, &self.meter);
        self.splitter
            .relay(&chunk, out, |frame| inspect(frame, progress, meter))
    }

    fn end(&mut self, _out: &mut Vec<Bytes>) -> Result<(), StreamFault> {
        match self.progress.finished {
            true => Ok(()),
            false => Err(StreamFault::Incomplete),
        }
    }

    fn progress(&self) -> &Progress {
        &self.progress
    }
}

fn inspect(frame: &[u8], progress: &mut Progress, meter: &Meter) -> Result<Verdict, StreamFault> {
    let frame = Frame::parse(frame)?;
    progress.events += 1;
    progress.written_bytes += meter.bytes(frame.payload());
    if let Some(reported) = error::decode_frame(&frame) {
        return Err(StreamFault::Provider(Box::new(reported)));
    }
    let peek = || serde_json::from_slice::<Peek<'_>>(frame.payload()).map_err(|e| malformed(&e));
    match frame.kind() {
        Kind::Event("contentBlockStart") => progress.content_started = true,
        // What passes most, and has nothing to tell once the answer has begun.
        Kind::Event("contentBlockDelta") if !progress.content_started => {
            progress.content_started = peek()?.delta.unwrap_or_default().is_content();
        }
        Kind::Event("messageStop") if !progress.finished => {
            let word = peek()?.stop_reason.ok_or(StreamFault::Incomplete)?;
            let reason = types::finish_reason(&word).map_err(StreamFault::Provider)?;
            progress.note_finish(reason, 1);
        }
        Kind::Event("metadata") => {
            let late = peek()?;
            if let Some(usage) = late.usage.and_then(types::usage) {
                progress.usage = Some(types::served(usage, late.service_tier));
            }
        }
        _ => {}
    }
    Ok(Verdict::Keep)
}

// === impl DeltaPeek ===

impl DeltaPeek<'_> {
    /// Text and thinking may be empty; everything else is content.
    fn is_content(&self) -> bool {
        let thought = self.reasoning_content.as_ref().map(|thought| thought.text);
        match (self.text, thought) {
            (Some(text), _) | (_, Some(Some(text))) => text.get() != "\"\"",
            _ => true,
        }
    }
}

fn malformed(error: &serde_json::Error) -> StreamFault {
    // The text of the error may quote the answer; its place does not.
    StreamFault::Malformed {
        detail: format!("not a payload of {FORMAT} at column {}", error.column()),
    }
}

/// Reads what pass-through must know of a whole answer.
pub(super) fn facts(body: &[u8]) -> Result<ResponseFacts, StreamFault> {
    let answer: AnswerPeek<'_> = match serde_json::from_slice(body) {
        Ok(answer) => answer,
        Err(error) if error.is_eof() => return Err(StreamFault::Incomplete),
        Err(error) => return Err(malformed(&error)),
    };
    if answer.output.is_none() && answer.message.is_some() {
        return Err(StreamFault::Provider(Box::new(error::decode_inside(body))));
    }
    let Some(word) = answer.stop_reason else {
        return Err(StreamFault::Incomplete);
    };
    let reason = types::finish_reason(&word).map_err(StreamFault::Provider)?;
    let usage = answer.usage.and_then(types::usage);
    Ok(ResponseFacts {
        model: None,
        usage: usage.map(|usage| types::served(usage, answer.service_tier)),
        finish_reasons: vec![reason],
    })
}

#[cfg(test)]
mod tests;
