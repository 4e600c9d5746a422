//! Events to events of the wire.

use bytes::Bytes;

use crate::cohere::response::{LOGPROBS, split};
use crate::cohere::stream::kind;
use crate::cohere::{FORMAT, citation, content, error, tool_call, types};
use crate::ir::{BlockStart, Citation, Delta, Event, Extra, FinishReason, Opaque, Start, Usage};
use crate::json::{ObjectWriter, Report, write_json};
use crate::stream::StreamEncoder;

/// Encodes one stream. One choice; the others are left out.
pub(in crate::cohere) struct Encoder {
    started: bool,
    open: Open,
    /// Parts of the content so far.
    contents: usize,
    calls: usize,
    citations: usize,
    usage: Option<Usage>,
    stop: Option<(FinishReason, Extra)>,
}

/// The part that grows.
#[derive(Clone, Copy)]
enum Open {
    Nothing,
    /// Text, with its length in characters.
    Text(usize),
    Thinking,
    /// A part that is complete with its start.
    Whole,
    /// A call, and whether it has no arguments yet.
    Call(bool),
}

// === impl Encoder ===

impl Encoder {
    pub(in crate::cohere) fn new() -> Self {
        Self {
            started: false,
            open: Open::Nothing,
            contents: 0,
            calls: 0,
            citations: 0,
            usage: None,
            stop: None,
        }
    }

    fn start(&mut self, start: &Start, out: &mut Vec<Bytes>) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        let none: [(); 0] = [];
        out.push(frame(kind::MESSAGE_START, |object| {
            object.value("id", start.id.as_deref().unwrap_or_default());
            within(object, |message| {
                message.value("role", "assistant");
                message.value("content", &none);
                message.value("tool_plan", "");
                message.value("tool_calls", &none);
                message.value("citations", &none);
            });
            // Streams have no place to say what was dropped.
            let known = ["type", "id", "delta"];
            object.extra(&start.extra, FORMAT, &known, "", &mut Report::default());
        }));
    }

    fn begin(&mut self, start: &BlockStart, out: &mut Vec<Bytes>) {
        self.start(&Start::default(), out);
        self.open = match start {
            BlockStart::ToolCall {
                id,
                name,
                state,
                extra,
            } => {
                out.push(self.call(kind::CALL_START, |call| {
                    call.value("id", id);
                    call.value("type", "function");
                    let mut function = ObjectWriter::new(call.key("function"));
                    function.value("name", name);
                    function.value("arguments", "");
                    function.end();
                    if let Some(state) = state {
                        tool_call::write_state(call, state);
                    }
                    let known = &tool_call::MEMBERS;
                    call.extra(extra, FORMAT, known, "", &mut Report::default());
                }));
                Open::Call(true)
            }
            BlockStart::Image(_) => Open::Nothing,
            BlockStart::Opaque(raw) if raw.origin != FORMAT => Open::Nothing,
            BlockStart::Opaque(raw) if tool_call::is_call(raw) => {
                out.push(frame(kind::CALL_START, |object| {
                    object.value("index", &self.calls);
                    within(object, |message| {
                        message.key("tool_calls").extend(&raw.bytes);
                    });
                }));
                Open::Call(false)
            }
            BlockStart::Opaque(raw) => {
                out.push(self.content_start(|out| out.extend(&raw.bytes)));
                Open::Whole
            }
            BlockStart::Text { extra } => {
                out.push(self.content_start(|out| write_start(out, "text", None, extra)));
                Open::Text(0)
            }
            BlockStart::Refusal => {
                let extra = Extra::default();
                out.push(self.content_start(|out| write_start(out, "text", None, &extra)));
                Open::Text(0)
            }
            BlockStart::Reasoning { extra } => {
                out.push(self.content_start(|out| write_start(out, "thinking", None, extra)));
                Open::Thinking
            }
            BlockStart::HiddenReasoning { state, extra } => {
                let start = |out: &mut Vec<u8>| write_start(out, "thinking", Some(state), extra);
                out.push(self.content_start(start));
                Open::Whole
            }
        };
    }

    fn content_start(&self, write: impl FnOnce(&mut Vec<u8>)) -> Bytes {
        frame(kind::CONTENT_START, |object| {
            object.value("index", &self.contents);
            within(object, |message| write(message.key("content")));
        })
    }

    fn content_delta(&self, name: &str, text: &str) -> Bytes {
        frame(kind::CONTENT_DELTA, |object| {
            object.value("index", &self.contents);
            within(object, |message| {
                let mut content = ObjectWriter::new(message.key("content"));
                content.value(name, text);
                content.end();
            });
        })
    }

    fn call(&self, kind: &'static str, write: impl FnOnce(&mut ObjectWriter<'_>)) -> Bytes {
        frame(kind, |object| {
            object.value("index", &self.calls);
            within(object, |message| {
                let mut call = ObjectWriter::new(message.key("tool_calls"));
                write(&mut call);
                call.end();
            });
        })
    }

    fn arguments(&self, text: &str) -> Bytes {
        self.call(kind::CALL_DELTA, |call| {
            let mut function = ObjectWriter::new(call.key("function"));
            function.value("arguments", text);
            function.end();
        })
    }

    fn delta(&mut self, delta: &Delta, out: &mut Vec<Bytes>) {
        match (&mut self.open, delta) {
            (Open::Text(length), Delta::Text(text) | Delta::Refusal(text)) => {
                *length += text.chars().count();
                out.push(self.content_delta("text", text));
            }
            (Open::Text(length), Delta::Citation(source)) => {
                let length = *length;
                self.cite(source, length, out);
            }
            (Open::Thinking, Delta::Reasoning(text)) => {
                out.push(self.content_delta("thinking", text));
            }
            (Open::Thinking, Delta::State(state)) => {
                let name = content::state_member(true);
                out.push(self.content_delta(name, &state.wrap(FORMAT)));
            }
            (Open::Call(bare), Delta::Arguments(text)) if !text.is_empty() => {
                *bare &= text.trim_ascii().is_empty();
                out.push(self.arguments(text));
            }
            _ => {}
        }
    }

    fn cite(&mut self, source: &Citation, length: usize, out: &mut Vec<Bytes>) {
        let mut raw = Vec::new();
        if source.raw.origin == FORMAT {
            raw.extend(&source.raw.bytes);
        } else if !citation::write_foreign(&mut raw, source, self.contents, length) {
            return;
        }
        out.push(frame(kind::CITATION_START, |object| {
            object.value("index", &self.citations);
            within(object, |message| message.key("citations").extend(&raw));
        }));
        out.push(end(kind::CITATION_END, self.citations));
        self.citations += 1;
    }

    fn end_block(&mut self, out: &mut Vec<Bytes>) {
        match std::mem::replace(&mut self.open, Open::Nothing) {
            Open::Nothing => {}
            Open::Text(_) | Open::Thinking | Open::Whole => {
                out.push(end(kind::CONTENT_END, self.contents));
                self.contents += 1;
            }
            Open::Call(bare) => {
                // A call that needs no arguments has an empty object all the same.
                if bare {
                    out.push(self.arguments("{}"));
                }
                out.push(end(kind::CALL_END, self.calls));
                self.calls += 1;
            }
        }
    }

    fn message_end(&self) -> Bytes {
        let stop = (FinishReason::Stop, Extra::default());
        let (reason, extra) = self.stop.as_ref().unwrap_or(&stop);
        let (mine, of_message) = split(extra);
        frame(kind::MESSAGE_END, |object| {
            let mut delta = ObjectWriter::new(object.key("delta"));
            delta.value("finish_reason", types::finish_word(reason).0);
            if let Some(usage) = self.usage {
                delta.value("usage", &types::usage_out(usage));
            }
            delta.optional(LOGPROBS, mine.get(FORMAT, LOGPROBS));
            if !of_message.is_empty() {
                let mut message = ObjectWriter::new(delta.key("message"));
                message.extra(&of_message, FORMAT, &[], "", &mut Report::default());
                message.end();
            }
            delta.end();
        })
    }
}

