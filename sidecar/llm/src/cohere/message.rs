//! What a model said: content, the plan before the tools, the calls, and the sources of it all.
//!
//! The text right before the calls is the plan (`tool_plan`); what is said without calls is content.

use crate::cohere::content::{self, is_readable_by};
use crate::cohere::tool_call::{self, Call};
use crate::cohere::{FORMAT, Reader, citation};
use crate::error::DecodeError;
use crate::ir::{Citation, Extra, OutputPart, Text};
use crate::json::{Object, ObjectWriter, Report, kind_of, write_array, write_json};

/// Takes what was said.
pub(super) fn decode(message: &mut Object<'_, '_>) -> Result<Vec<OutputPart>, DecodeError> {
    message.raw("role");
    let path = message.path().member("content");
    let mut parts = content::decode_output(message.raw("content"), &path)?;
    let plan = message.string("tool_plan")?.filter(|plan| !plan.is_empty());
    let planned = plan.is_some();
    parts.extend(plan.map(|plan| OutputPart::Text(Text::plain(plan))));
    citation::attach(&mut parts, planned, message)?;
    parts.extend(tool_call::decode_all(message)?);
    Ok(parts)
}

/// A message's parts, by the member that they go into.
struct Sorted<'a> {
    content: Vec<&'a OutputPart>,
    plan: Option<&'a Text>,
    calls: Vec<Call<'a>>,
}

/// Writes a message.
pub(super) fn encode(
    out: &mut Vec<u8>,
    parts: &[OutputPart],
    extra: &Extra,
    reader: Reader,
    report: &mut Report,
) {
    let sorted = Sorted::new(parts, reader, report);
    let mut message = ObjectWriter::new(out);
    message.value("role", "assistant");
    sorted.write_content(&mut message, reader, report);
    if let Some(plan) = sorted.plan {
        note_cache(plan, report);
        message.value("tool_plan", &plan.text);
    }
    tool_call::encode_all(&mut message, &sorted.calls, reader, report);
    let mut known = vec!["role", "content", "tool_plan", "tool_calls"];
    if sorted.write_citations(&mut message, reader, report) {
        known.push("citations");
    }
    message.extra(extra, FORMAT, &known, "message", report);
    message.end();
}

fn note_cache(text: &Text, report: &mut Report) {
    if text.cache.is_some() {
        report.note("cache_control");
    }
}

// === impl Sorted ===

impl<'a> Sorted<'a> {
    /// Leaves out, and notes, what the reader could not use.
    fn new(parts: &'a [OutputPart], reader: Reader, report: &mut Report) -> Self {
        let mut sorted = Self {
            content: Vec::new(),
            plan: None,
            calls: Vec::new(),
        };
        let mut plan_ends = 0;
        for part in parts {
            match part {
                OutputPart::ToolCall(call) => sorted.calls.push(Call::Function(call)),
                OutputPart::Image(_) => report.note_in("content", "image"),
                OutputPart::Opaque(raw) if raw.origin != FORMAT => {
                    report.note_in("content", &kind_of(&raw.bytes));
                }
                OutputPart::Opaque(raw) if tool_call::is_call(raw) => {
                    sorted.calls.push(Call::Other(raw));
                }
                OutputPart::Text(text) if text.is_empty() => {}
                OutputPart::Reasoning(thought) if !is_readable_by(thought, reader) => {
                    report.note("thinking");
                }
                OutputPart::Text(_)
                | OutputPart::Refusal(_)
                | OutputPart::Reasoning(_)
                | OutputPart::Opaque(_) => {
                    if !sorted.calls.is_empty() {
                        report.note("message.order");
                    }
                    sorted.content.push(part);
                }
            }
            if sorted.calls.is_empty() {
                plan_ends = sorted.content.len();
            }
        }
        if !sorted.calls.is_empty() {
            sorted.take_plan(plan_ends);
        }
        sorted
    }

    /// The text right before the calls is the plan, when it is nothing but text.
    fn take_plan(&mut self, end: usize) {
        let Some(OutputPart::Text(text)) = end.checked_sub(1).map(|at| self.content[at]) else {
            return;
        };
        let of_plan = |source: &Citation| citation::is_of_plan(&source.raw);
        if text.extra.is_empty() && text.citations.iter().all(of_plan) {
            self.plan = Some(text);
            self.content.remove(end - 1);
        }
    }

    fn write_content(&self, message: &mut ObjectWriter<'_>, reader: Reader, report: &mut Report) {
        match (self.content.as_slice(), reader) {
            ([], _) if self.plan.is_some() || !self.calls.is_empty() => {}
            ([], Reader::Provider) => message.value("content", ""),
            ([OutputPart::Text(text)], Reader::Provider) if text.extra.is_empty() => {
                note_cache(text, report);
                message.value("content", &text.text);
            }
            (parts, _) => write_array(message.key("content"), parts, |out, part| match part {
                OutputPart::Text(text) => {
                    note_cache(text, report);
                    content::write_text(out, text, report);
                }
                OutputPart::Refusal(text) => {
                    report.note("refusal");
                    content::write_text(out, &Text::plain(text.as_str()), report);
                }
                OutputPart::Reasoning(thought) => content::encode_thinking(out, thought, report),
                OutputPart::Opaque(raw) => out.extend(&raw.bytes),
                // Not among the content.
                OutputPart::ToolCall(_) | OutputPart::Image(_) => write_json(out, &()),
            }),
        }
    }

    /// Writes the sources, and whether there were any.
    fn write_citations(
        &self,
        message: &mut ObjectWriter<'_>,
        reader: Reader,
        report: &mut Report,
    ) -> bool {
        let is_text =
            |part: &&OutputPart| matches!(part, OutputPart::Text(_) | OutputPart::Refusal(_));
        let mut texts: Vec<bool> = self.content.iter().map(is_text).collect();
        texts.extend(self.plan.map(|_| true));
        let of_content = self.content.iter().map(|part| match part {
            OutputPart::Text(text) => Some(text),
            _ => None,
        });
        let mut written: Vec<Vec<u8>> = Vec::new();
        for (at, text) in of_content.chain(std::iter::once(self.plan)).enumerate() {
            for source in text.into_iter().flat_map(|text| &text.citations) {
                let mut out = Vec::new();
                if source.raw.origin == FORMAT {
                    let found = citation::part_of(&source.raw.bytes, &texts, self.plan.is_some());
                    if found != Some(at) {
                        report.note("text.citations");
                    }
                    out.extend(&source.raw.bytes);
                } else {
                    report.note("text.citations");
                    let length = text.map_or(0, |text| text.text.chars().count());
                    if reader == Reader::Provider
                        || !citation::write_foreign(&mut out, source, at, length)
                    {
                        continue;
                    }
                }
                written.push(out);
            }
        }
        if !written.is_empty() {
            write_array(message.key("citations"), &written, |out, raw| {
                out.extend(raw);
            });
        }
        !written.is_empty()
    }
}
