//! One choice of a stream that is decoded: which part is open, and what belongs to it.

mod calls;
mod thoughts;

use crate::error::DecodeError;
use crate::ir::{BlockStart, Delta, Event, Extra, FinishReason, OutputPart, Reasoning, Text};
use crate::json::{Object, array};
use crate::openai_chat::reasoning::Entry;
use crate::openai_chat::response::OF_MESSAGE;
use crate::openai_chat::stream::logprobs::Logprobs;
use crate::openai_chat::stream::plain::Piece;
use crate::openai_chat::{FORMAT, content, types};

/// A choice on its way.
pub(super) struct Choice {
    index: u32,
    /// The number of the next part.
    next: u32,
    open: Open,
    /// Thoughts that cannot be read, until the readable ones around them are complete.
    hidden: Vec<Entry>,
    /// The number of the last call, as the provider counts.
    last_call: Option<u64>,
    any_call: bool,
    logprobs: Logprobs,
    extra: Extra,
    finished: bool,
}

/// The part that grows.
enum Open {
    Nothing,
    Text,
    Refusal,
    /// With the members of its entry, when it has one.
    Reasoning(Option<Entry>),
    /// With its id.
    Call(String),
}

// === impl Choice ===

impl Choice {
    pub(super) fn new(index: u32) -> Self {
        Self {
            index,
            next: 0,
            open: Open::Nothing,
            hidden: Vec::new(),
            last_call: None,
            any_call: false,
            logprobs: Logprobs::default(),
            extra: Extra::default(),
            finished: false,
        }
    }

    pub(super) fn finished(&self) -> bool {
        self.finished
    }

    /// Takes this choice's share of a chunk. What follows the finish reason has nothing to add.
    pub(super) fn chunk(
        &mut self,
        mut object: Object<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        if self.finished {
            return Ok(());
        }
        let finish_reason = object.string("finish_reason")?;
        if let Some(raw) = object.raw("logprobs") {
            self.logprobs.add(raw)?;
        }
        let path = object.path().member("delta");
        if let Some(raw) = object.raw("delta") {
            self.delta(Object::from_raw(raw, &path)?, out)?;
        }
        object.rest_into(&mut self.extra, FORMAT, "");
        if let Some(word) = finish_reason.filter(|word| !word.is_empty()) {
            self.finish(types::finish_reason(&word), out);
        }
        Ok(())
    }

    /// Adds to the part that is open; false when the piece is not for it.
    pub(super) fn grow(&mut self, piece: Piece<'_>, out: &mut Vec<Event>) -> bool {
        let delta = match (&self.open, piece) {
            _ if self.finished => return false,
            (Open::Text, Piece::Text(text)) => Delta::Text(text.into_owned()),
            (Open::Reasoning(_), Piece::Thinking(text)) => Delta::Reasoning(text.into_owned()),
            (Open::Call(_), Piece::Arguments(number, text)) if self.last_call == Some(number) => {
                Delta::Arguments(text.into_owned())
            }
            _ => return false,
        };
        self.add(delta, out);
        true
    }

    /// Ends the choice.
    pub(super) fn finish(&mut self, reason: FinishReason, out: &mut Vec<Event>) {
        self.close(out);
        self.flush_hidden(out);
        self.finished = true;
        if let Some(logprobs) = std::mem::take(&mut self.logprobs).into_raw() {
            self.extra.insert(FORMAT, "logprobs", logprobs);
        }
        out.push(Event::Stop {
            choice: self.index,
            reason: match reason {
                // Providers differ in what they say when a tool was forced.
                FinishReason::Stop if self.any_call => FinishReason::ToolCalls,
                reason => reason,
            },
            extra: std::mem::take(&mut self.extra),
        });
    }

