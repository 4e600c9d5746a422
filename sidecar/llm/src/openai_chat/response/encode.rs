//! Writes a whole answer.

use crate::error::EncodeError;
use crate::format::Encoded;
use crate::ir::{
    Choice, Citation, Extra, FinishReason, Image, OutputPart, Reasoning, Response, Text, Usage,
};
use crate::json::{ObjectWriter, Report, kind_of, write_array};
use crate::openai_chat::content::{drawn, thinking};
use crate::openai_chat::form::Form;
use crate::openai_chat::response::{CHOICE_MEMBERS, MEMBERS, MESSAGE_MEMBERS, OF_MESSAGE};
use crate::openai_chat::tool_call::{self, Call, Reader};
use crate::openai_chat::{FORMAT, reasoning, types};
use crate::openai_usage;

/// Writes an answer for a client.
#[expect(
    clippy::unnecessary_wraps,
    reason = "other formats cannot express every answer"
)]
pub(in crate::openai_chat) fn encode(
    response: &Response,
    form: &Form,
) -> Result<Encoded, EncodeError> {
    let mut body = Vec::with_capacity(1024);
    let mut report = Report::default();
    let mut object = ObjectWriter::new(&mut body);
    object.value("id", response.id.as_deref().unwrap_or_default());
    object.value("object", "chat.completion");
    object.value("created", &response.created.unwrap_or_default());
    object.value("model", response.model.as_deref().unwrap_or_default());
    write_array(object.key("choices"), &response.choices, |out, choice| {
        write_choice(out, choice, form, &mut report);
    });
    let always = form.usage_always.then(Usage::default);
    if let Some(usage) = response.usage.or(always) {
        object.value("usage", &openai_usage::written(usage));
    }
    object.extra(&response.extra, FORMAT, &MEMBERS, "", &mut report);
    object.end();
    Ok(report.into_encoded(body))
}

/// An answer's parts, by the member that they go into.
#[derive(Default)]
struct Sorted<'a> {
    thoughts: Vec<&'a Reasoning>,
    text: Option<String>,
    citations: Vec<(&'a Citation, usize)>,
    refusal: Option<String>,
    images: Vec<&'a Image>,
    calls: Vec<Call<'a>>,
}

fn write_choice(out: &mut Vec<u8>, choice: &Choice, form: &Form, report: &mut Report) {
    let sorted = Sorted::new(&choice.parts, report).of(form);
    let (mine, of_message) = split(&choice.extra);
    let mut object = ObjectWriter::new(out);
    object.value("index", &choice.index);
    let mut message = ObjectWriter::new(object.key("message"));
    message.value("role", "assistant");
    if form.has_thoughts_in_content() && !sorted.thoughts.is_empty() {
        write_with_thoughts(message.key("content"), &sorted, report);
    } else {
        message.value("content", &sorted.text);
    }
    if form.refusals {
        message.value("refusal", &sorted.refusal);
    }
    if !form.has_thoughts_in_content() {
        reasoning::encode(&mut message, &sorted.thoughts, report);
    }
    if !sorted.citations.is_empty() {
        let out = message.key("annotations");
        write_array(out, &sorted.citations, |out, (citation, length)| {
            types::write_citation(out, citation, *length, None);
        });
    }
    if !sorted.images.is_empty() {
        write_array(message.key(drawn::IMAGES), &sorted.images, |out, image| {
            drawn::write(out, image, None, report);
        });
    }
    tool_call::encode_all(&mut message, &sorted.calls, Reader::Client, report);
    message.extra(&of_message, FORMAT, &MESSAGE_MEMBERS, "message", report);
    message.end();
    if mine.get(FORMAT, "logprobs").is_none() {
        object.value("logprobs", &());
    }
    object.extra(&mine, FORMAT, &CHOICE_MEMBERS, "choice", report);
    let word = match choice.finish_reason {
        FinishReason::ToolCalls if tool_call::is_one(&sorted.calls) => tool_call::FUNCTION_CALL,
        _ => finish_word(&choice.finish_reason, report),
    };
    object.value("finish_reason", word);
    object.end();
}

/// Thoughts, then the text, as parts of one content.
fn write_with_thoughts(out: &mut Vec<u8>, sorted: &Sorted<'_>, report: &mut Report) {
    let text = sorted.text.as_deref().map(|text| (None, Some(text)));
    let thoughts = sorted.thoughts.iter().map(|thought| (Some(*thought), None));
    write_array(out, thoughts.chain(text), |out, part| match part {
        (Some(thought), _) => {
            for (name, ..) in thought.extra.iter() {
                report.note_in("thinking", name);
            }
            thinking::show(out, thought.text.as_deref(), thought.state.as_ref());
        }
        (None, text) => {
            let mut part = ObjectWriter::new(out);
            part.value("type", "text");
            part.value("text", &text);
            part.end();
        }
    });
}

fn finish_word<'a>(reason: &'a FinishReason, report: &mut Report) -> &'a str {
    let (word, exact) = types::finish_word(reason);
    if !exact {
        report.note_in("finish_reason", reason.name());
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
    fn new(parts: &'a [OutputPart], report: &mut Report) -> Self {
        let mut sorted = Self::default();
        for part in parts {
            match part {
                OutputPart::Reasoning(thought) => {
                    if sorted.text.is_some() || sorted.refusal.is_some() || sorted.is_late() {
                        report.note("message.order");
                    }
                    sorted.thoughts.push(thought);
                }
                OutputPart::Text(text) => {
                    sorted.add_text(text, report);
                }
                OutputPart::Refusal(text) => {
                    if sorted.is_late() || sorted.refusal.is_some() {
                        report.note("message.order");
                    }
                    sorted.refusal.get_or_insert_default().push_str(text);
                }
                OutputPart::Image(image) => {
                    if !sorted.calls.is_empty() {
                        report.note("message.order");
                    }
                    sorted.images.push(image);
                }
                OutputPart::ToolCall(call) => sorted.calls.push(Call::Function(call)),
                OutputPart::Opaque(raw) if raw.origin == FORMAT && tool_call::is_call(raw) => {
                    sorted.calls.push(Call::Other(raw));
                }
                OutputPart::Opaque(raw) => report.note_in("content", &kind_of(&raw.bytes)),
            }
        }
        sorted
    }

    /// As a client of this form reads it: without a member for refusals, they are what is said.
    fn of(mut self, form: &Form) -> Self {
        if !form.refusals
            && let Some(refusal) = self.refusal.take()
        {
            self.text.get_or_insert_default().push_str(&refusal);
        }
        self
    }

    /// Whether a part has come that stands after all words.
    fn is_late(&self) -> bool {
        !(self.images.is_empty() && self.calls.is_empty())
    }

    fn add_text(&mut self, text: &'a Text, report: &mut Report) {
        if self.text.is_some() || self.refusal.is_some() || self.is_late() {
            report.note("message.order");
        }
        for (name, ..) in text.extra.iter() {
            report.note_in("text", name);
        }
        for citation in &text.citations {
            if citation.raw.origin != FORMAT {
                report.note("text.citations");
            }
            if citation.raw.origin == FORMAT || citation.url.is_some() {
                let length = text.text.chars().count();
                self.citations.push((citation, length));
            }
        }
        self.text.get_or_insert_default().push_str(&text.text);
    }
}