impl StreamEncoder for Encoder {
    fn push(&mut self, event: &Event, out: &mut Vec<Bytes>) {
        match event {
            Event::Start(start) => self.start(start, out),
            Event::Usage(usage) => self.usage = Some(*usage),
            Event::Error(reported) => out.push(error::encode_frame(&reported.into())),
            Event::BlockStart {
                choice: 0, start, ..
            } => self.begin(start, out),
            Event::Delta {
                choice: 0, delta, ..
            } => self.delta(delta, out),
            Event::BlockStop { choice: 0, .. } => self.end_block(out),
            Event::Stop {
                choice: 0,
                reason,
                extra,
            } => self.stop = Some((reason.clone(), extra.clone())),
            _ => {}
        }
    }

    /// The end waits until here: the usage may come after the finish reason.
    fn end(&mut self, out: &mut Vec<Bytes>) {
        self.start(&Start::default(), out);
        out.push(self.message_end());
        out.push(Bytes::from_static(b"data: [DONE]\n\n"));
    }
}

/// One event of the wire.
fn frame(kind: &'static str, members: impl FnOnce(&mut ObjectWriter<'_>)) -> Bytes {
    let mut out = Vec::with_capacity(192);
    out.extend_from_slice(b"event: ");
    out.extend_from_slice(kind.as_bytes());
    out.extend_from_slice(b"\ndata: ");
    let mut object = ObjectWriter::new(&mut out);
    object.value("type", kind);
    members(&mut object);
    object.end();
    out.extend_from_slice(b"\n\n");
    out.into()
}

/// The end of a part.
fn end(kind: &'static str, index: usize) -> Bytes {
    frame(kind, |object| object.value("index", &index))
}

/// `{"delta": {"message": {…}}}`.
fn within(object: &mut ObjectWriter<'_>, members: impl FnOnce(&mut ObjectWriter<'_>)) {
    let mut delta = ObjectWriter::new(object.key("delta"));
    let mut message = ObjectWriter::new(delta.key("message"));
    members(&mut message);
    message.end();
    delta.end();
}

/// The beginning of a part of the content: its member of the same name is still empty.
fn write_start(out: &mut Vec<u8>, kind: &str, hidden: Option<&Opaque>, extra: &Extra) {
    let mut object = ObjectWriter::new(out);
    object.value("type", kind);
    write_json(object.key(kind), "");
    if let Some(state) = hidden {
        object.value(content::state_member(false), &state.wrap(FORMAT));
    }
    let known = ["type", "text", "thinking", "signature", "data"];
    object.extra(extra, FORMAT, &known, "", &mut Report::default());
    object.end();
}