    fn delta(
        &mut self,
        mut delta: Object<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        delta.raw("role");
        self.reasoning(&mut delta, out)?;
        let path = delta.path().member("content");
        for part in content::decode_output(delta.raw("content"), &path)? {
            self.part(part, out);
        }
        self.annotations(&mut delta, out)?;
        if let Some(text) = delta.string("refusal")?.filter(|text| !text.is_empty()) {
            self.refusal(text, out);
        }
        for image in content::drawn::take(&mut delta) {
            self.part(OutputPart::Image(image), out);
        }
        let path = delta.path().member("tool_calls");
        if let Some(raw) = delta.raw("tool_calls") {
            for (index, raw) in array(raw, &path)?.into_iter().enumerate() {
                self.call(Object::from_raw(raw, &path.item(index))?, out)?;
            }
        }
        self.function_call(&mut delta, out)?;
        delta.rest_into(&mut self.extra, FORMAT, OF_MESSAGE);
        Ok(())
    }

    fn part(&mut self, part: OutputPart, out: &mut Vec<Event>) {
        match part {
            OutputPart::Text(text) => self.text(text, out),
            OutputPart::Reasoning(Reasoning { text, .. }) => {
                self.plain_reasoning(text.unwrap_or_default(), out);
            }
            OutputPart::Refusal(text) => self.refusal(text, out),
            OutputPart::Image(image) => {
                self.begin(BlockStart::Image(image), Open::Nothing, out);
                self.stop(out);
            }
            OutputPart::Opaque(raw) => {
                self.begin(BlockStart::Opaque(raw), Open::Nothing, out);
                self.stop(out);
            }
            // Not among the parts of a content.
            OutputPart::ToolCall(_) => {}
        }
    }

    fn text(&mut self, text: Text, out: &mut Vec<Event>) {
        if text.text.is_empty() && text.extra.is_empty() {
            return;
        }
        if !matches!(self.open, Open::Text) || !text.extra.is_empty() {
            let start = BlockStart::Text { extra: text.extra };
            self.begin(start, Open::Text, out);
        }
        self.add(Delta::Text(text.text), out);
    }

    fn annotations(
        &mut self,
        delta: &mut Object<'_, '_>,
        out: &mut Vec<Event>,
    ) -> Result<(), DecodeError> {
        let path = delta.path().member("annotations");
        let Some(raw) = delta.raw("annotations") else {
            return Ok(());
        };
        for raw in array(raw, &path)? {
            if !matches!(self.open, Open::Text) {
                let extra = Extra::default();
                self.begin(BlockStart::Text { extra }, Open::Text, out);
            }
            self.add(Delta::Citation(types::citation(raw)), out);
        }
        Ok(())
    }

    fn refusal(&mut self, text: String, out: &mut Vec<Event>) {
        if !matches!(self.open, Open::Refusal) {
            self.begin(BlockStart::Refusal, Open::Refusal, out);
        }
        self.add(Delta::Refusal(text), out);
    }

    fn begin(&mut self, start: BlockStart, open: Open, out: &mut Vec<Event>) {
        self.close(out);
        self.flush_hidden(out);
        self.start(start, out);
        self.open = open;
    }

    /// Begins plain thinking: hidden thoughts go on beside it.
    fn begin_beside_hidden(&mut self, start: BlockStart, open: Open, out: &mut Vec<Event>) {
        self.close(out);
        self.start(start, out);
        self.open = open;
    }

    fn start(&mut self, start: BlockStart, out: &mut Vec<Event>) {
        self.next += 1;
        out.push(Event::BlockStart {
            choice: self.index,
            block: self.next - 1,
            start,
        });
    }

    fn add(&mut self, delta: Delta, out: &mut Vec<Event>) {
        out.push(Event::Delta {
            choice: self.index,
            block: self.next - 1,
            delta,
        });
    }

    fn stop(&mut self, out: &mut Vec<Event>) {
        out.push(Event::BlockStop {
            choice: self.index,
            block: self.next - 1,
        });
    }

    /// Ends the part that is open.
    fn close(&mut self, out: &mut Vec<Event>) {
        match std::mem::replace(&mut self.open, Open::Nothing) {
            Open::Nothing => return,
            Open::Reasoning(Some(entry)) => {
                if let Some(state) = entry.into_state() {
                    self.add(Delta::State(state), out);
                }
            }
            Open::Text | Open::Refusal | Open::Reasoning(None) | Open::Call(_) => {}
        }
        self.stop(out);
    }
}
