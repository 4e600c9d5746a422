//! Writes a whole answer.

use crate::error::EncodeError;
use crate::format::Encoded;
use crate::ir::{Choice, Extra, FinishReason, Opaque, OutputPart, Reasoning, Response, Text};
use crate::json::{Dropped, ObjectWriter, kind_of, write_array};
use crate::openai_chat::response::{CHOICE_MEMBERS, MEMBERS, MESSAGE_MEMBERS, OF_MESSAGE};
use crate::openai_chat::tool_call::{self, Call};
use crate::openai_chat::{FORMAT, reasoning, types};

/// Writes an answer for a client.
#[expect(
    clippy::unnecessary_wraps,
    reason = "other formats cannot express every answer"
)]
pub(in crate::openai_chat) fn encode(response: &Response) -> Result<Encoded, EncodeError> {
    let mut body = Vec::with_capacity(1024);
    let mut dropped = Dropped::default();
    let mut object = ObjectWriter::new(&mut body);
    object.value("id", response.id.as_deref().unwrap_or_default());
    object.value("object", "chat.completion");
    object.value("created", &response.created.unwrap_or_default());
    object.value("model", response.model.as_deref().unwrap_or_default());
    write_array(object.key("choices"), &response.choices, |out, choice| {
        write_choice(out, choice, &mut dropped);
    });
    if let Some(usage) = response.usage {
        object.value("usage", &types::usage_out(usage));
    }
    object.extra(&response.extra, FORMAT, &MEMBERS, "", &mut dropped);
    object.end();
    Ok(Encoded {
        body,
        dropped: dropped.into_names(),
    })
}

/// An answer's parts, by the member that they go into.
#[derive(Default)]
struct Sorted<'a> {
    thoughts: Vec<&'a Reasoning>,
    text: Option<String>,
    citations: Vec<&'a Opaque>,
    refusal: Option<String>,
    calls: Vec<Call<'a>>,
}

fn write_choice(out: &mut Vec<u8>, choice: &Choice, dropped: &mut Dropped) {
    let sorted = Sorted::new(&choice.parts, dropped);
    let (mine, of_message) = split(&choice.extra);
    let mut object = ObjectWriter::new(out);
    object.value("index", &choice.index);
    let mut message = ObjectWriter::new(object.key("message"));
    message.value("role", "assistant");
    message.value("content", &sorted.text);
    message.value("refusal", &sorted.refusal);
    reasoning::encode(&mut message, &sorted.thoughts, dropped);
    if !sorted.citations.is_empty() {
        let out = message.key("annotations");
        write_array(out, &sorted.citations, |out, raw| out.extend(&raw.bytes));
    }
    tool_call::encode_all(&mut message, &sorted.calls, dropped);
    message.extra(&of_message, FORMAT, &MESSAGE_MEMBERS, "message", dropped);
    message.end();
    if mine.get(FORMAT, "logprobs").is_none() {
        object.value("logprobs", &());
    }
    object.extra(&mine, FORMAT, &CHOICE_MEMBERS, "choice", dropped);
    object.value("finish_reason", finish_word(&choice.finish_reason, dropped));
    object.end();
}

fn finish_word<'a>(reason: &'a FinishReason, dropped: &mut Dropped) -> &'a str {
    let (word, exact) = types::finish_word(reason);
    if !exact {
        dropped.note_in("finish_reason", reason.name());
    }
    word
}

/// The members of a choice, and those of its message without the prefix.
pub(in crate::openai_chat) fn split(extra: &Extra) -> (Extra, Extra) {
    let mut mine = Extra::default();
    let mut of_message = Extra::default();
    for (name, origin, value) in extra.iter() {
        match name.strip_prefix(OF_MESSAGE) {
            Some(name) if origin == FORMAT => of_message.insert(origin, name, value.clone()),
            _ => mine.insert(origin, name, value.clone()),
        }
    }
    (mine, of_message)
}

// === impl Sorted ===

impl<'a> Sorted<'a> {
    /// Notes what one string of text, then calls, cannot say.
    fn new(parts: &'a [OutputPart], dropped: &mut Dropped) -> Self {
        let mut sorted = Self::default();
        for part in parts {
            match part {
                OutputPart::Reasoning(thought) => {
                    if sorted.text.is_some() || sorted.refusal.is_some() || !sorted.calls.is_empty()
                    {
                        dropped.note("message.order");
                    }
                    sorted.thoughts.push(thought);
                }
                OutputPart::Text(text) => {
                    sorted.add_text(text, dropped);
                }
                OutputPart::Refusal(text) => {
                    if !sorted.calls.is_empty() || sorted.refusal.is_some() {
                        dropped.note("message.order");
                    }
                    sorted.refusal.get_or_insert_default().push_str(text);
                }
                OutputPart::ToolCall(call) => sorted.calls.push(Call::Function(call)),
                OutputPart::Opaque(raw) if raw.origin == FORMAT && tool_call::is_call(raw) => {
                    sorted.calls.push(Call::Other(raw));
                }
                OutputPart::Opaque(raw) => dropped.note_in("content", &kind_of(&raw.bytes)),
            }
        }
        sorted
    }

    fn add_text(&mut self, text: &'a Text, dropped: &mut Dropped) {
        if self.text.is_some() || self.refusal.is_some() || !self.calls.is_empty() {
            dropped.note("message.order");
        }
        for (name, ..) in text.extra.iter() {
            dropped.note_in("text", name);
        }
        for citation in &text.citations {
            match citation.origin == FORMAT {
                true => self.citations.push(citation),
                false => dropped.note("text.citations"),
            }
        }
        self.text.get_or_insert_default().push_str(&text.text);
    }
}
