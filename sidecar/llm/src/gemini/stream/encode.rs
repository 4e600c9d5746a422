//! Events to pieces.

use std::collections::BTreeMap;

use bytes::Bytes;
use memchr::memchr2;
use serde::de::IgnoredAny;

use crate::format::StreamOptions;
use crate::gemini::part::{self, Direction, Outputs};
use crate::gemini::response::{self, write_content_extra, write_head, write_tail};
use crate::gemini::{FORMAT, error, types};
use crate::ir::{
    BlockStart, Citation, Delta, Event, Extra, FinishReason, Opaque, OutputPart, Reasoning, Start,
    Text, ToolCall, Usage, canonical_arguments,
};
use crate::json::{ObjectWriter, Report, write_array};
use crate::stream::StreamEncoder;

/// Encodes one stream.
pub(in crate::gemini) struct Encoder {
    model: Option<String>,
    head: Start,
    /// The first piece is written: it has what the others need not repeat.
    started: bool,
    choices: BTreeMap<u32, Choice>,
    usage: Option<Usage>,
}

#[derive(Default)]
struct Choice {
    open: Option<Open>,
    /// The last part was a thought without a signature: another one would be taken for more of it.
    unsigned: bool,
    citations: Vec<Citation>,
    /// The model refused in words, which this format shows as text.
    refused: bool,
    stop: Option<(FinishReason, Extra)>,
}

/// The part that is on its way.
enum Open {
    /// Told as it comes.
    Text,
    /// Told as it comes, its state at its end. Whether anything was told.
    Thought(Option<Opaque>, bool),
    /// Told when it is complete: it has more than text, or must be whole.
    Held(OutputPart),
}

/// The member in which arguments that are no object are told: `args` must be one.
const NO_OBJECT: &str = "invalid_arguments";

// === impl Encoder ===

impl Encoder {
    pub(in crate::gemini) fn new(options: &StreamOptions) -> Self {
        Self {
            model: options.model.clone(),
            head: Start::default(),
            started: false,
            choices: BTreeMap::new(),
            usage: None,
        }
    }

    fn begin(&mut self, choice: u32, start: &BlockStart, out: &mut Vec<Bytes>) {
        let open = match start {
            BlockStart::Text { extra } if has_own(extra) => {
                Some(Open::Held(OutputPart::Text(Text {
                    extra: extra.clone(),
                    ..Text::default()
                })))
            }
            BlockStart::Text { .. } | BlockStart::Refusal => Some(Open::Text),
            BlockStart::Reasoning { extra } if has_own(extra) => {
                Some(Open::Held(OutputPart::Reasoning(Reasoning {
                    text: Some(String::new()),
                    state: None,
                    extra: extra.clone(),
                })))
            }
            BlockStart::Reasoning { .. } => Some(Open::Thought(None, false)),
            BlockStart::ToolCall {
                id,
                name,
                state,
                extra,
            } => Some(Open::Held(OutputPart::ToolCall(ToolCall {
                id: id.clone(),
                name: name.clone(),
                state: state.clone(),
                extra: extra.clone(),
                ..ToolCall::default()
            }))),
            BlockStart::HiddenReasoning { state, extra } => {
                let hidden = OutputPart::Reasoning(Reasoning {
                    text: None,
                    state: Some(state.clone()),
                    extra: extra.clone(),
                });
                self.part(choice, &[hidden], out);
                None
            }
            BlockStart::Image(image) => {
                self.part(choice, &[OutputPart::Image(image.clone())], out);
                None
            }
            BlockStart::Opaque(raw) => {
                if raw.origin == FORMAT {
                    self.part(choice, &[OutputPart::Opaque(raw.clone())], out);
                }
                None
            }
        };
        self.choices.entry(choice).or_default().open = open;
    }

    fn delta(&mut self, choice: u32, delta: &Delta, out: &mut Vec<Bytes>) {
        let state = self.choices.entry(choice).or_default();
        match (&mut state.open, delta) {
            (_, Delta::Citation(citation)) => state.citations.push(citation.clone()),
            (Some(Open::Text), Delta::Text(text) | Delta::Refusal(text)) if !text.is_empty() => {
                self.said(choice, text, false, out);
            }
            (Some(Open::Thought(_, told)), Delta::Reasoning(text)) if !text.is_empty() => {
                if !std::mem::replace(told, true) && state.unsigned {
                    self.said(choice, "", false, out);
                }
                self.said(choice, text, true, out);
            }
            (Some(Open::Thought(slot, _)), Delta::State(state)) => add_state(slot, state),
            (Some(Open::Held(part)), delta) => add(part, delta),
            _ => {}
        }
    }

