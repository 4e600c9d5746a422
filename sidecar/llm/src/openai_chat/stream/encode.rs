//! Events to chunks.

mod pieces;

use std::collections::BTreeMap;

use bytes::Bytes;

use self::pieces::{FunctionOut, WholeCall, arguments, call, thought};
use crate::format::StreamOptions;
use crate::ir::{BlockStart, Delta, Event, Extra, FinishReason, Opaque, Start, Usage};
use crate::json::{ObjectWriter, Report, write_json};
use crate::openai_chat::content::{drawn, thinking};
use crate::openai_chat::form::Form;
use crate::openai_chat::response::{CHOICE_MEMBERS, MEMBERS, MESSAGE_MEMBERS, split};
use crate::openai_chat::{FORMAT, reasoning, tool_call, types};
use crate::openai_error::encode_frame_as;
use crate::openai_usage;
use crate::stream::StreamEncoder;

/// Encodes one stream.
pub(in crate::openai_chat) struct Encoder {
    options: StreamOptions,
    form: &'static Form,
    /// What every chunk begins with, up to the opening of its choices; empty until the start.
    head: Vec<u8>,
    choices: BTreeMap<u32, Choice>,
    usage: Option<Usage>,
    /// The last chunk of a choice, still open, where usage goes with it.
    last: Option<Vec<u8>>,
}

/// A choice on its way.
#[derive(Default)]
struct Choice {
    /// Calls so far.
    calls: usize,
    /// Thoughts so far.
    thoughts: usize,
    /// Images so far.
    images: usize,
    /// Sources so far.
    citations: u32,
    /// The open part is a call without any arguments yet.
    bare_call: bool,
    /// The client knows one call, without an id.
    one_call: bool,
    /// The open part is another call, for which it has no word.
    left_out: bool,
    /// The open part, a call that is given whole.
    whole: Option<WholeCall>,
}

// === impl Choice ===

impl Choice {
    /// The number of the open call; `None` for one without.
    fn call(&self) -> Option<usize> {
        (!self.one_call).then(|| self.calls.saturating_sub(1))
    }
}

// === impl Encoder ===

impl Encoder {
    pub(in crate::openai_chat) fn new(options: &StreamOptions, form: &'static Form) -> Self {
        Self {
            options: options.clone(),
            form,
            head: Vec::new(),
            choices: BTreeMap::new(),
            usage: None,
            last: None,
        }
    }

    fn start(&mut self, start: &Start) {
        let shown = self.options.model.as_deref().or(start.model.as_deref());
        let mut head = b"data: ".to_vec();
        let mut object = ObjectWriter::new(&mut head);
        object.value("id", start.id.as_deref().unwrap_or_default());
        object.value("object", "chat.completion.chunk");
        let created = start.created.unwrap_or(self.options.created);
        object.value("created", &created);
        object.value("model", shown.unwrap_or_default());
        // Streams have no place to say what was dropped.
        object.extra(&start.extra, FORMAT, &MEMBERS, "", &mut Report::default());
        object.key("choices");
        self.head = head;
    }

