//! Events to frames.

use bytes::Bytes;

use crate::bedrock::block::drawn;
use crate::bedrock::response::{LATE_MEMBERS, METRICS, NO_METRICS, STOP_MEMBER};
use crate::bedrock::stream::IN_PIECES;
use crate::bedrock::{FORMAT, error, frame, types};
use crate::ir::{BlockStart, Delta, Event, Extra, FinishReason, Opaque, RawJson, Usage};
use crate::json::{Object, ObjectWriter, Path, Report};
use crate::stream::StreamEncoder;

/// Encodes one stream. This format gives one answer: other choices than the first are left out; and it has no place for the id
/// and the model of an answer.
#[derive(Default)]
pub(in crate::bedrock) struct Encoder {
    started: bool,
    /// Members of the answer that are told at its end.
    late: Extra,
    open: Option<Open>,
    /// The number of the next block on the wire.
    next: u32,
    usage: Usage,
    /// The model refused in words, which this format shows as text.
    refused: bool,
    stopped: bool,
}

/// The block that is open.
struct Open {
    /// Its number in the events.
    block: u32,
    kind: Kind,
    /// Unknown members, which go with the first piece.
    extra: Extra,
    /// A frame of it was written.
    begun: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Thought,
    /// Began with a frame of its own.
    Told,
}

const TEXT_KNOWN: [&str; 2] = ["text", "citation"];
const THOUGHT_KNOWN: [&str; 3] = ["text", "signature", "redactedContent"];
const CALL_KNOWN: [&str; 4] = ["toolUseId", "name", "type", "input"];

// === impl Encoder ===

impl Encoder {
    pub(in crate::bedrock) fn new() -> Self {
        Self::default()
    }

    fn start(&mut self, extra: &Extra, out: &mut Vec<Bytes>) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        let mut early = Extra::default();
        for (name, origin, value) in extra.iter() {
            let late = LATE_MEMBERS.contains(&name);
            let side = if late { &mut self.late } else { &mut early };
            side.insert(origin, name, value.clone());
        }
        out.push(event("messageStart", |object| {
            object.value("role", "assistant");
            add_extra(object, &early, &["role", "p"]);
        }));
    }

    fn begin(&mut self, block: u32, start: &BlockStart, out: &mut Vec<Bytes>) {
        self.start(&Extra::default(), out);
        self.refused |= matches!(start, BlockStart::Refusal);
        let (kind, extra) = match start {
            BlockStart::Text { extra } => (Kind::Text, extra.clone()),
            BlockStart::Refusal => (Kind::Text, Extra::default()),
            BlockStart::Reasoning { extra } => (Kind::Thought, extra.clone()),
            BlockStart::HiddenReasoning { state, extra } => {
                self.hidden(state, extra, out);
                (Kind::Told, Extra::default())
            }
            BlockStart::ToolCall {
                id,
                name,
                state,
                extra,
            } => {
                if let Some(state) = state {
                    // A client keeps it as a thought before the call.
                    self.hidden(state, &Extra::default(), out);
                    self.stop_block(out);
                }
                self.call((id, name), extra, out);
                (Kind::Told, Extra::default())
            }
            BlockStart::Image(image) => {
                let Some(drawn) = drawn(image) else {
                    return;
                };
                self.whole(&Opaque::new(FORMAT, drawn), out);
                (Kind::Told, Extra::default())
            }
            BlockStart::Opaque(raw) if raw.origin == FORMAT => {
                self.whole(raw, out);
                (Kind::Told, Extra::default())
            }
            BlockStart::Opaque(_) => return,
        };
        self.open = Some(Open {
            block,
            kind,
            extra,
            begun: kind == Kind::Told,
        });
    }

    fn hidden(&self, state: &Opaque, extra: &Extra, out: &mut Vec<Bytes>) {
        out.push(self.piece(|delta| {
            let mut thought = ObjectWriter::new(delta.key("reasoningContent"));
            thought.value("redactedContent", &types::blob(state));
            add_extra(&mut thought, extra, &THOUGHT_KNOWN);
            thought.end();
        }));
    }

    fn call(&self, (id, name): (&str, &str), extra: &Extra, out: &mut Vec<Bytes>) {
        out.push(event("contentBlockStart", |object| {
            object.value("contentBlockIndex", &self.next);
            let mut start = ObjectWriter::new(object.key("start"));
            let mut call = ObjectWriter::new(start.key("toolUse"));
            call.value("toolUseId", &*types::wrap_id(id, &mut Report::default()));
            call.value("name", name);
            add_extra(&mut call, extra, &CALL_KNOWN);
            call.end();
            start.end();
        }));
    }

    /// A block of another kind: what comes in pieces in one piece.
    fn whole(&self, raw: &Opaque, out: &mut Vec<Bytes>) {
        let split = split(&raw.bytes);
        out.push(event("contentBlockStart", |object| {
            object.value("contentBlockIndex", &self.next);
            match &split {
                Some((start, ..)) => object.key("start").extend_from_slice(start),
                None => object.key("start").extend_from_slice(&raw.bytes),
            }
        }));
        let Some((_, name, value)) = split else {
            return;
        };
        out.push(self.piece(|delta| match name {
            "toolUse" => {
                let mut inner = ObjectWriter::new(delta.key(name));
                inner.value("input", value.get());
                inner.end();
            }
            "image" => {
                let mut inner = ObjectWriter::new(delta.key(name));
                inner.value("source", &value);
                inner.end();
            }
            _ => delta.value(name, &value),
        }));
    }

    fn delta(&mut self, block: u32, delta: &Delta, out: &mut Vec<Bytes>) {
        let Some(mut open) = self.open.take_if(|open| open.block == block) else {
            return;
        };
        let none = Extra::default();
        let extra = if open.begun { &none } else { &open.extra };
        out.push(match delta {
            Delta::Text(text) | Delta::Refusal(text) => self.text(text, extra),
            Delta::Citation(citation) => self.piece(|object| {
                types::write_citation(object.key("citation"), citation);
                add_extra(object, extra, &TEXT_KNOWN);
            }),
            Delta::Reasoning(text) => self.thought("text", text, extra),
            Delta::State(state) => self.thought("signature", &state.wrap(FORMAT), extra),
            Delta::Arguments(input) => self.piece(|object| {
                let mut call = ObjectWriter::new(object.key("toolUse"));
                call.value("input", input);
                call.end();
            }),
        });
        open.begun = true;
        self.open = Some(open);
    }

    fn text(&self, text: &str, extra: &Extra) -> Bytes {
        self.piece(|object| {
            object.value("text", text);
            add_extra(object, extra, &TEXT_KNOWN);
        })
    }

    fn thought(&self, name: &str, text: &str, extra: &Extra) -> Bytes {
        self.piece(|object| {
            let mut thought = ObjectWriter::new(object.key("reasoningContent"));
            thought.value(name, text);
            add_extra(&mut thought, extra, &THOUGHT_KNOWN);
            thought.end();
        })
    }

    fn piece(&self, members: impl FnOnce(&mut ObjectWriter<'_>)) -> Bytes {
        event("contentBlockDelta", |object| {
            object.value("contentBlockIndex", &self.next);
            let mut delta = ObjectWriter::new(object.key("delta"));
            members(&mut delta);
            delta.end();
        })
    }

    /// A text or a thought that never said anything is told only for its unknown members.
    fn end_block(&mut self, block: u32, out: &mut Vec<Bytes>) {
        let Some(open) = self.open.take_if(|open| open.block == block) else {
            return;
        };
        match open.kind {
            _ if open.begun => {}
            _ if open.extra.is_empty() => return,
            Kind::Text => out.push(self.text("", &open.extra)),
            Kind::Thought => out.push(self.thought("text", "", &open.extra)),
            Kind::Told => {}
        }
        self.stop_block(out);
    }

    fn stop_block(&mut self, out: &mut Vec<Bytes>) {
        out.push(event("contentBlockStop", |object| {
            object.value("contentBlockIndex", &self.next);
        }));
        self.next += 1;
    }

    fn stop(&mut self, reason: &FinishReason, extra: &Extra, out: &mut Vec<Bytes>) {
        self.start(&Extra::default(), out);
        self.stopped = true;
        out.push(event("messageStop", |object| {
            object.value(
                "stopReason",
                types::stop_word(reason.where_refusals_are_text(self.refused)).0,
            );
            object.optional(STOP_MEMBER, extra.get(FORMAT, STOP_MEMBER));
        }));
    }
}

