//! One tool: `{"type": "function", "function": {…}}`, or another kind, kept as it is; before tools there were bare functions.

use serde_json::value::RawValue;

use crate::error::DecodeError;
use crate::ir::{Extra, FunctionTool, Opaque, RawJson, Tool};
use crate::json::{Object, ObjectWriter, Path, Report};
use crate::openai_chat::FORMAT;

const MEMBERS: [&str; 4] = ["name", "description", "parameters", "strict"];

/// The member of a request that held functions before there were tools.
pub(super) const FUNCTIONS: &str = "functions";

/// Before the names of unknown members of the function; those without it stand beside `function`, as some providers of the
/// family have them.
const INSIDE: &str = "function.";

/// Reads a tool. Some leave the type of a function out.
pub(super) fn decode(raw: &RawValue, path: &Path<'_>) -> Result<Tool, DecodeError> {
    let mut object = Object::from_raw(raw, path)?;
    let is_function = match &*object.kind() {
        "function" => true,
        kind => kind.is_empty() && object.peek("function").is_some(),
    };
    if !is_function {
        return Ok(Tool::Opaque(Opaque::new(FORMAT, raw.get())));
    }
    object.raw("type");
    let inner_path = path.member("function");
    let function = Object::from_raw(object.required("function")?, &inner_path)?;
    decode_function(function, object.rest(FORMAT)).map(Tool::Function)
}

/// Reads a function; `beside` are unknown members of the tool that it is.
pub(super) fn decode_function(
    mut function: Object<'_, '_>,
    beside: Extra,
) -> Result<FunctionTool, DecodeError> {
    let mut tool = FunctionTool {
        name: function.required_string("name")?,
        description: function.string("description")?,
        parameters: function.raw("parameters").map(RawJson::from),
        strict: function.take("strict", "true or false")?,
        cache: None,
        extra: beside,
    };
    function.rest_into(&mut tool.extra, FORMAT, INSIDE);
    Ok(tool)
}

/// Writes a function.
pub(super) fn encode(out: &mut Vec<u8>, function: &FunctionTool, report: &mut Report) {
    let (inside, beside) = split(&function.extra);
    let mut object = ObjectWriter::new(out);
    object.value("type", "function");
    write_function(object.key("function"), function, &inside, report);
    object.extra(&beside, FORMAT, &["type", "function"], "tool", report);
    object.end();
}

/// Writes a function as it was before tools.
pub(super) fn encode_function(out: &mut Vec<u8>, function: &FunctionTool, report: &mut Report) {
    let (inside, beside) = split(&function.extra);
    for (name, ..) in beside.iter() {
        report.note_in("tool", name);
    }
    write_function(out, function, &inside, report);
}

fn write_function(out: &mut Vec<u8>, function: &FunctionTool, inside: &Extra, report: &mut Report) {
    let mut inner = ObjectWriter::new(out);
    inner.value("name", &function.name);
    inner.optional("description", function.description.as_ref());
    inner.optional("parameters", function.parameters.as_ref());
    inner.optional("strict", function.strict.as_ref());
    if function.cache.is_some() {
        report.note("cache_control");
    }
    inner.extra(inside, FORMAT, &MEMBERS, "tool", report);
    inner.end();
}

/// The members of the function, without the prefix, and those beside it.
fn split(extra: &Extra) -> (Extra, Extra) {
    let (mut inside, mut beside) = (Extra::default(), Extra::default());
    for (name, origin, value) in extra.iter() {
        match name.strip_prefix(INSIDE) {
            Some(name) if origin == FORMAT => inside.insert(origin, name, value.clone()),
            _ => beside.insert(origin, name, value.clone()),
        }
    }
    (inside, beside)
}