    /// Writes a piece of a text or of a thought.
    fn said(&mut self, choice: u32, text: &str, thought: bool, out: &mut Vec<Bytes>) {
        let write = |list: &mut Vec<u8>| {
            let mut part = ObjectWriter::new(list);
            part.value("text", text);
            if thought {
                part.value("thought", &true);
            }
            part.end();
        };
        self.write_parts(choice, write, out);
        self.choices.entry(choice).or_default().unsigned = thought;
    }

    /// Writes a whole thought, after what separates it from the thought before.
    fn thought(&mut self, choice: u32, separate: bool, thought: OutputPart, out: &mut Vec<Bytes>) {
        if separate {
            self.said(choice, "", false, out);
        }
        let unsigned =
            matches!(&thought, OutputPart::Reasoning(thought) if thought.state.is_none());
        self.part(choice, &[thought], out);
        self.choices.entry(choice).or_default().unsigned = unsigned;
    }

    fn end_block(&mut self, choice: u32, out: &mut Vec<Bytes>) {
        let state = self.choices.entry(choice).or_default();
        match state.open.take() {
            Some(Open::Thought(Some(signature), told)) => {
                let separate = state.unsigned && !told;
                let end = OutputPart::Reasoning(Reasoning {
                    text: Some(String::new()),
                    state: Some(signature),
                    extra: Extra::default(),
                });
                self.thought(choice, separate, end, out);
            }
            Some(Open::Held(OutputPart::ToolCall(mut call))) => {
                call.arguments = as_object(&call.arguments);
                self.part(choice, &[OutputPart::ToolCall(call)], out);
            }
            Some(Open::Held(part @ OutputPart::Reasoning(_))) => {
                let separate = state.unsigned;
                self.thought(choice, separate, part, out);
                // One with unknown members is a part by itself.
                self.choices.entry(choice).or_default().unsigned = false;
            }
            Some(Open::Held(part)) => self.part(choice, &[part], out),
            Some(Open::Text | Open::Thought(None, _)) | None => {}
        }
    }

    /// Writes parts; nothing when there is nothing to say.
    fn part(&mut self, choice: u32, parts: &[OutputPart], out: &mut Vec<Bytes>) {
        let mut text = Vec::new();
        let how = Outputs {
            direction: Direction::Response,
            signed: false,
            ids: true,
        };
        // Streams have no place to say what was dropped, and what could fail was checked.
        let written = part::encode_outputs(&mut text, parts, how, &mut Report::default());
        if written.is_ok() && !text.is_empty() {
            self.write_parts(choice, |list| list.extend_from_slice(&text), out);
            self.choices.entry(choice).or_default().unsigned = false;
        }
    }

    fn write_parts(&mut self, choice: u32, parts: impl FnOnce(&mut Vec<u8>), out: &mut Vec<Bytes>) {
        let frame = self.frame(|object, _| {
            let candidates = object.key("candidates");
            candidates.push(b'[');
            let mut candidate = ObjectWriter::new(candidates);
            let mut content = write_head(&mut candidate);
            let list = content.key("parts");
            list.push(b'[');
            parts(list);
            list.push(b']');
            content.end();
            candidate.value("index", &choice);
            candidate.end();
            candidates.push(b']');
        });
        out.push(frame);
    }