impl StreamEncoder for Encoder {
    fn push(&mut self, event: &Event, out: &mut Vec<Bytes>) {
        match event {
            Event::Start(start) => self.start(&start.extra, out),
            Event::Usage(usage) => self.usage = *usage,
            Event::Error(reported) => out.push(error::encode_frame(&reported.into())),
            Event::BlockStart {
                choice: 0,
                block,
                start,
            } => self.begin(*block, start, out),
            Event::Delta {
                choice: 0,
                block,
                delta,
            } => self.delta(*block, delta, out),
            Event::BlockStop { choice: 0, block } => self.end_block(*block, out),
            Event::Stop {
                choice: 0,
                reason,
                extra,
            } => self.stop(reason, extra, out),
            _ => {}
        }
    }

    /// The usage waits until here: it comes last.
    fn end(&mut self, out: &mut Vec<Bytes>) {
        if !self.stopped {
            self.stop(&FinishReason::Stop, &Extra::default(), out);
        }
        out.push(event("metadata", |object| {
            object.value("usage", &types::usage_out(self.usage));
            if self.late.get(FORMAT, METRICS).is_none() {
                object.key(METRICS).extend_from_slice(NO_METRICS);
            }
            add_extra(object, &self.late, &["usage", "p"]);
        }));
    }
}

/// One event of the wire.
fn event(name: &'static str, members: impl FnOnce(&mut ObjectWriter<'_>)) -> Bytes {
    frame::event(name, |payload| {
        let mut object = ObjectWriter::new(payload);
        members(&mut object);
        object.end();
    })
}

/// Streams have no place to say what was dropped.
fn add_extra(object: &mut ObjectWriter<'_>, extra: &Extra, known: &[&str]) {
    object.extra(extra, FORMAT, known, "", &mut Report::default());
}

/// A block that comes in two steps: how it starts, its name, and what comes in pieces. `None` for every other.
fn split(block: &[u8]) -> Option<(Vec<u8>, &'static str, RawJson)> {
    let block = Object::parse(block, &Path::Root).ok()?;
    let (name, inner) = block.only()?;
    let (name, member) = IN_PIECES.into_iter().find(|(block, _)| *block == name)?;
    let mut inner = Object::from_raw(inner, &Path::Root).ok()?;
    let value = inner.raw(member).map(RawJson::from)?;
    // An empty array tells nothing in pieces.
    if value.get() == "[]" {
        return None;
    }
    let mut start = Vec::new();
    let mut outer = ObjectWriter::new(&mut start);
    outer.value(name, &inner.into_members());
    outer.end();
    Some((start, name, value))
}
