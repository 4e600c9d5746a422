//! Pass-through of OpenAI and its family: what is read from chunks and answers that are forwarded as they are, the same for
//! chats and completions.
//!
//! *Assumptions*: the keys `finish_reason`, `usage` and `error` are written without escapes. Nobody escapes them; a
//! stream that did would count as incomplete.

use std::borrow::Cow;

use fkm_dialect::{Format, StreamEnd};
use memchr::memmem::Finder;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::StreamFault;
use crate::format::{RelayOptions, ResponseFacts};
use crate::ir::{FinishReason, Usage};
use crate::openai_error as error;
use crate::openai_usage;
use crate::relay::{Inspector, check_readable};
use crate::sse::{DONE, Frame, Verdict};
use crate::stream::Progress;
use crate::written::Meter;

/// What differs between the formats whose chunks are watched.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wording {
    /// Which it is.
    pub(crate) format: Format,
    /// What a finish reason means in it.
    pub(crate) finish_reason: fn(&str) -> FinishReason,
    /// The member of a choice that holds its content, with its quotes.
    pub(crate) content: &'static str,
}

/// Watches the chunks of one stream.
pub(crate) struct ChunkInspector {
    wording: Wording,
    strip_usage: bool,
    /// Choices asked for.
    choices: usize,
    end: StreamEnd,
    /// The choices seen so far: their index and whether they are finished.
    seen: Vec<(u64, bool)>,
    done: bool,
    progress: Progress,
    meter: Meter,
    finish_reason: Finder<'static>,
    usage: Finder<'static>,
    error: Finder<'static>,
}

/// A chunk or a whole answer, as far as pass-through looks into it.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Peek<'a> {
    #[serde(borrow)]
    model: Option<&'a RawValue>,
    #[serde(borrow)]
    choices: Option<Vec<ChoicePeek<'a>>>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    service_tier: Option<&'a RawValue>,
    #[serde(borrow)]
    x_groq: Option<GroqPeek<'a>>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
}

/// Groq hides the usage of a stream in here.
#[derive(Default, Deserialize)]
#[serde(default)]
struct GroqPeek<'a> {
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ChoicePeek<'a> {
    index: Option<u64>,
    #[serde(borrow)]
    finish_reason: Option<Cow<'a, str>>,
    #[serde(borrow)]
    delta: Option<DeltaPeek<'a>>,
    /// In completions.
    #[serde(borrow)]
    text: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct DeltaPeek<'a> {
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning_content: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning_details: Option<&'a RawValue>,
    #[serde(borrow)]
    refusal: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_calls: Option<&'a RawValue>,
    #[serde(borrow)]
    function_call: Option<&'a RawValue>,
    #[serde(borrow)]
    audio: Option<&'a RawValue>,
    /// As routers to models that draw have them.
    #[serde(borrow)]
    images: Option<&'a RawValue>,
}

// === impl ChunkInspector ===

impl ChunkInspector {
    pub(crate) fn new(wording: Wording, options: &RelayOptions) -> Self {
        Self {
            wording,
            strip_usage: options.strip_usage,
            choices: options.choices.max(1) as usize,
            end: options.end,
            seen: Vec::new(),
            done: false,
            progress: Progress::default(),
            meter: Meter::new(wording.content),
            finish_reason: Finder::new("\"finish_reason\""),
            usage: Finder::new("\"usage\""),
            error: Finder::new("\"error\""),
        }
    }

    /// Whether a chunk can change what is known.
    fn matters(&self, data: &[u8]) -> bool {
        !self.progress.content_started
            || has_value(data, &self.finish_reason)
            || has_value(data, &self.usage)
            || has_value(data, &self.error)
    }

    fn chunk(&mut self, data: &[u8]) -> Result<Verdict, StreamFault> {
        let peek: Peek<'_> =
            serde_json::from_slice(data).map_err(|error| malformed(&error, self.wording.format))?;
        if peek.error.is_some_and(is_something) {
            return Err(StreamFault::Provider(Box::new(error::decode_inside(data))));
        }
        if self.progress.response_model.is_none() {
            self.progress.response_model = peek.model.and_then(text);
        }
        let usage = peek.usage();
        let choices = peek.choices.unwrap_or_default();
        for choice in &choices {
            self.choice(choice);
        }
        self.progress.usage = usage.or(self.progress.usage);
        match self.strip_usage && choices.is_empty() && usage.is_some() {
            true => Ok(Verdict::Drop),
            false => Ok(Verdict::Keep),
        }
    }

    fn choice(&mut self, choice: &ChoicePeek<'_>) {
        let said = choice.delta.as_ref().is_some_and(DeltaPeek::is_content);
        if said || choice.text.is_some_and(is_something) {
            self.progress.content_started = true;
        }
        let reason = choice.finish_reason.as_deref().unwrap_or_default();
        let index = choice.index.unwrap_or_default();
        let at = self.seen.iter().position(|(seen, _)| *seen == index);
        let at = at.unwrap_or_else(|| {
            self.seen.push((index, false));
            self.seen.len() - 1
        });
        if !reason.is_empty() && !self.seen[at].1 {
            self.seen[at].1 = true;
            self.progress.content_started = true;
            let reason = (self.wording.finish_reason)(reason);
            self.progress.finish_reasons.push(reason);
        }
        self.progress.finished =
            self.seen.len() >= self.choices && self.seen.iter().all(|(_, finished)| *finished);
    }

