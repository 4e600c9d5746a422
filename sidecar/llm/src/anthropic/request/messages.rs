//! Writes a conversation: instructions at the top, results of tools at the head of the user's turn that follows.

use fkm_dialect::Capabilities;

use crate::anthropic::block::Direction;
use crate::anthropic::types::{self, wrap_id};
use crate::anthropic::{FORMAT, block};
use crate::error::EncodeError;
use crate::ir::{Extra, InputPart, Message, OutputPart, Request, Text, ToolResult};
use crate::json::{ObjectWriter, Report};

const MESSAGE_MEMBERS: [&str; 2] = ["role", "content"];
const RESULT_MEMBERS: [&str; 4] = ["type", "tool_use_id", "content", "is_error"];

/// A conversation as this format divides it.
pub(super) struct Conversation<'a> {
    /// The instructions before it.
    pub(super) system: Vec<&'a Text>,
    turns: Vec<Turn<'a>>,
}

enum Turn<'a> {
    User {
        results: Vec<&'a ToolResult>,
        parts: Vec<&'a [InputPart]>,
        extra: &'a Extra,
    },
    /// An instruction in the middle: as such where the model takes it, else in the user's voice.
    Instruction {
        parts: &'a [InputPart],
        extra: &'a Extra,
        role: &'static str,
    },
    Assistant {
        parts: &'a [OutputPart],
        extra: &'a Extra,
    },
}

// === impl Conversation ===

impl<'a> Conversation<'a> {
    pub(super) fn new(
        request: &'a Request,
        capabilities: &Capabilities,
        report: &mut Report,
    ) -> Self {
        let mut this = Self {
            system: request.system.iter().collect(),
            turns: Vec::new(),
        };
        for message in &request.messages {
            match message {
                Message::System { parts, extra }
                    if this.turns.is_empty()
                        && extra.is_empty()
                        && parts.iter().all(InputPart::is_text) =>
                {
                    this.system
                        .extend(parts.iter().filter_map(InputPart::as_text));
                }
                Message::System { parts, extra } => {
                    let role = if capabilities.mid_system {
                        "system"
                    } else {
                        report.note("messages.system");
                        "user"
                    };
                    this.turns.push(Turn::Instruction { parts, extra, role });
                }
                Message::User { parts, extra } => this.user(&[], parts, extra),
                Message::Tool { results, extra } if results.is_empty() && extra.is_empty() => {}
                Message::Tool { results, extra } => this.user(results, &[], extra),
                Message::Assistant { parts, extra } => {
                    this.turns.push(Turn::Assistant { parts, extra });
                }
            }
        }
        this.system.retain(|text| !text.is_empty());
        this
    }

    /// Adds results, or what the user says, to a turn of results; or begins a turn.
    fn user(&mut self, more: &'a [ToolResult], said: &'a [InputPart], extra: &'a Extra) {
        if let Some(Turn::User {
            results,
            parts,
            extra: before,
        }) = self.turns.last_mut()
            && !results.is_empty()
            && parts.is_empty()
            && before.is_empty()
            && extra.is_empty()
        {
            results.extend(more);
            if !said.is_empty() {
                parts.push(said);
            }
            return;
        }
        self.turns.push(Turn::User {
            results: more.iter().collect(),
            parts: if said.is_empty() { vec![] } else { vec![said] },
            extra,
        });
    }

    pub(super) fn write(&self, out: &mut Vec<u8>, report: &mut Report) -> Result<(), EncodeError> {
        out.push(b'[');
        let first = out.len();
        for (index, turn) in self.turns.iter().enumerate() {
            let last = index + 1 == self.turns.len();
            separate(out, first);
            match turn {
                Turn::User {
                    results,
                    parts,
                    extra,
                } => {
                    let parts = parts.iter().copied().flatten();
                    write_user(out, results, parts, extra, report)?;
                }
                Turn::Instruction { parts, extra, role } => {
                    write_turn(out, role, extra, report, |out, report| {
                        out.push(b'[');
                        let first = out.len();
                        write_parts(out, first, parts.iter(), report)?;
                        out.push(b']');
                        Ok(())
                    })?;
                }
                Turn::Assistant { parts, extra } => {
                    write_assistant(out, parts, extra, last, report)?;
                }
            }
        }
        if out.last() == Some(&b',') {
            out.pop();
        }
        out.push(b']');
        Ok(())
    }
}

