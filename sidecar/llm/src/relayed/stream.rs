//! Streams of these operations. Their events say by their type what they are: `….delta`, `….partial_image`, `….segment`; and at
//! the end `….done` or `….completed`, with what was used
//! (<https://platform.openai.com/docs/api-reference/images-streaming>,
//! <https://platform.openai.com/docs/api-reference/audio/transcript-text-done-event>). Mistral's have other words before the
//! dot; vLLM streams transcripts as chunks of a chat, which `[DONE]` ends.

use fkm_dialect::RelayFormat;

use super::facts::Peek;
use crate::error::StreamFault;
use crate::json::string;
use crate::openai_error;
use crate::relay::Inspector;
use crate::sse::{DONE, Frame, Verdict};
use crate::stream::Progress;

/// Watches the events of one stream.
pub(super) struct EventInspector {
    format: RelayFormat,
    /// Events of the end that must come: one a picture asked for.
    ends: u64,
    ended: u64,
    progress: Progress,
}

// === impl EventInspector ===

impl EventInspector {
    pub(super) fn new(format: RelayFormat, pictures: u32) -> Self {
        let ends = if format.makes_images() { pictures } else { 1 };
        Self {
            format,
            ends: u64::from(ends.max(1)),
            ended: 0,
            progress: Progress::default(),
        }
    }

    fn ends(&mut self, peek: &Peek<'_>) {
        self.ended += 1;
        let (usage, measured) = peek.used(self.format);
        self.progress.usage = usage.or(self.progress.usage);
        let measure = &mut self.progress.measured;
        measure.audio_millis = measure.audio_millis.max(measured.audio_millis);
        if self.format.makes_images() {
            measure.images += 1;
        }
        self.progress.finished = self.ended >= self.ends;
    }
}

impl Inspector for EventInspector {
    fn inspect(&mut self, frame: &[u8]) -> Result<Verdict, StreamFault> {
        let frame = Frame::parse(frame);
        let Some(data) = frame.data.filter(|data| !data.is_empty()) else {
            return Ok(Verdict::Keep);
        };
        if &*data == DONE {
            // Whoever says so has said everything; but not before anything.
            return match self.progress.content_started {
                true => {
                    self.progress.finished = true;
                    Ok(Verdict::Keep)
                }
                false => Err(StreamFault::Incomplete),
            };
        }
        self.progress.events += 1;
        if frame.event == Some(b"error") {
            let error = openai_error::decode_inside(&data);
            return Err(StreamFault::Provider(Box::new(error)));
        }
        // A picture on its way is large, and says nothing else.
        if frame.event.is_some_and(goes_on) {
            self.progress.content_started = true;
            return Ok(Verdict::Keep);
        }
        let peek = Peek::of(&data)?;
        peek.check(&data)?;
        let kind = peek.r#type.and_then(string).unwrap_or_default();
        if kind == "error" {
            let error = openai_error::decode_inside(&data);
            return Err(StreamFault::Provider(Box::new(error)));
        }
        let ends = kind.ends_with(".done") || kind.ends_with(".completed");
        if ends {
            self.ends(&peek);
        }
        self.progress.content_started |= ends || goes_on(kind.as_bytes()) || peek.choices.is_some();
        Ok(Verdict::Keep)
    }

    fn missing(&self) -> &'static [u8] {
        b""
    }

    fn progress(&self) -> &Progress {
        &self.progress
    }
}

/// Whether an event of this type brings a part of the answer.
fn goes_on(kind: &[u8]) -> bool {
    let ends: [&[u8]; 3] = [b".delta", b".partial_image", b".segment"];
    ends.into_iter().any(|end| kind.ends_with(end))
}