    /// One chunk with the members that `delta` writes.
    fn chunk(
        &mut self,
        choice: u32,
        delta: impl FnOnce(&mut ObjectWriter<'_>),
        out: &mut Vec<Bytes>,
    ) {
        self.greet(choice, out);
        let frame = self.frame(choice, delta);
        out.push(frame);
    }

    fn frame(&self, choice: u32, delta: impl FnOnce(&mut ObjectWriter<'_>)) -> Bytes {
        let mut frame = Vec::with_capacity(self.head.len() + 256);
        frame.extend_from_slice(&self.head);
        frame.push(b'[');
        let mut object = ObjectWriter::new(&mut frame);
        object.value("index", &choice);
        let mut inner = ObjectWriter::new(object.key("delta"));
        delta(&mut inner);
        inner.end();
        object.value("logprobs", &());
        object.value("finish_reason", &());
        object.end();
        self.close(frame)
    }

    fn close(&self, mut frame: Vec<u8>) -> Bytes {
        frame.extend_from_slice(match self.options.include_usage {
            true => b"],\"usage\":null}\n\n",
            false => b"]}\n\n",
        });
        frame.into()
    }

    /// A choice's first chunk carries the role.
    fn greet(&mut self, choice: u32, out: &mut Vec<Bytes>) {
        if self.head.is_empty() {
            self.start(&Start::default());
        }
        if self.choices.contains_key(&choice) {
            return;
        }
        self.choices.insert(choice, Choice::default());
        let first = self.frame(choice, |delta| {
            delta.value("role", "assistant");
            delta.value("content", "");
            delta.value("refusal", &());
        });
        out.push(first);
    }

    fn begin(&mut self, choice: u32, start: &BlockStart, out: &mut Vec<Bytes>) {
        self.greet(choice, out);
        let state = self.choices.entry(choice).or_default();
        match start {
            BlockStart::ToolCall { name, extra, .. } if extra.is_one_call() => {
                // Streams have no place to say what was dropped; the model calls again when it has the first result.
                state.left_out = state.one_call;
                if state.one_call {
                    return;
                }
                (state.one_call, state.bare_call) = (true, true);
                let call = FunctionOut {
                    name,
                    arguments: "",
                };
                self.chunk(
                    choice,
                    |delta| delta.value(tool_call::FUNCTION_CALL, &call),
                    out,
                );
            }
            BlockStart::ToolCall {
                id,
                name,
                state: of_call,
                extra,
            } => {
                state.calls += 1;
                if self.form.whole_calls {
                    state.whole = Some(WholeCall {
                        id: id.clone(),
                        name: name.clone(),
                        arguments: String::new(),
                        state: of_call.clone(),
                        extra: extra.clone(),
                    });
                    return;
                }
                state.bare_call = true;
                let index = state.calls - 1;
                let write = |delta: &mut ObjectWriter<'_>| {
                    call(delta, index, (id, name, ""), of_call.as_ref(), extra);
                };
                self.chunk(choice, write, out);
            }
            BlockStart::Reasoning { .. } => state.thoughts += 1,
            BlockStart::HiddenReasoning { state: opaque, .. }
                if self.form.has_thoughts_in_content() =>
            {
                self.think(choice, None, Some(opaque), out);
            }
            BlockStart::HiddenReasoning { state: opaque, .. } => {
                state.thoughts += 1;
                let index = state.thoughts - 1;
                let write = |delta: &mut ObjectWriter<'_>| thought(delta, index, None, opaque);
                self.chunk(choice, write, out);
            }
            BlockStart::Image(image) => {
                state.images += 1;
                let number = Some(state.images - 1);
                let write = |delta: &mut ObjectWriter<'_>| {
                    let out = delta.key(drawn::IMAGES);
                    out.push(b'[');
                    drawn::write(out, image, number, &mut Report::default());
                    out.push(b']');
                };
                self.chunk(choice, write, out);
            }
            BlockStart::Text { .. } | BlockStart::Refusal | BlockStart::Opaque(_) => {}
        }
    }

