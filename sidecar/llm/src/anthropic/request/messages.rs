//! Writes a conversation: instructions at the top, results of tools at the head of the user's turn that follows.

use crate::anthropic::block::Direction;
use crate::anthropic::types::wrap_id;
use crate::anthropic::{FORMAT, block};
use crate::error::EncodeError;
use crate::ir::{Extra, InputPart, Message, OutputPart, Request, Text, ToolResult};
use crate::json::{Dropped, ObjectWriter};

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
    /// An instruction in the middle, in the user's voice.
    Instruction { parts: &'a [InputPart] },
    Assistant {
        parts: &'a [OutputPart],
        extra: &'a Extra,
    },
}

// === impl Conversation ===

impl<'a> Conversation<'a> {
    pub(super) fn new(request: &'a Request, dropped: &mut Dropped) -> Self {
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
                    dropped.note("messages.system");
                    for (name, ..) in extra.iter() {
                        dropped.note_in("message", name);
                    }
                    this.turns.push(Turn::Instruction { parts });
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

    pub(super) fn write(
        &self,
        out: &mut Vec<u8>,
        dropped: &mut Dropped,
    ) -> Result<(), EncodeError> {
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
                    write_user(out, results, parts, extra, dropped)?;
                }
                Turn::Instruction { parts } => {
                    let extra = Extra::default();
                    write_user(out, &[], parts.iter(), &extra, dropped)?;
                }
                Turn::Assistant { parts, extra } => {
                    write_assistant(out, parts, extra, last, dropped)?;
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
    dropped: &mut Dropped,
    content: impl FnOnce(&mut Vec<u8>, &mut Dropped) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    let mut object = ObjectWriter::new(out);
    object.value("role", role);
    content(object.key("content"), dropped)?;
    object.extra(extra, FORMAT, &MESSAGE_MEMBERS, "message", dropped);
    object.end();
    Ok(())
}

fn write_user<'a>(
    out: &mut Vec<u8>,
    results: &[&ToolResult],
    parts: impl Iterator<Item = &'a InputPart>,
    extra: &Extra,
    dropped: &mut Dropped,
) -> Result<(), EncodeError> {
    write_turn(out, "user", extra, dropped, |out, dropped| {
        out.push(b'[');
        let first = out.len();
        for result in results {
            separate(out, first);
            write_result(out, result, dropped)?;
        }
        write_parts(out, first, parts, dropped)?;
        out.push(b']');
        Ok(())
    })
}

fn write_parts<'a>(
    out: &mut Vec<u8>,
    first: usize,
    parts: impl Iterator<Item = &'a InputPart>,
    dropped: &mut Dropped,
) -> Result<(), EncodeError> {
    for part in parts {
        if matches!(part, InputPart::Text(text) if text.is_empty()) {
            continue;
        }
        separate(out, first);
        block::encode_input(out, part, dropped)?;
    }
    Ok(())
}

fn write_result(
    out: &mut Vec<u8>,
    result: &ToolResult,
    dropped: &mut Dropped,
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
            write_parts(out, first, parts.iter(), dropped)?;
            out.push(b']');
        }
    }
    if result.is_error {
        object.value("is_error", &true);
    }
    object.extra(
        &result.extra,
        FORMAT,
        &RESULT_MEMBERS,
        "tool_result",
        dropped,
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
    dropped: &mut Dropped,
) -> Result<(), EncodeError> {
    let before = out.len();
    let mut empty = true;
    write_turn(out, "assistant", extra, dropped, |out, dropped| {
        out.push(b'[');
        let first = out.len();
        for (index, part) in parts.iter().enumerate() {
            separate(out, first);
            let trimmed = trim_end(part, last && index + 1 == parts.len(), dropped);
            let part = trimmed.as_ref().unwrap_or(part);
            block::encode_output(out, part, Direction::Request, dropped)?;
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
fn trim_end(part: &OutputPart, last: bool, dropped: &mut Dropped) -> Option<OutputPart> {
    match part {
        OutputPart::Text(text) if last && text.text.trim_end().len() < text.text.len() => {
            dropped.note("message.trailing_space");
            Some(OutputPart::Text(Text {
                text: text.text.trim_end().to_owned(),
                ..text.clone()
            }))
        }
        _ => None,
    }
}
