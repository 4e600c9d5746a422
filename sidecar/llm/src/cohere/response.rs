//! Whole answers. They name neither the model nor the time.

use crate::cohere::{FORMAT, Reader, error, message, types};
use crate::error::{DecodeError, EncodeError};
use crate::format::Encoded;
use crate::ir::{Choice, Extra, Response};
use crate::json::{Object, ObjectWriter, Path, Report, is_string};

const MEMBERS: [&str; 5] = ["id", "finish_reason", "message", "usage", LOGPROBS];

/// The member of an answer that belongs to its only choice; a stream tells it in pieces.
pub(super) const LOGPROBS: &str = "logprobs";

/// Before the names of a message's unknown members, among those of its choice.
pub(super) const OF_MESSAGE: &str = "message.";

/// Reads a provider's answer, into canonical form.
pub(super) fn decode(body: &[u8]) -> Result<Response, DecodeError> {
    let mut object = Object::parse(body, &Path::Root)?;
    if object.peek("message").is_some_and(is_string) {
        let reported = error::decode_inside(body);
        return Err(DecodeError::Provider(Box::new(reported)));
    }
    let word = object.required_string("finish_reason")?;
    if types::is_fault(&word) {
        let said = object.string("error").ok().flatten();
        if let Some(reported) = error::of_finish(&word, said) {
            return Err(DecodeError::Provider(Box::new(reported)));
        }
    }
    let path = object.path().member("message");
    let mut said = Object::from_raw(object.required("message")?, &path)?;
    let parts = message::decode(&mut said)?;
    let mut extra = Extra::default();
    if let Some(raw) = object.raw(LOGPROBS) {
        extra.insert(FORMAT, LOGPROBS, raw.into());
    }
    said.rest_into(&mut extra, FORMAT, OF_MESSAGE);
    let response = Response {
        id: object.string("id")?.filter(|id| !id.is_empty()),
        model: None,
        created: None,
        choices: vec![Choice {
            index: 0,
            parts,
            finish_reason: types::finish_reason(&word),
            extra,
        }],
        usage: object.raw("usage").and_then(types::usage),
        extra: object.rest(FORMAT),
    };
    Ok(response.canonical())
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
    let (word, exact) = types::finish_word(&choice.finish_reason);
    if !exact {
        report.note_in("finish_reason", choice.finish_reason.name());
    }
    object.value("finish_reason", word);
    let (mine, of_message) = split(&choice.extra);
    let out = object.key("message");
    message::encode(out, &choice.parts, &of_message, Reader::Client, &mut report);
    if let Some(usage) = response.usage {
        types::note_counts(usage, &mut report);
        object.value("usage", &types::usage_out(usage));
    }
    for (name, origin, value) in mine.iter() {
        match origin == FORMAT && name == LOGPROBS {
            true => object.value(name, value),
            false => report.note_in("choice", name),
        }
    }
    object.extra(&response.extra, FORMAT, &MEMBERS, "", &mut report);
    for (name, lost) in [
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

/// The members of a choice, and those of its message without the prefix.
pub(super) fn split(extra: &Extra) -> (Extra, Extra) {
    let mut mine = Extra::default();
    let mut of_message = Extra::default();
    for (name, origin, value) in extra.iter() {
        match name.strip_prefix(OF_MESSAGE) {
            Some(name) if origin == FORMAT => of_message.insert(origin, name, value.clone()),
            _ => mine.insert(origin, name, value.clone()),
        }
    }
    (mine, of_message)
}