    fn delta(&mut self, choice: u32, delta: &Delta, out: &mut Vec<Bytes>) {
        self.greet(choice, out);
        let state = self.choices.entry(choice).or_default();
        match delta {
            Delta::Text(text) => self.chunk(choice, |d| d.value("content", text), out),
            Delta::Refusal(text) if !self.form.refusals => {
                self.chunk(choice, |d| d.value("content", text), out);
            }
            Delta::Refusal(text) => self.chunk(choice, |d| d.value("refusal", text), out),
            Delta::Arguments(text) => {
                if text.is_empty() || state.left_out {
                    return;
                }
                if let Some(whole) = &mut state.whole {
                    whole.arguments.push_str(text);
                    return;
                }
                state.bare_call &= text.trim_ascii().is_empty();
                let index = state.call();
                self.chunk(choice, |delta| arguments(delta, index, text), out);
            }
            Delta::Reasoning(text) if self.form.has_thoughts_in_content() => {
                self.think(choice, Some(text), None, out);
            }
            Delta::State(state) if self.form.has_thoughts_in_content() => {
                self.think(choice, None, Some(state), out);
            }
            Delta::Reasoning(text) => {
                let index = state.thoughts.saturating_sub(1);
                let write = |delta: &mut ObjectWriter<'_>| {
                    delta.value("reasoning_content", text);
                    let out = delta.key("reasoning_details");
                    out.push(b'[');
                    reasoning::foreign_entry(out, index, Some(text), None);
                    out.push(b']');
                };
                self.chunk(choice, write, out);
            }
            Delta::State(opaque) => {
                let index = state.thoughts.saturating_sub(1);
                let write = |delta: &mut ObjectWriter<'_>| thought(delta, index, Some(""), opaque);
                self.chunk(choice, write, out);
            }
            Delta::Citation(citation) => {
                let number = &mut self.choices.entry(choice).or_default().citations;
                let mut raw = Vec::new();
                if types::write_citation(&mut raw, citation, 0, Some(*number)) {
                    *number += 1;
                    let write = |delta: &mut ObjectWriter<'_>| {
                        let out = delta.key("annotations");
                        out.push(b'[');
                        out.extend_from_slice(&raw);
                        out.push(b']');
                    };
                    self.chunk(choice, write, out);
                }
            }
        }
    }

    /// A call that needs no arguments has an empty object all the same.
    fn end_block(&mut self, choice: u32, out: &mut Vec<Bytes>) {
        let state = self.choices.entry(choice).or_default();
        state.left_out = false;
        if let Some(whole) = state.whole.take() {
            let index = state.calls - 1;
            self.chunk(choice, |delta| whole.write(delta, index), out);
            return;
        }
        if std::mem::take(&mut state.bare_call) {
            let index = state.call();
            self.chunk(choice, |delta| arguments(delta, index, "{}"), out);
        }
    }

    fn stop(&mut self, choice: u32, reason: &FinishReason, extra: &Extra, out: &mut Vec<Bytes>) {
        self.greet(choice, out);
        let (mine, of_message) = split(extra);
        let report = &mut Report::default();
        let mut frame = self.head.clone();
        frame.push(b'[');
        let mut object = ObjectWriter::new(&mut frame);
        object.value("index", &choice);
        let mut delta = ObjectWriter::new(object.key("delta"));
        delta.extra(&of_message, FORMAT, &MESSAGE_MEMBERS, "", report);
        delta.end();
        if mine.get(FORMAT, "logprobs").is_none() {
            object.value("logprobs", &());
        }
        object.extra(&mine, FORMAT, &CHOICE_MEMBERS, "", report);
        let one_call = self.choices.get(&choice).is_some_and(|one| one.one_call);
        let word = match reason {
            FinishReason::ToolCalls if one_call => tool_call::FUNCTION_CALL,
            reason => types::finish_word(reason).0,
        };
        object.value("finish_reason", word);
        object.end();
        if self.form.usage_always {
            let before = self.last.replace(frame);
            out.extend(before.map(|frame| self.close(frame)));
        } else {
            out.push(self.close(frame));
        }
    }

    /// A thought, or a piece of one, as a part of the content.
    fn think(
        &mut self,
        choice: u32,
        text: Option<&str>,
        state: Option<&Opaque>,
        out: &mut Vec<Bytes>,
    ) {
        let write = |delta: &mut ObjectWriter<'_>| {
            let out = delta.key("content");
            out.push(b'[');
            thinking::show(out, text, state);
            out.push(b']');
        };
        self.chunk(choice, write, out);
    }
}

impl StreamEncoder for Encoder {
    fn push(&mut self, event: &Event, out: &mut Vec<Bytes>) {
        match event {
            Event::Start(start) => {
                self.start(start);
                self.greet(0, out);
            }
            Event::BlockStart { choice, start, .. } => self.begin(*choice, start, out),
            Event::Delta { choice, delta, .. } => self.delta(*choice, delta, out),
            Event::BlockStop { choice, .. } => self.end_block(*choice, out),
            Event::Usage(usage) => self.usage = Some(*usage),
            Event::Stop {
                choice,
                reason,
                extra,
            } => self.stop(*choice, reason, extra, out),
            Event::Error(error) => {
                out.push(encode_frame_as(&error.into(), self.form.error));
            }
        }
    }

    fn end(&mut self, out: &mut Vec<Bytes>) {
        if let Some(mut frame) = self.last.take() {
            frame.extend_from_slice(b"],\"usage\":");
            write_json(
                &mut frame,
                &openai_usage::written(self.usage.unwrap_or_default()),
            );
            frame.extend_from_slice(b"}\n\n");
            out.push(frame.into());
        } else if let Some(usage) = self.usage.filter(|_| self.options.include_usage) {
            let mut frame = self.head.clone();
            frame.extend_from_slice(b"[],\"usage\":");
            write_json(&mut frame, &openai_usage::written(usage));
            frame.extend_from_slice(b"}\n\n");
            out.push(frame.into());
        }
        out.push(Bytes::from_static(b"data: [DONE]\n\n"));
    }
}
