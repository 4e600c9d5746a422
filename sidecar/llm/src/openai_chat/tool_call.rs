//! The calls of a whole message: `tool_calls`, or the one `function_call` that there was before tools.

use serde_json::value::RawValue;

use crate::error::DecodeError;
use crate::ir::{Extra, Opaque, OutputPart, ToolCall, canonical_arguments};
use crate::json::{Object, ObjectWriter, Path, Report, array, is_string, write_array};
use crate::openai_chat::FORMAT;

const MEMBERS: [&str; 4] = ["id", "type", "function", "index"];

/// The id of an answer's `function_call`, which has none.
pub(super) const ONE_CALL: &str = "call_0";

/// Reads `tool_calls`, taking it, or `function_call`, which gets the id `one`. Calls of another type than `function` are kept
/// as they are.
pub(super) fn decode_all(
    message: &mut Object<'_, '_>,
    one: &str,
) -> Result<Vec<OutputPart>, DecodeError> {
    let Some(raw) = message.raw("tool_calls") else {
        let call = decode_one(message, one);
        return Ok(call.map(OutputPart::ToolCall).into_iter().collect());
    };
    let path = message.path().member("tool_calls");
    (0..)
        .zip(array(raw, &path)?)
        .map(|(index, raw)| decode(raw, &path.item(index)))
        .collect()
}

/// Takes `function_call`; of another shape it stays where it is.
fn decode_one(message: &mut Object<'_, '_>, id: &str) -> Option<ToolCall> {
    let mut call = Object::from_raw(message.peek(FUNCTION_CALL)?, &Path::Root).ok()?;
    let name = call.string("name").ok()?.filter(|name| !name.is_empty())?;
    let arguments = arguments(&mut call).ok()?;
    if !call.is_empty() {
        return None;
    }
    message.raw(FUNCTION_CALL);
    let mut extra = Extra::default();
    extra.mark_one_call();
    Some(ToolCall {
        id: id.to_owned(),
        name,
        arguments,
        extra,
        ..ToolCall::default()
    })
}

fn decode(raw: &RawValue, path: &Path<'_>) -> Result<OutputPart, DecodeError> {
    let mut object = Object::from_raw(raw, path)?;
    if !matches!(&*object.kind(), "function" | "") {
        return Ok(OutputPart::Opaque(Opaque::new(FORMAT, raw.get())));
    }
    object.raw("type");
    object.raw("index");
    let inner_path = path.member("function");
    let mut function = Object::from_raw(object.required("function")?, &inner_path)?;
    if !function.has_only(&["name", "arguments"]) {
        return Ok(OutputPart::Opaque(Opaque::new(FORMAT, raw.get())));
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

/// A string of JSON; some providers send the object itself.
fn arguments(function: &mut Object<'_, '_>) -> Result<String, DecodeError> {
    match function.peek("arguments") {
        Some(raw) if !is_string(raw) && raw.get() != "null" => Ok(raw.get().to_owned()),
        _ => Ok(function.string("arguments")?.unwrap_or_default()),
    }
}

/// Takes the state of another format's provider that was put beside the call (see [`write_state`]).
pub(super) fn take_state(call: &mut Object<'_, '_>) -> Option<Opaque> {
    let mut extra = Object::from_raw(call.peek(EXTRA_CONTENT)?, &Path::Root).ok()?;
    let mut google = Object::from_raw(extra.raw("google")?, &Path::Root).ok()?;
    let marked = google.string(SIGNATURE).ok()??;
    let state = Opaque::unwrap(&marked, FORMAT).ok()?;
    if state.origin == FORMAT || !extra.is_empty() || !google.is_empty() {
        return None;
    }
    call.raw(EXTRA_CONTENT);
    Some(state)
}

/// Writes state that belongs to the call where Google's own endpoint of this format has it, and clients keep it:
/// `extra_content.google.thought_signature`.
pub(super) fn write_state(call: &mut ObjectWriter<'_>, state: &Opaque) {
    let mut extra = ObjectWriter::new(call.key(EXTRA_CONTENT));
    let mut google = ObjectWriter::new(extra.key("google"));
    google.value(SIGNATURE, &state.wrap(FORMAT));
    google.end();
    extra.end();
}

pub(super) const FUNCTION_CALL: &str = "function_call";
const EXTRA_CONTENT: &str = "extra_content";
const SIGNATURE: &str = "thought_signature";

/// Who reads a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    /// Takes back only its own state.
    Provider,
    /// Keeps the state of whatever provider.
    Client,
}

/// What goes into `tool_calls`.
pub(super) enum Call<'a> {
    Function(&'a ToolCall),
    Other(&'a Opaque),
}

/// Whether calls are written as one `function_call`.
pub(super) fn is_one(calls: &[Call<'_>]) -> bool {
    matches!(calls.first(), Some(Call::Function(call)) if call.extra.is_one_call())
}

/// Writes `function_call`. It says one call: others are left out, and noted.
fn encode_one(object: &mut ObjectWriter<'_>, call: &ToolCall, more: bool, report: &mut Report) {
    let mut inner = ObjectWriter::new(object.key(FUNCTION_CALL));
    inner.value("name", &call.name);
    inner.value("arguments", canonical_arguments(&call.arguments));
    inner.end();
    if more {
        report.note("tool_calls");
    }
    if call.state.is_some() {
        report.note("tool_call.state");
    }
    if call.cache.is_some() {
        report.note("cache_control");
    }
    for (name, ..) in call.extra.iter() {
        report.note_in("tool_call", name);
    }
}

/// Writes the calls, when there are any.
pub(super) fn encode_all(
    object: &mut ObjectWriter<'_>,
    calls: &[Call<'_>],
    reader: Reader,
    report: &mut Report,
) {
    match calls.first() {
        None => return,
        Some(Call::Function(call)) if call.extra.is_one_call() => {
            return encode_one(object, call, calls.len() > 1, report);
        }
        Some(_) => {}
    }
    let out = object.key("tool_calls");
    write_array(out, calls, |out, call| match call {
        Call::Other(raw) => out.extend(&raw.bytes),
        Call::Function(call) => {
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
    });
}

/// Whether a part that is kept as it is belongs into `tool_calls`, not into `content`.
pub(super) fn is_call(raw: &Opaque) -> bool {
    Object::parse(&raw.bytes, &Path::Root)
        .is_ok_and(|object| object.peek("function").is_some() || object.peek("custom").is_some())
}