    /// The mark of the end stands for the finish reasons that never came.
    fn finish_all(&mut self) {
        for (_, finished) in self.seen.iter_mut().filter(|(_, finished)| !*finished) {
            *finished = true;
            self.progress.content_started = true;
            self.progress.finish_reasons.push(FinishReason::Stop);
        }
    }
}

impl Inspector for ChunkInspector {
    fn inspect(&mut self, frame: &[u8]) -> Result<Verdict, StreamFault> {
        let frame = Frame::parse(frame);
        let Some(data) = frame.data.filter(|data| !data.is_empty()) else {
            return Ok(Verdict::Keep);
        };
        if &*data == DONE {
            self.done = true;
            if self.end == StreamEnd::Mark {
                self.finish_all();
            }
            // Some providers give one choice, whatever was asked for: it is all that there will be.
            self.progress.finished |=
                !self.seen.is_empty() && self.seen.iter().all(|(_, finished)| *finished);
            // Every client takes `[DONE]` for the end: before the finish reason it must not get out.
            return match self.progress.finished {
                true => Ok(Verdict::Keep),
                false => Err(StreamFault::Incomplete),
            };
        }
        self.progress.events += 1;
        self.progress.written_bytes += self.meter.bytes(&data);
        if frame.event == Some(b"error") {
            return Err(StreamFault::Provider(Box::new(error::decode_inside(&data))));
        }
        if self.matters(&data) {
            self.chunk(&data)
        } else {
            check_readable(&data, self.wording.format).map(|()| Verdict::Keep)
        }
    }

    fn missing(&self) -> &'static [u8] {
        if self.done { b"" } else { b"data: [DONE]\n\n" }
    }

    fn progress(&self) -> &Progress {
        &self.progress
    }
}

// === impl Peek ===

impl Peek<'_> {
    fn usage(&self) -> Option<Usage> {
        let groq = self.x_groq.as_ref().and_then(|groq| groq.usage);
        let usage = openai_usage::read(self.usage.or(groq)?)?;
        Some(openai_usage::served(usage, self.service_tier))
    }
}

// === impl DeltaPeek ===

impl DeltaPeek<'_> {
    /// Whether there is more than a role: any text, reasoning, refusal or tool call.
    fn is_content(&self) -> bool {
        [
            self.content,
            self.reasoning,
            self.reasoning_content,
            self.reasoning_details,
            self.refusal,
            self.tool_calls,
            self.function_call,
            self.audio,
            self.images,
        ]
        .into_iter()
        .flatten()
        .any(is_something)
    }
}

/// Whether a value says anything.
fn is_something(raw: &RawValue) -> bool {
    !matches!(raw.get(), "null" | "\"\"" | "[]" | "{}" | "false")
}

fn text(raw: &RawValue) -> Option<String> {
    let text: String = serde_json::from_str(raw.get()).ok()?;
    (!text.is_empty()).then_some(text)
}

/// Whether the key that `finder` looks for (with its quotes) has a value in `data` other than `null` and `""`.
fn has_value(data: &[u8], finder: &Finder<'_>) -> bool {
    let mut rest = data;
    while let Some(at) = finder.find(rest) {
        rest = &rest[at + finder.needle().len()..];
        let value = rest.trim_ascii_start();
        let Some(value) = value.strip_prefix(b":").map(<[u8]>::trim_ascii_start) else {
            continue;
        };
        if !value.starts_with(b"null") && !value.starts_with(b"\"\"") {
            return true;
        }
    }
    false
}

fn malformed(error: &serde_json::Error, format: Format) -> StreamFault {
    // The text of the error may quote the answer; its place does not.
    StreamFault::Malformed {
        detail: format!("not a chunk of {format} at column {}", error.column()),
    }
}

/// Reads what pass-through must know of a whole answer.
pub(crate) fn facts(wording: Wording, body: &[u8]) -> Result<ResponseFacts, StreamFault> {
    let peek: Peek<'_> = match serde_json::from_slice(body) {
        Ok(peek) => peek,
        Err(error) if error.is_eof() => return Err(StreamFault::Incomplete),
        Err(error) => return Err(malformed(&error, wording.format)),
    };
    if peek.error.is_some_and(is_something) {
        return Err(StreamFault::Provider(Box::new(error::decode_inside(body))));
    }
    let usage = peek.usage();
    let choices = peek.choices.unwrap_or_default();
    let finish_reasons: Option<Vec<FinishReason>> = choices
        .iter()
        .map(|choice| {
            let word = choice.finish_reason.as_deref();
            word.map(wording.finish_reason)
        })
        .collect();
    match finish_reasons {
        Some(finish_reasons) if !finish_reasons.is_empty() => Ok(ResponseFacts {
            model: peek.model.and_then(text),
            usage,
            finish_reasons,
        }),
        _ => Err(StreamFault::Incomplete),
    }
}

#[cfg(test)]
mod tests;