    /// One piece, with what every piece says.
    fn frame(&mut self, body: impl FnOnce(&mut ObjectWriter<'_>, &Self)) -> Bytes {
        let mut out = Vec::with_capacity(256);
        out.extend_from_slice(b"data: ");
        let mut object = ObjectWriter::new(&mut out);
        body(&mut object, self);
        let model = self.model.as_ref().or(self.head.model.as_ref());
        object.optional("modelVersion", model);
        object.optional("responseId", self.head.id.as_ref());
        if !std::mem::replace(&mut self.started, true) {
            let report = &mut Report::default();
            let extra = &self.head.extra;
            object.extra(extra, FORMAT, &response::MEMBERS, "", report);
        }
        object.end();
        one_line(&mut out);
        out.extend_from_slice(b"\n\n");
        out.into()
    }
}

impl StreamEncoder for Encoder {
    fn push(&mut self, event: &Event, out: &mut Vec<Bytes>) {
        if let Event::BlockStart {
            choice,
            start: BlockStart::Refusal,
            ..
        } = event
        {
            self.choices.entry(*choice).or_default().refused = true;
        }
        match event {
            Event::Start(start) => self.head = start.clone(),
            Event::Usage(usage) => self.usage = Some(*usage),
            Event::Error(reported) => out.push(error::encode_frame(&reported.into())),
            Event::BlockStart { choice, start, .. } => self.begin(*choice, start, out),
            Event::Delta { choice, delta, .. } => self.delta(*choice, delta, out),
            Event::BlockStop { choice, .. } => self.end_block(*choice, out),
            Event::Stop {
                choice,
                reason,
                extra,
            } => {
                let state = self.choices.entry(*choice).or_default();
                let reason = reason.where_refusals_are_text(state.refused);
                state.stop = Some((reason.clone(), extra.clone()));
            }
        }
    }

    /// The finish reasons wait until here: they are in the last piece, with the usage, which may come after them.
    fn end(&mut self, out: &mut Vec<Bytes>) {
        let frame = self.frame(|object, this| {
            write_array(
                object.key("candidates"),
                &this.choices,
                |out, (index, choice)| {
                    write_stop(out, *index, choice);
                },
            );
            if let Some(usage) = this.usage {
                object.value("usageMetadata", &types::usage_out(usage));
            }
        });
        out.push(frame);
    }
}

fn write_stop(out: &mut Vec<u8>, index: u32, choice: &Choice) {
    let none = (FinishReason::Stop, Extra::default());
    let (reason, extra) = choice.stop.as_ref().unwrap_or(&none);
    let mut candidate = ObjectWriter::new(out);
    let mut content = write_head(&mut candidate);
    // Clients look into the first part without asking.
    content.key("parts").extend_from_slice(br#"[{"text":""}]"#);
    write_content_extra(&mut content, extra);
    content.end();
    let citations: Vec<&Citation> = choice.citations.iter().collect();
    write_tail(&mut candidate, index, (reason, extra), &citations);
    candidate.end();
}

/// JSON that is carried as it was written may have ends of lines between its tokens; in an event they would end the data.
fn one_line(json: &mut [u8]) {
    let mut at = 0;
    while let Some(length) = memchr2(b'\n', b'\r', &json[at..]) {
        at += length;
        json[at] = b' ';
    }
}

/// Whether there are unknown members that are written here.
fn has_own(extra: &Extra) -> bool {
    extra.iter().any(|(_, origin, _)| origin == FORMAT)
}

/// Arguments that are no object are told as a member of one.
fn as_object(arguments: &str) -> String {
    let arguments = canonical_arguments(arguments);
    if arguments.starts_with('{') && serde_json::from_str::<IgnoredAny>(arguments).is_ok() {
        return arguments.to_owned();
    }
    let mut out = Vec::new();
    let mut object = ObjectWriter::new(&mut out);
    object.value(NO_OBJECT, arguments);
    object.end();
    String::from_utf8(out).expect("JSON is text")
}

fn add_state(slot: &mut Option<Opaque>, state: &Opaque) {
    match slot {
        Some(before) if before.origin == state.origin => before.bytes.extend(&state.bytes),
        slot => *slot = Some(state.clone()),
    }
}

fn add(part: &mut OutputPart, delta: &Delta) {
    match (part, delta) {
        (OutputPart::Text(part), Delta::Text(text)) => part.text.push_str(text),
        (OutputPart::Reasoning(part), Delta::Reasoning(text)) => {
            part.text.get_or_insert_default().push_str(text);
        }
        (OutputPart::Reasoning(part), Delta::State(state)) => add_state(&mut part.state, state),
        (OutputPart::ToolCall(part), Delta::Arguments(text)) => part.arguments.push_str(text),
        _ => {}
    }
}
