//! Whole answers.

use crate::bedrock::block::{self, BlockWriter, Direction, Items};
use crate::bedrock::{FORMAT, error, types};
use crate::error::{DecodeError, EncodeError};
use crate::format::Encoded;
use crate::ir::{Choice, Extra, Response};
use crate::json::{Object, ObjectWriter, Path, Report};

/// The members of an answer that the representation has.
const MEMBERS: [&str; 3] = ["output", "stopReason", "usage"];

/// The member that belongs to the end of an answer; a stream tells it there.
pub(super) const STOP_MEMBER: &str = "additionalModelResponseFields";

/// The members that a stream tells after its end.
pub(super) const LATE_MEMBERS: [&str; 4] = [METRICS, "trace", "performanceConfig", "serviceTier"];

pub(super) const METRICS: &str = "metrics";

/// What stands where the time is not known: the service's model demands the member.
pub(super) const NO_METRICS: &[u8] = br#"{"latencyMs":0}"#;

/// Reads a provider's answer, into canonical form.
pub(super) fn decode(body: &[u8]) -> Result<Response, DecodeError> {
    let mut object = Object::parse(body, &Path::Root)?;
    let Some(output) = object.raw("output") else {
        if object.peek("message").is_some() {
            let reported = error::decode_inside(body);
            return Err(DecodeError::Provider(Box::new(reported)));
        }
        return Err(DecodeError::Missing {
            path: "output".to_owned(),
        });
    };
    let path = object.path().member("output");
    let mut output = Object::from_raw(output, &path)?;
    let path = path.member("message");
    let mut message = Object::from_raw(output.required("message")?, &path)?;
    let content_path = path.member("content");
    let parts = block::decode_outputs(message.required("content")?, &content_path)?;
    message.raw("role");
    let word = object.required_string("stopReason")?;
    let finish_reason = types::finish_reason(&word).map_err(DecodeError::Provider)?;
    let mut extra = Extra::default();
    if let Some(raw) = object.raw(STOP_MEMBER) {
        extra.insert(FORMAT, STOP_MEMBER, raw.into());
    }
    message.rest_into(&mut extra, FORMAT, "message.");
    if object
        .peek(METRICS)
        .is_some_and(|raw| raw.get().as_bytes() == NO_METRICS)
    {
        object.raw(METRICS);
    }
    let usage = object.raw("usage").and_then(types::usage);
    let usage = usage.map(|usage| types::served(usage, object.peek("serviceTier")));
    let response = Response {
        choices: vec![Choice {
            index: 0,
            parts,
            finish_reason,
            extra,
        }],
        usage,
        extra: object.rest(FORMAT),
        ..Response::default()
    };
    Ok(response.canonical())
}

/// Writes an answer for a client. The id of an answer is told in a header, its model nowhere.
pub(super) fn encode(response: &Response) -> Result<Encoded, EncodeError> {
    let [choice] = response.choices.as_slice() else {
        return Err(EncodeError::Unsupported {
            path: "choices".to_owned(),
            format: FORMAT,
            reason: format!("it gives one answer, not {}", response.choices.len()),
        });
    };
    let mut body = Vec::with_capacity(1024);
    let mut report = Report::default();
    let mut items = Items::default();
    let mut writer = BlockWriter::new(Direction::Response, true, &mut report);
    for part in &choice.parts {
        writer.output(&mut items, part)?;
    }
    let mut object = ObjectWriter::new(&mut body);
    let mut output = ObjectWriter::new(object.key("output"));
    let mut message = ObjectWriter::new(output.key("message"));
    message.value("role", "assistant");
    items.write(message.key("content"));
    choice_extra(&mut message, choice, &mut report);
    message.end();
    output.end();
    let (word, exact) = types::stop_word(choice.reason_where_refusals_are_text());
    if !exact {
        report.note_in("finish_reason", choice.finish_reason.name());
    }
    object.value("stopReason", word);
    object.optional(STOP_MEMBER, choice.extra.get(FORMAT, STOP_MEMBER));
    let usage = response.usage.unwrap_or_default();
    types::note_lost_counts(usage, &mut report);
    object.value("usage", &types::usage_out(usage));
    if response.extra.get(FORMAT, METRICS).is_none() {
        object.key(METRICS).extend_from_slice(NO_METRICS);
    }
    object.extra(&response.extra, FORMAT, &MEMBERS, "", &mut report);
    for (name, lost) in [
        ("id", response.id.is_some()),
        ("model", response.model.is_some()),
        ("created", response.created.is_some()),
    ] {
        if lost {
            report.note(name);
        }
    }
    object.end();
    Ok(report.into_encoded(body))
}

/// Writes the unknown members of the message.
fn choice_extra(message: &mut ObjectWriter<'_>, choice: &Choice, report: &mut Report) {
    for (name, origin, value) in choice.extra.iter() {
        match name.strip_prefix("message.") {
            _ if origin != FORMAT => report.note_in("choice", name),
            Some(name) if !matches!(name, "role" | "content") => message.value(name, value),
            None if name == STOP_MEMBER => {}
            _ => report.note_in("choice", name),
        }
    }
}
