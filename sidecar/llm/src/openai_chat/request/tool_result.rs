//! Results of tools: a message each.
//!
//! A tool's message holds text only; what else a tool gave (an image of a screen, a document) follows in a message of the
//! user's, under the name of its call, and is reported as moved.

use crate::error::EncodeError;
use crate::format::Target;
use crate::ir::{InputPart, Text, ToolResult};
use crate::json::{ObjectWriter, Report};
use crate::openai_chat::request::TOOL_MESSAGE_MEMBERS;
use crate::openai_chat::{FORMAT, content};

/// The mark of a result in the words of before tools: it has the name of the function, not the id of a call.
pub(super) const OF_FUNCTION: &str = "function.name";

/// What stands in the place of a result of which nothing is text.
const FOLLOWS: &str = "The result follows in the next message of the user.";

/// Writes the results of one turn, and after them what is not text. `out` stands behind the `[` of the messages or behind
/// one of them; `separate` writes a comma where one is due.
pub(super) fn write_all(
    out: &mut Vec<u8>,
    results: &[ToolResult],
    separate: impl Fn(&mut Vec<u8>),
    target: &Target<'_>,
    report: &mut Report,
) -> Result<(), EncodeError> {
    let mut moved = Vec::new();
    for result in results {
        separate(out);
        write(out, result, &mut moved, target, report)?;
    }
    if moved.is_empty() {
        return Ok(());
    }
    report.note("tool_result.content");
    separate(out);
    let mut object = ObjectWriter::new(out);
    object.value("role", "user");
    content::encode_input(object.key("content"), &moved, target, report)?;
    object.end();
    Ok(())
}

fn write(
    out: &mut Vec<u8>,
    result: &ToolResult,
    moved: &mut Vec<InputPart>,
    target: &Target<'_>,
    report: &mut Report,
) -> Result<(), EncodeError> {
    if result.is_error {
        report.note("tool_result.is_error");
    }
    if result.cache.is_some() {
        report.note("cache_control");
    }
    let (rest, mut kept): (Vec<_>, Vec<_>) = result.parts.iter().cloned().partition(is_users);
    if !rest.is_empty() {
        let title = format!("The result of the call {}:", result.call_id);
        moved.push(InputPart::Text(Text::plain(title)));
        moved.extend(rest);
        if kept.is_empty() {
            kept.push(InputPart::Text(Text::plain(FOLLOWS)));
        }
    }
    let mut object = ObjectWriter::new(out);
    match result.extra.get(FORMAT, OF_FUNCTION) {
        Some(name) => {
            object.value("role", "function");
            object.value("name", name);
        }
        None => {
            object.value("role", "tool");
            object.value("tool_call_id", &result.call_id);
        }
    }
    content::encode_input(object.key("content"), &kept, target, report)?;
    object.extra(
        &result.extra,
        FORMAT,
        &TOOL_MESSAGE_MEMBERS,
        "tool_result",
        report,
    );
    object.end();
    Ok(())
}

/// Whether the format takes this from users only.
fn is_users(part: &InputPart) -> bool {
    match part {
        InputPart::Image(_) | InputPart::Audio(_) | InputPart::File(_) => true,
        InputPart::Text(_) | InputPart::Opaque(_) => false,
    }
}
