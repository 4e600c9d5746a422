//! The prompt: a text, or what only this format knows.

use serde_json::value::RawValue;

use crate::error::{DecodeError, EncodeError};
use crate::ir::{Extra, InputPart, Message, Opaque, Request, Text};
use crate::json::{Object, ObjectWriter, Path, Report, array, string, write_json};
use crate::openai_completions::FORMAT;

/// Parts of another kind are objects with one of these members, its value as it was written.
const PROMPT: &str = "prompt";
const SUFFIX: &str = "suffix";

/// Reads `prompt` and `suffix` as the turn of a user.
pub(super) fn decode(object: &mut Object<'_, '_>) -> Result<Message, DecodeError> {
    let raw = object.required(PROMPT)?;
    let mut parts = vec![match one_text(raw) {
        Some(text) => InputPart::Text(Text::plain(text)),
        None if raw.get().starts_with('[') => kept(PROMPT, raw),
        None => return Err(object.invalid(PROMPT, "a string or an array")),
    }];
    if let Some(raw) = object.raw(SUFFIX).filter(|raw| raw.get() != "\"\"") {
        parts.push(kept(SUFFIX, raw));
    }
    Ok(Message::User {
        parts,
        extra: Extra::default(),
    })
}

/// The text of a prompt that is one: bare, or alone in an array.
fn one_text(raw: &RawValue) -> Option<String> {
    if let Some(text) = string(raw) {
        return Some(text.into_owned());
    }
    match array(raw, &Path::Root).ok()?.as_slice() {
        [only] => Some(string(only)?.into_owned()),
        _ => None,
    }
}

fn kept(name: &str, raw: &RawValue) -> InputPart {
    let mut bytes = Vec::new();
    let mut object = ObjectWriter::new(&mut bytes);
    // By which others name it when they refuse it.
    object.value("type", name);
    object.value(name, raw);
    object.end();
    InputPart::Opaque(Opaque::new(FORMAT, bytes))
}

/// Writes the one turn of a user as `prompt` and `suffix`; refuses every other conversation.
pub(super) fn encode(
    object: &mut ObjectWriter<'_>,
    request: &Request,
    report: &mut Report,
) -> Result<(), EncodeError> {
    if !request.system.is_empty() {
        return Err(refused(
            "system",
            "a completion has no instructions; write them into the user's message",
        ));
    }
    let [Message::User { parts, extra }] = request.messages.as_slice() else {
        return Err(refused(
            "messages",
            "a completion is the continuation of one text; send one message of a user, or choose a chat model",
        ));
    };
    for (name, ..) in extra.iter() {
        report.note_in("message", name);
    }
    let mut read = Read::default();
    for (index, part) in parts.iter().enumerate() {
        read.part(part, report).ok_or_else(|| {
            let reason = "a completion reads one prompt, of text only, and one text to end with; \
                          describe the rest in words, or choose a chat model";
            refused(&format!("messages[0].content[{index}]"), reason)
        })?;
    }
    match read.prompt {
        Some(raw) => write_json(object.key(PROMPT), raw),
        None => object.value(PROMPT, read.text.as_deref().unwrap_or_default()),
    }
    object.optional(SUFFIX, read.suffix.as_ref());
    Ok(())
}

/// The turn of a user, part by part.
#[derive(Default)]
struct Read<'a> {
    text: Option<String>,
    prompt: Option<&'a RawValue>,
    suffix: Option<&'a RawValue>,
}

// === impl Read ===

impl<'a> Read<'a> {
    /// Takes a part; `None` when it has no place, or its place is taken.
    fn part(&mut self, part: &'a InputPart, report: &mut Report) -> Option<()> {
        match part {
            InputPart::Text(_) if self.prompt.is_some() => None,
            InputPart::Text(part) => {
                join(&mut self.text, part, report);
                Some(())
            }
            InputPart::Opaque(raw) if raw.origin == FORMAT => {
                let mut members = Object::parse(&raw.bytes, &Path::Root).ok()?;
                let place = match &*members.kind() {
                    PROMPT if self.text.is_none() => &mut self.prompt,
                    SUFFIX => &mut self.suffix,
                    _ => return None,
                };
                let kind = members.kind();
                let value = members.raw(&kind)?;
                place.replace(value).is_none().then_some(())
            }
            InputPart::Opaque(_)
            | InputPart::Image(_)
            | InputPart::Audio(_)
            | InputPart::File(_) => None,
        }
    }
}

/// Adds a text; that there were several is not to be seen any more.
fn join(text: &mut Option<String>, part: &Text, report: &mut Report) {
    for (name, ..) in part.extra.iter() {
        report.note_in("text", name);
    }
    if part.cache.is_some() {
        report.note("cache_control");
    }
    if !part.citations.is_empty() {
        report.note("text.citations");
    }
    match text {
        None => *text = Some(part.text.clone()),
        Some(before) => {
            report.note("message.parts");
            before.push('\n');
            before.push_str(&part.text);
        }
    }
}

fn refused(path: &str, reason: &str) -> EncodeError {
    EncodeError::Unsupported {
        path: path.to_owned(),
        format: FORMAT,
        reason: reason.to_owned(),
    }
}
