//! Writes a conversation: instructions at the top, turns of the same side as one, results of tools at the head of the user's turn
//! that follows.

use crate::bedrock::FORMAT;
use crate::bedrock::block::{BlockWriter, Items};
use crate::error::EncodeError;
use crate::format::Target;
use crate::ir::{Extra, InputPart, Message, OutputPart, Request, Text};
use crate::json::{ObjectWriter, write_array};

const MESSAGE_MEMBERS: [&str; 2] = ["role", "content"];

/// What is said beside documents that come without a word: the service refuses them alone.
const WORDLESS: &str = "See the document.";

/// A message as it is written.
struct Turn<'a> {
    role: &'static str,
    content: Items,
    extra: &'a Extra,
    /// Only results of tools so far: what the user says goes with them.
    results: bool,
}

/// Writes `system` and `messages`.
pub(super) fn write(
    object: &mut ObjectWriter<'_>,
    request: &Request,
    target: &Target<'_>,
    writer: &mut BlockWriter<'_>,
) -> Result<(), EncodeError> {
    let mut system = Items::default();
    writer.instructions(&mut system, &request.system);
    let mut turns = Vec::new();
    let last = request.messages.len().saturating_sub(1);
    for (index, message) in request.messages.iter().enumerate() {
        match message {
            Message::System { parts, extra } => {
                let top = turns.is_empty() && extra.is_empty() && is_top(parts, target);
                if top {
                    inputs(&mut system, parts, writer)?;
                } else {
                    instruction(&mut turns, (parts, extra), target, writer)?;
                }
            }
            Message::User { parts, extra } => {
                let mut content = Items::default();
                inputs(&mut content, parts, writer)?;
                let behind = turns.last().is_some_and(|turn: &Turn<'_>| turn.results);
                if content.is_empty() && extra.is_empty() && !behind {
                    return Err(empty());
                }
                add(&mut turns, Turn::new("user", content, extra), writer);
            }
            Message::Tool { results, extra } => {
                let mut turn = Turn::new("user", Items::default(), extra);
                for result in results {
                    writer.tool_result(&mut turn.content, result)?;
                }
                turn.results = true;
                add(&mut turns, turn, writer);
            }
            Message::Assistant { parts, extra } => {
                let content = outputs(parts, index == last, writer)?;
                add(&mut turns, Turn::new("assistant", content, extra), writer);
            }
        }
    }
    if !system.is_empty() {
        system.write(object.key("system"));
    }
    for turn in &mut turns {
        if turn.content.document && !turn.content.text {
            writer.report.note("message.without_text");
            turn.content.text(WORDLESS);
        }
    }
    write_array(object.key("messages"), &turns, |out, turn| {
        turn.write(out, writer);
    });
    Ok(())
}

/// Whether an instruction at the beginning goes to the top: what is no text can be said there too, but is told apart where the
/// model takes instructions among the messages.
fn is_top(parts: &[InputPart], target: &Target<'_>) -> bool {
    parts.iter().all(InputPart::is_text) || !target.capabilities.mid_system
}

fn empty() -> EncodeError {
    EncodeError::Invalid {
        path: "messages[].content".to_owned(),
        reason: format!("{FORMAT} refuses a turn that is empty or blank; say something in it"),
    }
}

/// An instruction in the middle: as such where the model takes it, else in the user's voice.
fn instruction<'a>(
    turns: &mut Vec<Turn<'a>>,
    (parts, extra): (&[InputPart], &'a Extra),
    target: &Target<'_>,
    writer: &mut BlockWriter<'_>,
) -> Result<(), EncodeError> {
    let role = if target.capabilities.mid_system {
        "system"
    } else {
        writer.report.note("messages.system");
        "user"
    };
    let mut content = Items::default();
    inputs(&mut content, parts, writer)?;
    add(turns, Turn::new(role, content, extra), writer);
    Ok(())
}

fn inputs(
    items: &mut Items,
    parts: &[InputPart],
    writer: &mut BlockWriter<'_>,
) -> Result<(), EncodeError> {
    parts.iter().try_for_each(|part| writer.input(items, part))
}

/// White space at the end of a conversation that the model is to go on with is refused.
fn outputs(
    parts: &[OutputPart],
    last: bool,
    writer: &mut BlockWriter<'_>,
) -> Result<Items, EncodeError> {
    let mut items = Items::default();
    for (index, part) in parts.iter().enumerate() {
        match part {
            OutputPart::Text(text)
                if last
                    && index + 1 == parts.len()
                    && text.text.trim_end().len() < text.text.len() =>
            {
                writer.report.note("message.trailing_space");
                let text = Text {
                    text: text.text.trim_end().to_owned(),
                    ..text.clone()
                };
                writer.text(&mut items, &text);
            }
            part => writer.output(&mut items, part)?,
        }
    }
    Ok(items)
}

/// Adds a turn, or adds to the turn before: the service asks that the sides take turns. Nothing of which nothing can be said.
fn add<'a>(turns: &mut Vec<Turn<'a>>, turn: Turn<'a>, writer: &mut BlockWriter<'_>) {
    if turn.content.is_empty() && turn.extra.is_empty() {
        return;
    }
    if let Some(before) = turns.last_mut()
        && before.role == turn.role
        && before.extra.is_empty()
        && turn.extra.is_empty()
    {
        if !before.results {
            writer.report.note("messages.turns");
        }
        before.content.append(&turn.content);
        before.results &= turn.results;
        return;
    }
    turns.push(turn);
}

// === impl Turn ===

impl<'a> Turn<'a> {
    fn new(role: &'static str, content: Items, extra: &'a Extra) -> Self {
        Self {
            role,
            content,
            extra,
            results: false,
        }
    }

    fn write(&self, out: &mut Vec<u8>, writer: &mut BlockWriter<'_>) {
        let mut object = ObjectWriter::new(out);
        object.value("role", self.role);
        self.content.write(object.key("content"));
        object.extra(
            self.extra,
            FORMAT,
            &MESSAGE_MEMBERS,
            "message",
            writer.report,
        );
        object.end();
    }
}
