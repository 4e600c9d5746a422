//! Streams: decoder, encoder, and the one interface for pass-through and translation.

pub(crate) mod framed;

use bytes::Bytes;

use crate::error::StreamFault;
use crate::ir::{Event, FinishReason, Usage};

/// Bytes of a provider's stream in, events out.
pub trait StreamDecoder: Send {
    /// Takes the next bytes, however they are cut. Events that precede a fault are in `out` when it is returned.
    fn push(&mut self, chunk: &[u8], out: &mut Vec<Event>) -> Result<(), StreamFault>;

    /// Whether the format's own mark of the end has come: nothing of worth can follow.
    fn ended(&self) -> bool;

    /// The stream ended, cleanly or not. `Ok` only when it was complete.
    fn end(&mut self, out: &mut Vec<Event>) -> Result<(), StreamFault>;
}

/// Events in, bytes of a client's stream out.
pub trait StreamEncoder: Send {
    /// Takes the next event.
    fn push(&mut self, event: &Event, out: &mut Vec<Bytes>);

    /// The answer is complete: writes what the format ends a stream with.
    fn end(&mut self, out: &mut Vec<Bytes>);
}

/// A provider's stream on its way to the client; the same for pass-through and translation.
///
/// *Guarantees*: what is in `out` may be sent at once; after an `Err` nothing more comes, and what was put in `out`
/// before it is still whole frames. Work is linear in the bytes received.
pub trait StreamTransform: Send {
    /// Takes the next bytes, however they are cut.
    fn push(&mut self, chunk: Bytes, out: &mut Vec<Bytes>) -> Result<(), StreamFault>;

    /// The upstream body ended, cleanly or not. `Ok` only when the stream was complete (every finish reason seen);
    /// then `out` holds what was missing to complete it for the client.
    fn end(&mut self, out: &mut Vec<Bytes>) -> Result<(), StreamFault>;

    /// What has been seen so far.
    fn progress(&self) -> &Progress;
}

/// What a transform has seen of its stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The first content was seen (text, reasoning, refusal or tool call; or a finish reason without any): from here on
    /// nothing can be taken back.
    pub content_started: bool,
    /// Every choice has its finish reason.
    pub finished: bool,
    /// The last usage seen; see [`Progress::accounted_usage`].
    pub usage: Option<Usage>,
    /// Bytes of text, thoughts, refusals and arguments so far.
    pub written_bytes: u64,
    /// The model that answers, as the provider names it.
    pub response_model: Option<String>,
    /// The finish reasons, in the order of their arrival.
    pub finish_reasons: Vec<FinishReason>,
    /// What is counted beside tokens.
    pub measured: Measured,
    /// Received so far: frames with data when passed through, events when translated.
    pub events: u64,
}

/// What is counted of an answer beside tokens, as its provider tells it. 0: not told, or none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// Pictures that it holds.
    pub images: u64,
    /// How long the sound was that was listened to, in milliseconds.
    pub audio_millis: u64,
}

/// What a token is taken to be long where nobody counted: about four bytes of English.
pub const BYTES_PER_TOKEN: u64 = 4;

// === impl Progress ===

impl Progress {
    /// Counts a decoded event in.
    pub(crate) fn note(&mut self, event: &Event, choices: u32) {
        self.events += 1;
        match event {
            Event::Start(start) => self.response_model.clone_from(&start.model),
            Event::BlockStart { start, .. } => self.content_started |= start.is_content(),
            Event::Delta { delta, .. } => {
                self.content_started |= delta.is_content();
                self.written_bytes += delta.written_bytes();
            }
            Event::BlockStop { .. } | Event::Error(_) => {}
            Event::Usage(usage) => self.usage = Some(*usage),
            Event::Stop { reason, .. } => self.note_finish(reason.clone(), choices),
        }
    }

    /// What to account for the stream, now that nothing more of it comes; `None` when nothing is known.
    ///
    /// The provider's own word where it came with the whole answer. Else an estimate, marked so: of the output a token for
    /// every [`BYTES_PER_TOKEN`] bytes written, rounded up, and no less than the provider has told so far; of the input what
    /// the provider told at the start (Anthropic does), otherwise 0, for it is not known.
    pub fn accounted_usage(&self) -> Option<Usage> {
        let written = self.written_bytes.div_ceil(BYTES_PER_TOKEN);
        match self.usage {
            Some(usage) if self.finished && (usage.output_tokens > 0 || written == 0) => {
                Some(usage)
            }
            None if written == 0 => None,
            usage => {
                let told = usage.unwrap_or_default();
                Some(Usage {
                    output_tokens: told.output_tokens.max(written),
                    estimated: true,
                    ..told
                })
            }
        }
    }

    /// Counts a choice as finished, of `choices` asked for.
    pub(crate) fn note_finish(&mut self, reason: FinishReason, choices: u32) {
        self.content_started = true;
        self.finish_reasons.push(reason);
        self.finished = self.finish_reasons.len() >= choices as usize;
    }
}

#[cfg(test)]
mod tests;