/// Writes a comma unless nothing, or a comma, is before.
fn separate(out: &mut Vec<u8>, first: usize) {
    if out.len() > first && out.last() != Some(&b',') {
        out.push(b',');
    }
}

/// Writes one turn, its content by `content`.
fn write_turn(
    out: &mut Vec<u8>,
    role: &str,
    extra: &Extra,
    report: &mut Report,
    content: impl FnOnce(&mut Vec<u8>, &mut Report) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    let mut object = ObjectWriter::new(out);
    object.value("role", role);
    content(object.key("content"), report)?;
    object.extra(extra, FORMAT, &MESSAGE_MEMBERS, "message", report);
    object.end();
    Ok(())
}

fn write_user<'a>(
    out: &mut Vec<u8>,
    results: &[&ToolResult],
    parts: impl Iterator<Item = &'a InputPart>,
    extra: &Extra,
    report: &mut Report,
) -> Result<(), EncodeError> {
    write_turn(out, "user", extra, report, |out, report| {
        out.push(b'[');
        let first = out.len();
        for result in results {
            separate(out, first);
            write_result(out, result, report)?;
        }
        write_parts(out, first, parts, report)?;
        out.push(b']');
        Ok(())
    })
}

fn write_parts<'a>(
    out: &mut Vec<u8>,
    first: usize,
    parts: impl Iterator<Item = &'a InputPart>,
    report: &mut Report,
) -> Result<(), EncodeError> {
    for part in parts {
        if matches!(part, InputPart::Text(text) if text.is_empty()) {
            continue;
        }
        separate(out, first);
        block::encode_input(out, part, report)?;
    }
    Ok(())
}

fn write_result(
    out: &mut Vec<u8>,
    result: &ToolResult,
    report: &mut Report,
) -> Result<(), EncodeError> {
    let mut object = ObjectWriter::new(out);
    object.value("type", "tool_result");
    object.value("tool_use_id", &*wrap_id(&result.call_id));
    match result.parts.as_slice() {
        [] => {}
        [InputPart::Text(text)] if text.is_plain() => object.value("content", &text.text),
        parts => {
            let out = object.key("content");
            out.push(b'[');
            let first = out.len();
            write_parts(out, first, parts.iter(), report)?;
            out.push(b']');
        }
    }
    if result.is_error {
        object.value("is_error", &true);
    }
    types::write_cache(&mut object, result.cache);
    object.extra(
        &result.extra,
        FORMAT,
        &RESULT_MEMBERS,
        "tool_result",
        report,
    );
    object.end();
    Ok(())
}

/// Writes nothing when nothing of the turn can be said: an empty turn is refused.
fn write_assistant(
    out: &mut Vec<u8>,
    parts: &[OutputPart],
    extra: &Extra,
    last: bool,
    report: &mut Report,
) -> Result<(), EncodeError> {
    let before = out.len();
    let mut empty = true;
    write_turn(out, "assistant", extra, report, |out, report| {
        out.push(b'[');
        let first = out.len();
        for (index, part) in parts.iter().enumerate() {
            separate(out, first);
            let trimmed = trim_end(part, last && index + 1 == parts.len(), report);
            let part = trimmed.as_ref().unwrap_or(part);
            block::encode_output(out, part, Direction::Request, report)?;
        }
        if out.last() == Some(&b',') {
            out.pop();
        }
        empty = out.len() == first;
        out.push(b']');
        Ok(())
    })?;
    if empty && extra.is_empty() {
        out.truncate(before);
    }
    Ok(())
}

/// White space at the end of a conversation that the model is to go on with is refused.
fn trim_end(part: &OutputPart, last: bool, report: &mut Report) -> Option<OutputPart> {
    match part {
        OutputPart::Text(text) if last && text.text.trim_end().len() < text.text.len() => {
            report.note("message.trailing_space");
            Some(OutputPart::Text(Text {
                text: text.text.trim_end().to_owned(),
                ..text.clone()
            }))
        }
        _ => None,
    }
}
