//! Events to events of the wire.

use bytes::Bytes;
use serde::Serialize;

use crate::anthropic::response::{MEMBERS, STOP_MEMBERS};
use crate::anthropic::{FORMAT, error, types};
use crate::format::StreamOptions;
use crate::ir::{BlockStart, Citation, Delta, Event, Extra, FinishReason, Opaque, Start, Usage};
use crate::json::{ObjectWriter, Report};
use crate::stream::StreamEncoder;

/// Encodes one stream. This format gives one answer: other choices than the first are left out.
pub(in crate::anthropic) struct Encoder {
    model: Option<String>,
    head: Start,
    started: bool,
    /// The block that is open: its number in the events.
    open: Option<u32>,
    /// The number of the next block on the wire.
    next: u32,
    usage: Usage,
    /// The model refused in words, which this format shows as text.
    refused: bool,
    stop: Option<(FinishReason, Extra)>,
}

/// The `delta` of a piece.
#[derive(Serialize)]
#[serde(tag = "type")]
enum Piece<'a> {
    #[serde(rename = "text_delta")]
    Text { text: &'a str },
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: &'a str },
    #[serde(rename = "signature_delta")]
    Signature { signature: &'a str },
    #[serde(rename = "input_json_delta")]
    Input { partial_json: &'a str },
}

// === impl Encoder ===

impl Encoder {
    pub(in crate::anthropic) fn new(options: &StreamOptions) -> Self {
        Self {
            model: options.model.clone(),
            head: Start::default(),
            started: false,
            open: None,
            next: 0,
            usage: Usage::default(),
            refused: false,
            stop: None,
        }
    }

    /// Begins the answer as late as its first block, so that the usage of the input may have come.
    fn start(&mut self, out: &mut Vec<Bytes>) {
        if std::mem::replace(&mut self.started, true) {
            return;
        }
        let head = &self.head;
        let model = self.model.as_deref().or(head.model.as_deref());
        out.push(frame("message_start", |object| {
            let mut message = ObjectWriter::new(object.key("message"));
            message.value("id", head.id.as_deref().unwrap_or_default());
            message.value("type", "message");
            message.value("role", "assistant");
            message.value("model", model.unwrap_or_default());
            message.value("content", &[(); 0]);
            message.value("stop_reason", &());
            message.value("stop_sequence", &());
            message.value("usage", &types::usage_out(self.usage));
            // Streams have no place to say what was dropped.
            let report = &mut Report::default();
            message.extra(&head.extra, FORMAT, &MEMBERS, "", report);
            message.end();
        }));
    }

    fn begin(&mut self, block: u32, start: &BlockStart, out: &mut Vec<Bytes>) {
        self.start(out);
        self.refused |= matches!(start, BlockStart::Refusal);
        match start {
            BlockStart::Image(_) => return,
            BlockStart::Opaque(raw) if raw.origin != FORMAT => return,
            _ => {}
        }
        if let BlockStart::ToolCall {
            state: Some(state), ..
        } = start
        {
            self.thought_of_call(state, out);
        }
        self.open = Some(block);
        out.push(frame("content_block_start", |object| {
            object.value("index", &self.next);
            write_start(object.key("content_block"), start);
        }));
    }

    /// State of a call: a client keeps it as a thought before the call.
    fn thought_of_call(&mut self, state: &Opaque, out: &mut Vec<Bytes>) {
        let thought = BlockStart::HiddenReasoning {
            state: state.clone(),
            extra: Extra::default(),
        };
        out.push(frame("content_block_start", |object| {
            object.value("index", &self.next);
            write_start(object.key("content_block"), &thought);
        }));
        out.push(frame("content_block_stop", |object| {
            object.value("index", &self.next);
        }));
        self.next += 1;
    }

    fn delta(&self, block: u32, delta: &Delta, out: &mut Vec<Bytes>) {
        if self.open != Some(block) {
            return;
        }
        let wrapped;
        let piece = match delta {
            Delta::Text(text) | Delta::Refusal(text) => Piece::Text { text },
            Delta::Reasoning(thinking) => Piece::Thinking { thinking },
            Delta::State(state) => {
                wrapped = state.wrap(FORMAT);
                Piece::Signature {
                    signature: &wrapped,
                }
            }
            Delta::Arguments(partial_json) => Piece::Input { partial_json },
            Delta::Citation(citation) => {
                out.extend(self.citation(citation));
                return;
            }
        };
        out.push(frame("content_block_delta", |object| {
            object.value("index", &self.next);
            object.value("delta", &piece);
        }));
    }

    fn citation(&self, citation: &Citation) -> Option<Bytes> {
        let mut raw = Vec::new();
        types::write_citation(&mut raw, citation).then(|| {
            frame("content_block_delta", |object| {
                object.value("index", &self.next);
                let mut delta = ObjectWriter::new(object.key("delta"));
                delta.value("type", "citations_delta");
                delta.key("citation").extend_from_slice(&raw);
                delta.end();
            })
        })
    }

    fn end_block(&mut self, block: u32, out: &mut Vec<Bytes>) {
        if self.open == Some(block) {
            self.open = None;
            out.push(frame("content_block_stop", |object| {
                object.value("index", &self.next);
            }));
            self.next += 1;
        }
    }

    fn message_delta(&self) -> Bytes {
        let stop = FinishReason::Stop;
        let (reason, extra) = match &self.stop {
            Some((reason, extra)) => (reason, Some(extra)),
            None => (&stop, None),
        };
        let reason = reason.where_refusals_are_text(self.refused);
        frame("message_delta", |object| {
            let mut delta = ObjectWriter::new(object.key("delta"));
            delta.value("stop_reason", types::stop_word(reason).0);
            delta.value("stop_sequence", &types::stop_sequence(reason));
            for (name, origin, value) in extra.into_iter().flat_map(Extra::iter) {
                if origin == FORMAT && STOP_MEMBERS.contains(&name) {
                    delta.value(name, value);
                }
            }
            delta.end();
            object.value("usage", &types::usage_out(self.usage));
        })
    }
}

impl StreamEncoder for Encoder {
    fn push(&mut self, event: &Event, out: &mut Vec<Bytes>) {
        match event {
            Event::Start(start) => self.head = start.clone(),
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
            } => self.stop = Some((reason.clone(), extra.clone())),
            _ => {}
        }
    }

    /// The end waits until here: the usage may come after the finish reason.
    fn end(&mut self, out: &mut Vec<Bytes>) {
        self.start(out);
        out.push(self.message_delta());
        out.push(frame("message_stop", |_| {}));
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

fn write_start(out: &mut Vec<u8>, start: &BlockStart) {
    let mut object = match start {
        BlockStart::Opaque(raw) => {
            out.extend_from_slice(&raw.bytes);
            return;
        }
        _ => ObjectWriter::new(out),
    };
    let none = Extra::default();
    let extra = match start {
        BlockStart::Text { extra } => {
            object.value("type", "text");
            object.value("text", "");
            extra
        }
        BlockStart::Refusal | BlockStart::Image(_) | BlockStart::Opaque(_) => {
            object.value("type", "text");
            object.value("text", "");
            &none
        }
        BlockStart::Reasoning { extra } => {
            object.value("type", "thinking");
            object.value("thinking", "");
            object.value("signature", "");
            extra
        }
        BlockStart::HiddenReasoning { state, extra } => {
            object.value("type", "redacted_thinking");
            object.value("data", &state.wrap(FORMAT));
            extra
        }
        BlockStart::ToolCall {
            id, name, extra, ..
        } => {
            object.value("type", "tool_use");
            object.value("id", &*types::wrap_id(id));
            object.value("name", name);
            object.key("input").extend_from_slice(b"{}");
            extra
        }
    };
    let known = [
        "type",
        "text",
        "thinking",
        "signature",
        "data",
        "id",
        "name",
        "input",
    ];
    object.extra(extra, FORMAT, &known, "", &mut Report::default());
    object.end();
}
