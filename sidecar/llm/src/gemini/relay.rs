//! Pass-through: what is read from pieces and answers that are forwarded as they are.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::{Bytes, BytesMut};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::error::StreamFault;
use crate::format::{RelayOptions, ResponseFacts};
use crate::gemini::stream::{Elements, Piece, hold};
use crate::gemini::{FORMAT, error, finish, types};
use crate::ir::FinishReason;
use crate::relay::{Inspector, Relay};
use crate::sse::{DONE, Frame, Verdict};
use crate::stream::{Progress, StreamTransform};

/// Passes one stream through, however it is divided: the first byte shows it.
pub(super) enum StreamRelay {
    /// Nothing has come.
    Unknown(Watcher),
    Events(Relay<Watcher>),
    Array(ArrayRelay),
}

/// Forwards whole elements.
pub(super) struct ArrayRelay {
    elements: Elements,
    held: BytesMut,
    watcher: Watcher,
}

/// Watches the pieces of one stream.
#[derive(Default)]
pub(super) struct Watcher {
    /// Candidates asked for.
    choices: usize,
    /// The candidates seen so far.
    seen: BTreeMap<u32, Seen>,
    progress: Progress,
}

/// What was seen of one candidate.
#[derive(Default)]
struct Seen {
    called: bool,
    finished: bool,
}

/// A piece or a whole answer, as far as pass-through looks into it.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Peek<'a> {
    #[serde(borrow)]
    candidates: Option<Vec<CandidatePeek<'a>>>,
    #[serde(borrow)]
    usage_metadata: Option<&'a RawValue>,
    #[serde(borrow)]
    model_version: Option<Cow<'a, str>>,
    prompt_feedback: Option<FeedbackPeek>,
    error: Option<IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct CandidatePeek<'a> {
    index: Option<u32>,
    #[serde(borrow)]
    content: Option<ContentPeek<'a>>,
    #[serde(borrow)]
    finish_reason: Option<&'a RawValue>,
    #[serde(borrow)]
    finish_message: Option<Cow<'a, str>>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ContentPeek<'a> {
    #[serde(borrow)]
    parts: Option<Vec<PartPeek<'a>>>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PartPeek<'a> {
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    function_call: Option<IgnoredAny>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct FeedbackPeek {
    block_reason: Option<IgnoredAny>,
}

// === impl StreamRelay ===

impl StreamRelay {
    pub(super) fn new(options: &RelayOptions) -> Self {
        Self::Unknown(Watcher {
            choices: options.choices.max(1) as usize,
            seen: BTreeMap::new(),
            progress: Progress::default(),
        })
    }
}

impl StreamTransform for StreamRelay {
    fn push(&mut self, chunk: Bytes, out: &mut Vec<Bytes>) -> Result<(), StreamFault> {
        if let Self::Unknown(watcher) = self
            && let Some(first) = chunk.first()
        {
            let watcher = std::mem::take(watcher);
            *self = match first {
                b'[' => Self::Array(ArrayRelay {
                    elements: Elements::default(),
                    held: BytesMut::new(),
                    watcher,
                }),
                _ => Self::Events(Relay::new(watcher)),
            };
        }
        match self {
            Self::Unknown(_) => Ok(()),
            Self::Events(relay) => relay.push(chunk, out),
            Self::Array(relay) => relay.push(&chunk, out),
        }
    }

    fn end(&mut self, out: &mut Vec<Bytes>) -> Result<(), StreamFault> {
        match self {
            Self::Unknown(_) => Err(StreamFault::Incomplete),
            Self::Events(relay) => relay.end(out),
            Self::Array(relay) => relay.end(out),
        }
    }

    fn progress(&self) -> &Progress {
        match self {
            Self::Unknown(watcher) => &watcher.progress,
            Self::Events(relay) => relay.progress(),
            Self::Array(relay) => &relay.watcher.progress,
        }
    }
}

// === impl ArrayRelay ===

impl ArrayRelay {
    fn push(&mut self, chunk: &Bytes, out: &mut Vec<Bytes>) -> Result<(), StreamFault> {
        let mut at = 0;
        while let Some((length, piece)) = self.elements.find(&chunk[at..])? {
            let bytes = match self.held.is_empty() {
                true => chunk.slice(at..at + length),
                false => {
                    hold(&mut self.held, &chunk[at..at + length])?;
                    self.held.split().freeze()
                }
            };
            match piece {
                Piece::Element => self.watcher.piece(Elements::element(&bytes))?,
                // Every client takes it for the end: before the finish reason it must not get out.
                Piece::End if !self.watcher.progress.finished => {
                    return Err(StreamFault::Incomplete);
                }
                Piece::End => {}
            }
            out.push(bytes);
            at += length;
        }
        if self.elements.closed() && at < chunk.len() {
            // White space after the end.
            out.push(chunk.slice(at..));
            return Ok(());
        }
        hold(&mut self.held, &chunk[at..])
    }

    fn end(&mut self, out: &mut Vec<Bytes>) -> Result<(), StreamFault> {
        if !self.watcher.progress.finished {
            return Err(StreamFault::Incomplete);
        }
        if !self.elements.closed() {
            out.push(Bytes::from_static(b"]"));
        }
        Ok(())
    }
}

// === impl Watcher ===

impl Watcher {
    fn piece(&mut self, data: &[u8]) -> Result<(), StreamFault> {
        self.progress.events += 1;
        let peek: Peek<'_> = serde_json::from_slice(data).map_err(|error| malformed(&error))?;
        peek.check(data)?;
        if self.progress.response_model.is_none() {
            self.progress.response_model = peek.model();
        }
        let usage = peek.usage_metadata.and_then(types::usage);
        self.progress.usage = usage.or(self.progress.usage);
        let blocked = peek.is_blocked() && self.seen.is_empty();
        for (position, candidate) in (0..).zip(peek.candidates.unwrap_or_default()) {
            self.candidate(&candidate, position)?;
        }
        if blocked {
            self.progress.note_finish(FinishReason::ContentFilter, 1);
        }
        Ok(())
    }

    fn candidate(
        &mut self,
        candidate: &CandidatePeek<'_>,
        position: u32,
    ) -> Result<(), StreamFault> {
        self.progress.content_started |= candidate.has_content();
        let index = candidate.index.unwrap_or(position);
        let state = self.seen.entry(index).or_default();
        state.called |= candidate.has_call();
        if let Some(reason) = candidate.reason(state.called)?
            && !std::mem::replace(&mut state.finished, true)
        {
            self.progress.content_started = true;
            self.progress.finish_reasons.push(reason);
        }
        self.progress.finished =
            self.seen.len() >= self.choices && self.seen.values().all(|state| state.finished);
        Ok(())
    }
}

impl Inspector for Watcher {
    fn inspect(&mut self, frame: &[u8]) -> Result<Verdict, StreamFault> {
        if let Some(data) = Frame::parse(frame).data
            && !data.is_empty()
            && &*data != DONE
        {
            self.piece(&data)?;
        }
        Ok(Verdict::Keep)
    }

    /// The format has no mark of the end.
    fn missing(&self) -> &'static [u8] {
        b""
    }

    fn progress(&self) -> &Progress {
        &self.progress
    }
}

// === impl Peek ===

impl Peek<'_> {
    /// Gives the error that this is.
    fn check(&self, data: &[u8]) -> Result<(), StreamFault> {
        match self.error.is_some().then(|| error::inside(data)).flatten() {
            Some(reported) => Err(StreamFault::Provider(Box::new(reported))),
            None => Ok(()),
        }
    }

    fn model(&self) -> Option<String> {
        let model = self.model_version.as_deref();
        model.filter(|model| !model.is_empty()).map(str::to_owned)
    }

    /// Whether the prompt was refused.
    fn is_blocked(&self) -> bool {
        let none = self.candidates.as_ref().is_none_or(Vec::is_empty);
        let feedback = self.prompt_feedback.as_ref();
        none && feedback.is_some_and(|feedback| feedback.block_reason.is_some())
    }
}

