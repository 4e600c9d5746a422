//! The calls of a message.

use serde_json::value::RawValue;

use crate::cohere::{FORMAT, Reader};
use crate::error::DecodeError;
use crate::ir::{Opaque, OutputPart, ToolCall, canonical_arguments};
use crate::json::{Object, ObjectWriter, Path, Report, array, is_string, string, write_array};

pub(super) const MEMBERS: [&str; 4] = ["id", "type", "function", SIGNATURE];

/// Where another provider's state of a call is kept for a client.
const SIGNATURE: &str = "thought_signature";

/// Reads `tool_calls`, taking it.
pub(super) fn decode_all(message: &mut Object<'_, '_>) -> Result<Vec<OutputPart>, DecodeError> {
    let Some(raw) = message.raw("tool_calls") else {
        return Ok(Vec::new());
    };
    let path = message.path().member("tool_calls");
    (0..)
        .zip(array(raw, &path)?)
        .map(|(index, raw)| decode(raw, &path.item(index)))
        .collect()
}

/// Reads a call. One of another type than `function`, or with more than a name and arguments, is kept as it is.
pub(super) fn decode(raw: &RawValue, path: &Path<'_>) -> Result<OutputPart, DecodeError> {
    let opaque = || OutputPart::Opaque(Opaque::new(FORMAT, raw.get()));
    let mut object = Object::from_raw(raw, path)?;
    if !matches!(&*object.kind(), "function" | "") {
        return Ok(opaque());
    }
    object.raw("type");
    let inner_path = path.member("function");
    let mut function = Object::from_raw(object.required("function")?, &inner_path)?;
    if !function.has_only(&["name", "arguments"]) {
        return Ok(opaque());
    }
    Ok(OutputPart::ToolCall(ToolCall {
        id: object.string("id")?.unwrap_or_default(),
        name: function.required_string("name")?,
        arguments: arguments(&mut function)?,
        state: take_state(&mut object),
        cache: None,
        extra: object.rest(FORMAT),
    }))
}

/// A string of JSON, or `null` for none.
pub(super) fn arguments(function: &mut Object<'_, '_>) -> Result<String, DecodeError> {
    match function.raw("arguments") {
        None => Ok(String::new()),
        Some(raw) if is_string(raw) => string(raw)
            .map(std::borrow::Cow::into_owned)
            .ok_or_else(|| function.invalid("arguments", "a string")),
        Some(raw) => Ok(raw.get().to_owned()),
    }
}

/// Takes the state of another format's provider.
fn take_state(call: &mut Object<'_, '_>) -> Option<Opaque> {
    let marked = string(call.peek(SIGNATURE)?)?;
    let state = Opaque::unwrap(&marked, FORMAT).ok()?;
    if state.origin == FORMAT {
        return None;
    }
    call.raw(SIGNATURE);
    Some(state)
}

pub(super) fn write_state(call: &mut ObjectWriter<'_>, state: &Opaque) {
    call.value(SIGNATURE, &state.wrap(FORMAT));
}

/// Whether a part that is kept as it is belongs into `tool_calls`, not into `content`: only calls have an id or a function,
/// and only they may lack a type.
pub(super) fn is_call(raw: &Opaque) -> bool {
    Object::parse(&raw.bytes, &Path::Root).is_ok_and(|object| {
        let has = |name| object.peek(name).is_some();
        has("id") || has("function") || object.kind().is_empty()
    })
}

/// What goes into `tool_calls`.
pub(super) enum Call<'a> {
    Function(&'a ToolCall),
    Other(&'a Opaque),
}

/// Writes `tool_calls`, when there are any.
pub(super) fn encode_all(
    object: &mut ObjectWriter<'_>,
    calls: &[Call<'_>],
    reader: Reader,
    report: &mut Report,
) {
    if calls.is_empty() {
        return;
    }
    let out = object.key("tool_calls");
    write_array(out, calls, |out, call| match call {
        Call::Other(raw) => out.extend(&raw.bytes),
        Call::Function(call) => encode(out, call, reader, report),
    });
}

fn encode(out: &mut Vec<u8>, call: &ToolCall, reader: Reader, report: &mut Report) {
    let mut object = ObjectWriter::new(out);
    object.value("id", &call.id);
    object.value("type", "function");
    let mut function = ObjectWriter::new(object.key("function"));
    function.value("name", &call.name);
    function.value("arguments", canonical_arguments(&call.arguments));
    function.end();
    match &call.state {
        None => {}
        Some(state) if reader == Reader::Client => write_state(&mut object, state),
        Some(_) => report.note("tool_call.state"),
    }
    if call.cache.is_some() {
        report.note("cache_control");
    }
    object.extra(&call.extra, FORMAT, &MEMBERS, "tool_call", report);
    object.end();
}
