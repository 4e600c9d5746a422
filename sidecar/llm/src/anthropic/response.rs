//! Whole answers.

use crate::anthropic::block::Direction;
use crate::anthropic::types::Counts;
use crate::anthropic::{FORMAT, block, error, types};
use crate::error::{DecodeError, EncodeError};
use crate::format::Encoded;
use crate::ir::{Choice, Extra, OutputPart, Response, Usage};
use crate::json::{Object, ObjectWriter, Path, Report, array};

/// The members of an answer that the representation has.
pub(super) const MEMBERS: [&str; 8] = [
    "id",
    "type",
    "role",
    "model",
    "content",
    "stop_reason",
    "stop_sequence",
    "usage",
];

/// The members that belong to the end of an answer; a stream tells them there.
pub(super) const STOP_MEMBERS: [&str; 2] = ["container", "stop_details"];

/// Reads a provider's answer, into canonical form.
pub(super) fn decode(body: &[u8]) -> Result<Response, DecodeError> {
    let mut object = Object::parse(body, &Path::Root)?;
    let kind = object.kind();
    object.raw("type");
    if kind == "error" || object.raw("error").is_some() {
        let reported = error::decode_inside(body);
        return Err(DecodeError::Provider(Box::new(reported)));
    }
    object.raw("role");
    let path = object.path().member("content");
    let parts = (0..)
        .zip(array(object.required("content")?, &path)?)
        .map(|(index, raw)| block::decode_output(raw, &path.item(index)))
        .collect::<Result<Vec<OutputPart>, DecodeError>>()?;
    let word = object.required_string("stop_reason")?;
    let finish_reason = types::finish_reason(&word, object.string("stop_sequence")?);
    let mut stop = Extra::default();
    for name in STOP_MEMBERS {
        if let Some(raw) = object.raw(name) {
            stop.insert(FORMAT, name, raw.into());
        }
    }
    let response = Response {
        id: object.string("id")?.filter(|id| !id.is_empty()),
        model: object.string("model")?.filter(|model| !model.is_empty()),
        created: None,
        choices: vec![Choice {
            index: 0,
            parts,
            finish_reason,
            extra: stop,
        }],
        usage: usage(&mut object),
        extra: object.rest(FORMAT),
    };
    Ok(response.canonical())
}

fn usage(object: &mut Object<'_, '_>) -> Option<Usage> {
    let mut counts = Counts::default();
    counts.add(object.raw("usage")?);
    counts.usage()
}

/// Writes an answer for a client.
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
    let mut object = ObjectWriter::new(&mut body);
    object.value("id", response.id.as_deref().unwrap_or_default());
    object.value("type", "message");
    object.value("role", "assistant");
    object.value("model", response.model.as_deref().unwrap_or_default());
    content(object.key("content"), &choice.parts, &mut report)?;
    let reason = choice.reason_where_refusals_are_text();
    let (word, exact) = types::stop_word(reason);
    if !exact {
        report.note_in("finish_reason", choice.finish_reason.name());
    }
    object.value("stop_reason", word);
    object.value(
        "stop_sequence",
        &types::stop_sequence(&choice.finish_reason),
    );
    let usage = response.usage.unwrap_or_default();
    if usage.input_tokens
        < usage
            .cached_input_tokens
            .saturating_add(usage.cache_write_tokens)
    {
        report.note("usage");
    }
    object.value("usage", &types::usage_out(usage));
    for (name, origin, value) in choice.extra.iter() {
        match origin == FORMAT && STOP_MEMBERS.contains(&name) {
            true => object.value(name, value),
            false => report.note_in("choice", name),
        }
    }
    let known = [MEMBERS.as_slice(), STOP_MEMBERS.as_slice()].concat();
    object.extra(&response.extra, FORMAT, &known, "", &mut report);
    if response.created.is_some() {
        report.note("created");
    }
    object.end();
    Ok(report.into_encoded(body))
}

fn content(
    out: &mut Vec<u8>,
    parts: &[OutputPart],
    report: &mut Report,
) -> Result<(), EncodeError> {
    out.push(b'[');
    let first = out.len();
    for part in parts {
        if out.len() > first && out.last() != Some(&b',') {
            out.push(b',');
        }
        block::encode_output(out, part, Direction::Response, report)?;
    }
    if out.last() == Some(&b',') {
        out.pop();
    }
    out.push(b']');
    Ok(())
}
