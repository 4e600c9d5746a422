//! Reads a whole answer; and the answer that events of a stream carry.

use serde_json::value::RawValue;

use crate::error::DecodeError;
use crate::ir::{Choice, Extra, FinishReason, RawJson, Response, Start};
use crate::json::{Object, Path, array, string};
use crate::openai_responses::found::Found;
use crate::openai_responses::item;
use crate::openai_responses::response::REQUIRED;
use crate::openai_responses::types::{self, ECHOES, Status};
use crate::openai_responses::{FORMAT, error};

/// Reads a provider's answer, into canonical form.
pub(in crate::openai_responses) fn decode(body: &[u8]) -> Result<Response, DecodeError> {
    let mut object = Object::parse(body, &Path::Root)?;
    if is_failed(&object) {
        let reported = error::decode_inside(body);
        return Err(DecodeError::Provider(Box::new(reported)));
    }
    let path = object.path().member("output");
    let output = array(object.required("output")?, &path)?;
    let mut parts = Vec::new();
    for (index, raw) in output.iter().enumerate() {
        parts.extend(item::decode(raw, &path.item(index), Found::Answer)?);
    }
    let calls = output.iter().any(|raw| is_call(raw));
    let finish_reason = finish(&mut object, calls)?;
    let usage = types::take_usage(&mut object);
    let head = Head::take(object)?;
    let response = Response {
        id: head.start.id,
        model: head.start.model,
        created: head.start.created,
        choices: vec![Choice {
            index: 0,
            parts,
            finish_reason,
            extra: Extra::default(),
        }],
        usage,
        extra: head.start.extra,
    };
    Ok(response.canonical())
}

/// Whether an answer is an error.
pub(in crate::openai_responses) fn is_failed(object: &Object<'_, '_>) -> bool {
    let error = object.peek("error");
    let status = object.peek("status").and_then(string);
    error.is_some_and(|raw| raw.get() != "null") || status.as_deref() == Some("failed")
}

fn is_call(raw: &RawValue) -> bool {
    Object::from_raw(raw, &Path::Root).is_ok_and(|item| types::is_call(&item.kind()))
}

/// Why the answer ended, taking the members that say it.
pub(in crate::openai_responses) fn finish(
    object: &mut Object<'_, '_>,
    calls: bool,
) -> Result<FinishReason, DecodeError> {
    let status = object.required_string("status")?;
    let details = object.raw("incomplete_details");
    let reason = details.and_then(|raw| {
        let mut details = Object::from_raw(raw, &Path::Root).ok()?;
        details.string("reason").ok()?
    });
    let status = Status {
        status: &status,
        reason: reason.as_deref(),
    };
    Ok(status.meaning(calls))
}

/// What the members of an answer say besides its output.
pub(in crate::openai_responses) struct Head {
    pub(in crate::openai_responses) start: Start,
}

// === impl Head ===

impl Head {
    pub(in crate::openai_responses) fn take(
        mut object: Object<'_, '_>,
    ) -> Result<Self, DecodeError> {
        let id = object.string("id")?.filter(|id| !id.is_empty());
        let model = object.string("model")?.filter(|model| !model.is_empty());
        let created = object.raw("created_at").and_then(created);
        for name in [
            "object",
            "status",
            "error",
            "incomplete_details",
            "output",
            "usage",
        ] {
            object.raw(name);
        }
        for (name, default) in REQUIRED {
            if object.peek(name).is_some_and(|raw| raw.get() == default) {
                object.raw(name);
            }
        }
        Ok(Self {
            start: Start {
                id,
                model,
                created,
                extra: weigh(object),
            },
        })
    }
}

/// Unix seconds, whole or not; 0 and what is no number say nothing.
fn created(raw: &RawValue) -> Option<u64> {
    let text = raw.get();
    let whole = text.split_once('.').map_or(text, |(whole, _)| whole);
    whole.parse().ok().filter(|created| *created != 0)
}

/// What is left of an answer. What only repeats the request says nothing to clients of other formats.
fn weigh(object: Object<'_, '_>) -> Extra {
    let mut extra = Extra::default();
    for (name, value) in object.into_members() {
        if ECHOES.contains(&name.as_str()) {
            extra.insert_quiet(FORMAT, name, value);
        } else {
            extra.insert(FORMAT, name, value);
        }
    }
    extra
}

/// What the answer at the end of a stream says that the one at its beginning did not.
pub(in crate::openai_responses) fn said(end: &Extra, start: &Extra) -> Extra {
    let mut news = Extra::default();
    let before = |name: &str| start.get(FORMAT, name).map(RawJson::get);
    news.extend_where(end, |name, value| before(name) != Some(value.get()));
    news
}
