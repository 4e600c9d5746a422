//! Items of what a model did: to parts of the representation.

use serde_json::value::RawValue;

use crate::error::DecodeError;
use crate::ir::{Extra, Opaque, OutputPart, Text, ToolCall};
use crate::json::{Object, Path, array, is_string, string};
use crate::openai_responses::found::{Found, take_status};
use crate::openai_responses::ids::{self, ID};
use crate::openai_responses::types::{self, OF_ITEM};
use crate::openai_responses::{FORMAT, drawn, reasoning};

/// The type of the item of a message.
pub(super) const MESSAGE: &str = "message";

/// The type of the item of a call.
pub(super) const CALL: &str = "function_call";

/// Whether a piece of a message's content that is not understood belongs there, not among the items.
pub(super) fn is_piece(kind: &str) -> bool {
    kind.starts_with("output_")
}

/// Reads an item. Steps that the provider runs itself, and calls with free text, are kept as they are.
pub(super) fn decode(
    raw: &RawValue,
    path: &Path<'_>,
    found: Found,
) -> Result<Vec<OutputPart>, DecodeError> {
    let object = Object::from_raw(raw, path)?;
    let part = match &*object.kind() {
        MESSAGE => return message(object, found),
        CALL => OutputPart::ToolCall(call(object, found)?),
        drawn::KIND => return Ok(vec![drawn::decode(object, raw, found)?]),
        reasoning::KIND if found == Found::Answer => {
            OutputPart::Reasoning(reasoning::decode_answer(raw, path)?)
        }
        reasoning::KIND => OutputPart::Reasoning(reasoning::decode(raw, path)?),
        "" => return Err(object.invalid("type", "the name of an item's type")),
        _ => OutputPart::Opaque(Opaque::new(FORMAT, raw.get())),
    };
    Ok(vec![part])
}

/// Reads what the assistant said.
pub(super) fn message(
    mut object: Object<'_, '_>,
    found: Found,
) -> Result<Vec<OutputPart>, DecodeError> {
    let path = object.path().member("content");
    let content = object.raw("content");
    let extra = members(object, found);
    let mut parts = pieces(content, &path)?;
    if let Some(OutputPart::Text(first)) = parts.first_mut() {
        first.extra.extend(&extra);
    }
    Ok(parts)
}

/// The members of a message's item itself, by the names under which its first text keeps them.
pub(super) fn members(mut object: Object<'_, '_>, found: Found) -> Extra {
    let mut extra = Extra::default();
    for name in ["type", "role", "content"] {
        object.raw(name);
    }
    ids::take(&mut object, &mut extra, &format!("{OF_ITEM}{ID}"));
    take_status(&mut object, found);
    object.rest_into(&mut extra, FORMAT, OF_ITEM);
    extra
}

fn pieces(raw: Option<&RawValue>, path: &Path<'_>) -> Result<Vec<OutputPart>, DecodeError> {
    let Some(raw) = raw else {
        return Ok(Vec::new());
    };
    if let Some(text) = string(raw) {
        return Ok(vec![OutputPart::Text(Text::plain(text))]);
    }
    (0..)
        .zip(array(raw, path)?)
        .map(|(index, raw)| piece(raw, &path.item(index)))
        .collect()
}

/// Reads a piece of a message's content.
pub(super) fn piece(raw: &RawValue, path: &Path<'_>) -> Result<OutputPart, DecodeError> {
    let mut object = Object::from_raw(raw, path)?;
    match &*object.kind() {
        "output_text" | "text" | "input_text" => {
            let text = object.required_string("text")?;
            let path = path.member("annotations");
            let sources = match object.raw("annotations") {
                Some(raw) => array(raw, &path)?,
                None => Vec::new(),
            };
            Ok(OutputPart::Text(Text {
                text,
                citations: sources.into_iter().map(types::citation).collect(),
                cache: None,
                extra: text_extra(object),
            }))
        }
        "refusal" => object.required_string("refusal").map(OutputPart::Refusal),
        "" => Err(object.invalid("type", "the name of a part's type")),
        kind if is_piece(kind) => Ok(OutputPart::Opaque(Opaque::new(FORMAT, raw.get()))),
        _ => Ok(OutputPart::Opaque(Opaque::new(FORMAT, alone(raw)))),
    }
}

/// A piece that only its message tells from an item, in a message of its own.
fn alone(raw: &RawValue) -> String {
    let piece = raw.get();
    format!(r#"{{"type":"{MESSAGE}","role":"assistant","content":[{piece}]}}"#)
}

/// The other members of a text.
pub(super) fn text_extra(mut object: Object<'_, '_>) -> Extra {
    for name in ["type", "text", "annotations"] {
        object.raw(name);
    }
    if object.peek("logprobs").is_some_and(|raw| raw.get() == "[]") {
        object.raw("logprobs");
    }
    object.rest(FORMAT)
}

/// Reads a call.
pub(super) fn call(mut object: Object<'_, '_>, found: Found) -> Result<ToolCall, DecodeError> {
    object.raw("type");
    take_status(&mut object, found);
    let mut extra = Extra::default();
    let id = match object.string("call_id")? {
        Some(id) => id,
        None => object.peek(ID).and_then(string).unwrap_or_default().into(),
    };
    ids::take(&mut object, &mut extra, ID);
    let name = object.required_string("name")?;
    let arguments = match object.peek("arguments") {
        Some(raw) if !is_string(raw) && raw.get() != "null" => {
            let text = raw.get().to_owned();
            object.raw("arguments");
            text
        }
        _ => object.string("arguments")?.unwrap_or_default(),
    };
    object.rest_into(&mut extra, FORMAT, "");
    Ok(ToolCall {
        id,
        name,
        arguments,
        state: None,
        cache: None,
        extra,
    })
}