// === impl CandidatePeek ===

impl CandidatePeek<'_> {
    fn parts(&self) -> &[PartPeek<'_>] {
        let parts = self
            .content
            .as_ref()
            .and_then(|content| content.parts.as_ref());
        parts.map_or(&[], Vec::as_slice)
    }

    /// Any text, or a part of another kind.
    fn has_content(&self) -> bool {
        let said = |part: &PartPeek<'_>| part.text.is_none_or(|text| text.get() != "\"\"");
        self.parts().iter().any(said)
    }

    fn has_call(&self) -> bool {
        self.parts().iter().any(|part| part.function_call.is_some())
    }

    /// Why it ended, if it did.
    fn reason(&self, called: bool) -> Result<Option<FinishReason>, StreamFault> {
        let Some(word) = self.finish_reason.and_then(finish::word) else {
            return Ok(None);
        };
        match finish::meaning(&word, self.finish_message.as_deref()) {
            Ok(FinishReason::Stop) if called => Ok(Some(FinishReason::ToolCalls)),
            Ok(reason) => Ok(Some(reason)),
            Err(failure) => Err(StreamFault::Provider(failure)),
        }
    }
}

fn malformed(error: &serde_json::Error) -> StreamFault {
    // The text of the error may quote the answer; its place does not.
    StreamFault::Malformed {
        detail: format!("not a piece of {FORMAT} at column {}", error.column()),
    }
}

/// Reads what pass-through must know of a whole answer.
pub(super) fn facts(body: &[u8]) -> Result<ResponseFacts, StreamFault> {
    let peek: Peek<'_> = match serde_json::from_slice(body) {
        Ok(peek) => peek,
        Err(error) if error.is_eof() => return Err(StreamFault::Incomplete),
        Err(error) => {
            return Err(match error::inside(body) {
                Some(reported) => StreamFault::Provider(Box::new(reported)),
                None => malformed(&error),
            });
        }
    };
    peek.check(body)?;
    let mut finish_reasons = Vec::new();
    if peek.is_blocked() {
        finish_reasons.push(FinishReason::ContentFilter);
    }
    for candidate in peek.candidates.iter().flatten() {
        let reason = candidate.reason(candidate.has_call())?;
        finish_reasons.push(reason.ok_or(StreamFault::Incomplete)?);
    }
    if finish_reasons.is_empty() {
        return Err(StreamFault::Incomplete);
    }
    Ok(ResponseFacts {
        model: peek.model(),
        usage: peek.usage_metadata.and_then(types::usage),
        finish_reasons,
    })
}
