//! Events to events of the wire.
//!
//! Clients of this format expect every item to be begun and ended, its pieces too, and the whole answer once more at the
//! end: what was told is kept until then.

mod message;
mod open;
mod told;

use bytes::Bytes;

use crate::error::ClientError;
use crate::format::StreamOptions;
use crate::ir::{BlockStart, Event, Extra, FinishReason, Opaque, Start, Usage};
use crate::openai_responses::ids::Mint;
use crate::openai_responses::response::{Shown, status_of_last};
use crate::openai_responses::stream::encode::message::Message;
use crate::openai_responses::stream::encode::open::Open;
use crate::openai_responses::stream::encode::told::Told;
use crate::openai_responses::types::Status;
use crate::openai_responses::{FORMAT, error, output};
use crate::stream::StreamEncoder;

/// Encodes one stream. This format gives one answer: other choices than the first are left out.
pub(in crate::openai_responses) struct Encoder {
    options: StreamOptions,
    head: Start,
    started: bool,
    told: Told,
    open: Option<Open>,
    /// The block that is told: its number in the events.
    block: Option<u32>,
    usage: Option<Usage>,
    stop: Option<(FinishReason, Extra)>,
}

// === impl Encoder ===

impl Encoder {
    pub(in crate::openai_responses) fn new(options: &StreamOptions) -> Self {
        Self {
            options: options.clone(),
            head: Start::default(),
            started: false,
            told: Told::default(),
            open: None,
            block: None,
            usage: None,
            stop: None,
        }
    }

    fn start(&mut self, out: &mut Vec<Bytes>) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        self.told.mint = Mint::new(self.head.id.as_deref());
        let status = Status {
            status: "in_progress",
            reason: None,
        };
        for kind in ["response.created", "response.in_progress"] {
            self.answer(kind, status, None, out);
        }
    }

    /// An event that carries the answer as far as it is.
    fn answer(
        &mut self,
        kind: &str,
        status: Status<'_>,
        error: Option<(&str, &str)>,
        out: &mut Vec<Bytes>,
    ) {
        let none = Extra::default();
        let end = self.stop.as_ref().map_or(&none, |(_, extra)| extra);
        let model = self.options.model.as_deref();
        let shown = Shown {
            id: self.head.id.as_deref(),
            created: self.head.created.unwrap_or(self.options.created),
            model: model.or(self.head.model.as_deref()),
            status,
            error,
            usage: self.usage,
            extra: [&self.head.extra, end],
        };
        let items = std::mem::take(&mut self.told.items);
        out.push(self.told.frame(kind, |object| {
            let response = object.key("response");
            shown.write(response, |out| out.extend_from_slice(&items));
        }));
        self.told.items = items;
    }

    fn begin(&mut self, block: u32, start: &BlockStart, out: &mut Vec<Bytes>) {
        self.start(out);
        self.block = Some(block);
        match start {
            BlockStart::Text { extra } => self.begin_text(extra, out),
            BlockStart::Refusal => {
                self.begin_message(&Extra::default(), out);
                if let Some(Open::Message(message)) = &mut self.open {
                    message.begin_refusal(&mut self.told, out);
                }
            }
            BlockStart::Reasoning { extra } => {
                self.close(out);
                self.open = Some(Open::thought(extra, &mut self.told, out));
            }
            BlockStart::HiddenReasoning { state, .. } => {
                self.close(out);
                self.told.hidden(state, out);
            }
            BlockStart::ToolCall {
                id,
                name,
                state,
                extra,
            } => {
                self.close(out);
                if let Some(state) = state {
                    self.told.hidden(state, out);
                }
                self.open = Some(Open::call((id, name), extra, &mut self.told, out));
            }
            BlockStart::Image(image) => {
                self.close(out);
                self.told.drawn(image, out);
            }
            BlockStart::Opaque(raw) => self.step(raw, out),
        }
    }

    fn begin_text(&mut self, extra: &Extra, out: &mut Vec<Bytes>) {
        if output::begins_item(extra) {
            self.close(out);
        }
        self.begin_message(extra, out);
        if let Some(Open::Message(message)) = &mut self.open {
            message.begin_text(extra, &mut self.told, out);
        }
    }

    /// What is said goes on in the message that is open.
    fn begin_message(&mut self, extra: &Extra, out: &mut Vec<Bytes>) {
        if !matches!(self.open, Some(Open::Message(_))) {
            self.close(out);
            let message = Message::new(extra, &mut self.told, out);
            self.open = Some(Open::Message(message));
        }
    }

    /// A step of the provider; one of another format has no place.
    fn step(&mut self, raw: &Opaque, out: &mut Vec<Bytes>) {
        if raw.origin != FORMAT {
            return;
        }
        if output::is_piece_of_message(raw) {
            self.begin_message(&Extra::default(), out);
            if let Some(Open::Message(message)) = &mut self.open {
                message.other(&raw.bytes, &mut self.told, out);
            }
        } else {
            self.close(out);
            self.told
                .added(|out| out.extend_from_slice(&raw.bytes), out);
            self.told.done(&raw.bytes, out);
        }
    }

    /// Ends the open item.
    fn close(&mut self, out: &mut Vec<Bytes>) {
        let status = self.stop.as_ref().map_or("completed", |(reason, _)| {
            status_of_last(Status::of(reason))
        });
        if let Some(open) = self.open.take() {
            open.end(status, &mut self.told, out);
        }
    }

    fn end_block(&mut self, block: u32, out: &mut Vec<Bytes>) {
        if self.block != Some(block) {
            return;
        }
        self.block = None;
        match &mut self.open {
            // Another piece may follow.
            Some(Open::Message(message)) => message.end_piece(&mut self.told, out),
            _ => self.close(out),
        }
    }

    fn failed(&mut self, error: &ClientError, out: &mut Vec<Bytes>) {
        self.start(out);
        let status = Status {
            status: "failed",
            reason: None,
        };
        let error = (error::code_word(error.kind), error.message.as_str());
        self.answer("response.failed", status, Some(error), out);
    }
}

impl StreamEncoder for Encoder {
    fn push(&mut self, event: &Event, out: &mut Vec<Bytes>) {
        match event {
            Event::Start(start) => {
                self.head = start.clone();
                self.start(out);
            }
            Event::Usage(usage) => self.usage = Some(*usage),
            Event::Error(reported) => self.failed(&reported.into(), out),
            Event::BlockStart {
                choice: 0,
                block,
                start,
            } => self.begin(*block, start, out),
            Event::Delta {
                choice: 0,
                block,
                delta,
            } if self.block == Some(*block) => {
                if let Some(open) = &mut self.open {
                    open.delta(delta, &mut self.told, out);
                }
            }
            Event::BlockStop { choice: 0, block } => self.end_block(*block, out),
            Event::Stop {
                choice: 0,
                reason,
                extra,
            } => {
                self.stop = Some((reason.clone(), extra.clone()));
                self.start(out);
                self.close(out);
            }
            _ => {}
        }
    }

    /// The end waits until here: the usage may come after the finish reason.
    fn end(&mut self, out: &mut Vec<Bytes>) {
        self.start(out);
        self.close(out);
        let reason = match &self.stop {
            Some((reason, _)) => reason.clone(),
            None => FinishReason::Stop,
        };
        let status = Status::of(&reason);
        let kind = match status.status {
            "completed" => "response.completed",
            _ => "response.incomplete",
        };
        self.answer(kind, status, None, out);
    }
}
