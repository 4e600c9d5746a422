//! Writes an assistant's message of a request.

use fkm_dialect::Thoughts;

use crate::format::Target;
use crate::ir::{Extra, OutputPart, Reasoning};
use crate::json::{ObjectWriter, Report, kind_of, write_array, write_json};
use crate::openai_chat::request::ASSISTANT_MEMBERS;
use crate::openai_chat::tool_call::{self, Call, Reader};
use crate::openai_chat::{FORMAT, content, reasoning};

/// An assistant's parts, by the member that they go into.
#[derive(Default)]
struct Sorted<'a> {
    thoughts: Vec<&'a Reasoning>,
    content: Vec<&'a OutputPart>,
    calls: Vec<Call<'a>>,
    /// A part came after one of a later member.
    out_of_order: bool,
}

/// Writes an assistant's message.
pub(super) fn write(
    out: &mut Vec<u8>,
    parts: &[OutputPart],
    extra: &Extra,
    target: &Target<'_>,
    report: &mut Report,
) {
    let sorted = Sorted::new(parts, report);
    if sorted.out_of_order {
        report.note("message.order");
    }
    let mut object = ObjectWriter::new(out);
    object.value("role", "assistant");
    match target.dialect.thoughts {
        Thoughts::Content if !sorted.thoughts.is_empty() => {
            write_with_thoughts(object.key("content"), &sorted, target, report);
        }
        _ => {
            reasoning::encode(&mut object, &sorted.thoughts, report);
            write_content(object.key("content"), &sorted, target, report);
        }
    }
    tool_call::encode_all(&mut object, &sorted.calls, Reader::Provider, report);
    object.extra(extra, FORMAT, &ASSISTANT_MEMBERS, "message", report);
    object.end();
}

fn write_content(out: &mut Vec<u8>, sorted: &Sorted<'_>, target: &Target<'_>, report: &mut Report) {
    match sorted.content.as_slice() {
        [] if sorted.calls.is_empty() => write_json(out, ""),
        [] => write_json(out, &()),
        [OutputPart::Text(text)] if text.extra.is_quiet() && text.cache.is_none() => {
            content::note_citations(text, report);
            write_json(out, &text.text);
        }
        parts => write_array(out, parts, |out, part| {
            write_part(out, part, target, report);
        }),
    }
}

/// Thoughts as parts before the others, as Mistral has them.
fn write_with_thoughts(
    out: &mut Vec<u8>,
    sorted: &Sorted<'_>,
    target: &Target<'_>,
    report: &mut Report,
) {
    enum Part<'a> {
        Thought(&'a Reasoning),
        Other(&'a OutputPart),
    }
    let thoughts = sorted.thoughts.iter().copied().map(Part::Thought);
    let others = sorted.content.iter().copied().map(Part::Other);
    write_array(out, thoughts.chain(others), |out, part| match part {
        Part::Thought(thought) => content::thinking::encode(out, thought, report),
        Part::Other(part) => write_part(out, part, target, report),
    });
}

fn write_part(out: &mut Vec<u8>, part: &OutputPart, target: &Target<'_>, report: &mut Report) {
    match part {
        OutputPart::Text(text) => content::encode_text(out, text, target, report),
        OutputPart::Refusal(text) => {
            let mut object = ObjectWriter::new(out);
            object.value("type", "refusal");
            object.value("refusal", text);
            object.end();
        }
        OutputPart::Opaque(raw) => out.extend(&raw.bytes),
        OutputPart::Reasoning(_) | OutputPart::ToolCall(_) | OutputPart::Image(_) => {}
    }
}

// === impl Sorted ===

impl<'a> Sorted<'a> {
    /// Leaves out, and notes, what only another format understands.
    fn new(parts: &'a [OutputPart], report: &mut Report) -> Self {
        let mut sorted = Self::default();
        for part in parts {
            match part {
                OutputPart::Reasoning(thought) => {
                    let state = thought.state.as_ref();
                    if state.is_some_and(|state| state.origin != FORMAT) {
                        report.note("thinking");
                        continue;
                    }
                    sorted.out_of_order |= !sorted.content.is_empty() || !sorted.calls.is_empty();
                    sorted.thoughts.push(thought);
                }
                // Nobody takes back what a model drew.
                OutputPart::Image(_) => report.note_in("content", "image"),
                OutputPart::Opaque(raw) if raw.origin != FORMAT => {
                    report.note_in("content", &kind_of(&raw.bytes));
                }
                OutputPart::Opaque(raw) if tool_call::is_call(raw) => {
                    sorted.calls.push(Call::Other(raw));
                }
                OutputPart::ToolCall(call) => sorted.calls.push(Call::Function(call)),
                OutputPart::Text(text) if text.is_empty() => {}
                OutputPart::Text(_) | OutputPart::Refusal(_) | OutputPart::Opaque(_) => {
                    sorted.out_of_order |= !sorted.calls.is_empty();
                    sorted.content.push(part);
                }
            }
        }
        sorted
    }
}
