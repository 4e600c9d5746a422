//! Writes a whole answer; and the answer that events of a stream carry.

use crate::error::EncodeError;
use crate::format::Encoded;
use crate::ir::{Extra, FinishReason, OutputPart, Response, Usage};
use crate::json::{Object, ObjectWriter, Path, Report};
use crate::openai_responses::FORMAT;
use crate::openai_responses::ids::Mint;
use crate::openai_responses::output::{Items, Reader};
use crate::openai_responses::response::{MEMBERS, REQUIRED};
use crate::openai_responses::types::{self, Status};

/// Writes an answer for a client.
pub(in crate::openai_responses) fn encode(response: &Response) -> Result<Encoded, EncodeError> {
    let [choice] = response.choices.as_slice() else {
        return Err(EncodeError::Unsupported {
            path: "choices".to_owned(),
            format: FORMAT,
            reason: format!("it gives one answer, not {}", response.choices.len()),
        });
    };
    let mut body = Vec::with_capacity(1024);
    let mut report = Report::default();
    let status = Status::of(&choice.finish_reason);
    if !is_exact(&choice.finish_reason, &choice.parts) {
        report.note_in("finish_reason", choice.finish_reason.name());
    }
    for (name, origin, _) in choice.extra.iter() {
        if origin != FORMAT {
            report.note_in("choice", name);
        }
    }
    for (name, origin, _) in response.extra.iter() {
        if origin != FORMAT || MEMBERS.contains(&name) {
            report.note(name);
        }
    }
    let shown = Shown {
        id: response.id.as_deref(),
        created: response.created.unwrap_or_default(),
        model: response.model.as_deref(),
        status,
        error: None,
        usage: response.usage,
        extra: [&response.extra, &choice.extra],
    };
    shown.write(&mut body, |out| {
        let mint = Mint::new(response.id.as_deref());
        let mut items = Items::new(out, Reader::Client, mint);
        let last = status_of_last(status);
        items.parts(&choice.parts, last, &mut report);
    });
    Ok(report.into_encoded(body))
}

/// The status of the last item of an answer.
pub(in crate::openai_responses) fn status_of_last(status: Status<'_>) -> &'static str {
    match status.status {
        "incomplete" => "incomplete",
        _ => "completed",
    }
}

/// Whether the words for a finish reason say all.
fn is_exact(reason: &FinishReason, parts: &[OutputPart]) -> bool {
    let functions = parts.iter().any(|p| matches!(p, OutputPart::ToolCall(_)));
    let calls = functions || parts.iter().any(is_other_call);
    let meant = Status::of(reason).meaning(calls);
    meant == *reason || (functions && *reason == FinishReason::Stop)
}

fn is_other_call(part: &OutputPart) -> bool {
    match part {
        OutputPart::Opaque(raw) if raw.origin == FORMAT => {
            let item = Object::parse(&raw.bytes, &Path::Root);
            item.is_ok_and(|item| types::is_call(&item.kind()))
        }
        _ => false,
    }
}

/// An answer as it is shown to a client.
pub(in crate::openai_responses) struct Shown<'a> {
    pub(in crate::openai_responses) id: Option<&'a str>,
    /// Unix seconds.
    pub(in crate::openai_responses) created: u64,
    pub(in crate::openai_responses) model: Option<&'a str>,
    pub(in crate::openai_responses) status: Status<'a>,
    /// Code and message.
    pub(in crate::openai_responses) error: Option<(&'a str, &'a str)>,
    pub(in crate::openai_responses) usage: Option<Usage>,
    /// Unknown members; of those that are in both, the second counts.
    pub(in crate::openai_responses) extra: [&'a Extra; 2],
}

// === impl Shown ===

impl Shown<'_> {
    /// Writes the answer; `output` writes its items, without brackets.
    pub(in crate::openai_responses) fn write(
        &self,
        out: &mut Vec<u8>,
        output: impl FnOnce(&mut Vec<u8>),
    ) {
        let mut object = ObjectWriter::new(out);
        object.value("id", self.id.unwrap_or_default());
        object.value("object", "response");
        object.value("created_at", &self.created);
        object.value("status", self.status.status);
        self.write_error(&mut object);
        self.write_details(&mut object);
        object.value("model", self.model.unwrap_or_default());
        let items = object.key("output");
        items.push(b'[');
        output(items);
        items.push(b']');
        self.write_extra(&mut object);
        object.value("usage", &self.usage.map(types::usage_out));
        object.end();
    }

    fn write_error(&self, object: &mut ObjectWriter<'_>) {
        let Some((code, message)) = self.error else {
            return object.value("error", &());
        };
        let mut error = ObjectWriter::new(object.key("error"));
        error.value("code", code);
        error.value("message", message);
        error.end();
    }

    fn write_details(&self, object: &mut ObjectWriter<'_>) {
        let Some(reason) = self.status.reason else {
            return object.value("incomplete_details", &());
        };
        let mut details = ObjectWriter::new(object.key("incomplete_details"));
        details.value("reason", reason);
        details.end();
    }

    /// The unknown members, and those that must be there.
    fn write_extra(&self, object: &mut ObjectWriter<'_>) {
        let [first, second] = self.extra;
        for (name, default) in REQUIRED {
            let known = second.get(FORMAT, name).or_else(|| first.get(FORMAT, name));
            match known {
                Some(value) => object.value(name, value),
                None => object.key(name).extend_from_slice(default.as_bytes()),
            }
        }
        for (extra, other) in [(first, Some(second)), (second, None)] {
            for (name, member) in extra.all() {
                let written = MEMBERS.contains(&name)
                    || REQUIRED.iter().any(|(known, _)| *known == name)
                    || other.is_some_and(|other| other.get(FORMAT, name).is_some());
                if member.origin == FORMAT && !written {
                    object.value(name, &member.value);
                }
            }
        }
    }
}
