//! Reads a request.

use std::collections::BTreeMap;

use serde_json::Number;
use serde_json::value::RawValue;

use crate::error::DecodeError;
use crate::ir::{
    Effort, Extra, FunctionTool, JsonSchema, Message, Opaque, RawJson, Request, ResponseFormat,
    Sampling, Tool, ToolChoice,
};
use crate::json::{Object, Path, array, string};
use crate::openai_responses::FORMAT;
use crate::openai_responses::request::{NEEDED, OF_REASONING, OF_TEXT, SEALED, items};

/// Reads a client's request, into canonical form.
pub(in crate::openai_responses) fn decode(body: &[u8]) -> Result<Request, DecodeError> {
    let mut object = Object::parse(body, &Path::Root)?;
    let mut extra = Extra::default();
    let stream = object.take("stream", "true or false")?.unwrap_or_default();
    let effort = reasoning(&mut object, &mut extra)?;
    let mut request = Request {
        model: object.required_string("model")?,
        messages: messages(&mut object)?,
        tools: tools(&mut object)?,
        tool_choice: object.raw("tool_choice").map(tool_choice),
        parallel_tool_calls: object.take("parallel_tool_calls", "true or false")?,
        sampling: sampling(&mut object)?,
        max_output_tokens: object.take("max_output_tokens", "a whole number")?,
        response_format: text(&mut object, &mut extra)?,
        stream,
        // Streams of this format always tell their usage.
        include_usage: stream,
        effort,
        user: object.string("user")?,
        metadata: metadata(&mut object),
        stream_options: stream_options(&mut object)?,
        ..Request::default()
    };
    storage(&mut object, effort, &mut extra);
    needed(&mut object, &mut extra);
    object.rest_into(&mut extra, FORMAT, "");
    request.extra = extra;
    Ok(request.canonical())
}

/// The instructions, then the items.
fn messages(object: &mut Object<'_, '_>) -> Result<Vec<Message>, DecodeError> {
    let path = object.path().member("input");
    let mut conversation = items::Conversation::default();
    if let Some(text) = object.string("instructions")? {
        conversation.instruct(text);
    }
    if let Some(raw) = object.raw("input") {
        conversation.read(raw, &path)?;
    }
    Ok(conversation.into_messages())
}

fn sampling(object: &mut Object<'_, '_>) -> Result<Sampling, DecodeError> {
    let mut number = |name| object.take::<Number>(name, "a number");
    Ok(Sampling {
        temperature: number("temperature")?,
        top_p: number("top_p")?,
        ..Sampling::default()
    })
}

/// The effort; the other members of `reasoning` go to `extra`, and so does an effort of a word that is not known.
fn reasoning(
    object: &mut Object<'_, '_>,
    extra: &mut Extra,
) -> Result<Option<Effort>, DecodeError> {
    let Some(raw) = object.raw("reasoning") else {
        return Ok(None);
    };
    let path = object.path().member("reasoning");
    let mut reasoning = Object::from_raw(raw, &path)?;
    let word = reasoning.peek("effort").and_then(string);
    let effort = word.and_then(|word| Effort::from_name(&word));
    if effort.is_some() {
        reasoning.raw("effort");
    }
    reasoning.rest_into(extra, FORMAT, OF_REASONING);
    Ok(effort)
}

/// The shape of the answer; the other members of `text` go to `extra`.
fn text(
    object: &mut Object<'_, '_>,
    extra: &mut Extra,
) -> Result<Option<ResponseFormat>, DecodeError> {
    let Some(raw) = object.raw("text") else {
        return Ok(None);
    };
    let path = object.path().member("text");
    let mut text = Object::from_raw(raw, &path)?;
    let format = text.raw("format").and_then(response_format);
    text.rest_into(extra, FORMAT, OF_TEXT);
    Ok(format)
}

/// `text` is what is done anyway.
fn response_format(raw: &RawValue) -> Option<ResponseFormat> {
    let opaque = || ResponseFormat::Opaque(Opaque::new(FORMAT, raw.get()));
    let Ok(mut object) = Object::from_raw(raw, &Path::Root) else {
        return Some(opaque());
    };
    let kind = object.kind();
    object.raw("type");
    match &*kind {
        "text" if object.is_empty() => None,
        "json_object" if object.is_empty() => Some(ResponseFormat::JsonObject),
        "json_schema" => Some(json_schema(object).map_or_else(opaque, ResponseFormat::JsonSchema)),
        _ => Some(opaque()),
    }
}

/// A schema of the known shape.
fn json_schema(mut object: Object<'_, '_>) -> Option<JsonSchema> {
    let schema = JsonSchema {
        name: object.string("name").ok()?,
        description: object.string("description").ok()?,
        schema: object.raw("schema").map(RawJson::from),
        strict: object.take("strict", "true or false").ok()?,
    };
    object.is_empty().then_some(schema)
}

fn stream_options(object: &mut Object<'_, '_>) -> Result<Extra, DecodeError> {
    let Some(raw) = object.raw("stream_options") else {
        return Ok(Extra::default());
    };
    let path = object.path().member("stream_options");
    Ok(Object::from_raw(raw, &path)?.rest(FORMAT))
}

/// Names and texts; what is not of that shape is left to the provider.
fn metadata(object: &mut Object<'_, '_>) -> BTreeMap<String, String> {
    let read = |raw: &RawValue| serde_json::from_str(raw.get()).ok();
    match object.peek("metadata").and_then(read) {
        Some(metadata) => {
            object.raw("metadata");
            metadata
        }
        None => BTreeMap::new(),
    }
}

/// Whether the provider keeps the answer. No other format has that, so not to is the default; here it must be said. What
/// is not kept must be shown, which is written again wherever a model thinks.
fn storage(object: &mut Object<'_, '_>, effort: Option<Effort>, extra: &mut Extra) {
    let kept = match object.peek("store").map(RawValue::get) {
        Some("false") => {
            object.raw("store");
            false
        }
        Some("null") | None => {
            let yes = RawJson::try_new("true").expect("a literal");
            extra.insert(FORMAT, "store", yes);
            object.raw("store");
            true
        }
        Some(_) => true,
    };
    let thinks = effort.is_some_and(|effort| effort != Effort::None);
    let sealed = object
        .peek("include")
        .is_some_and(|raw| raw.get() == SEALED);
    if !kept && thinks && sealed {
        object.raw("include");
    }
}

/// What only a provider of this format can do.
fn needed(object: &mut Object<'_, '_>, extra: &mut Extra) {
    for name in NEEDED {
        if let Some(raw) = object.raw(name) {
            extra.insert_needed(FORMAT, name, RawJson::from(raw));
        }
    }
    match object.raw("background") {
        Some(raw) if raw.get() == "false" => {
            extra.insert_quiet(FORMAT, "background", RawJson::from(raw));
        }
        Some(raw) => extra.insert_needed(FORMAT, "background", RawJson::from(raw)),
        None => {}
    }
}

fn tools(object: &mut Object<'_, '_>) -> Result<Vec<Tool>, DecodeError> {
    let Some(raw) = object.raw("tools") else {
        return Ok(Vec::new());
    };
    let path = object.path().member("tools");
    (0..)
        .zip(array(raw, &path)?)
        .map(|(index, raw)| tool(raw, &path.item(index)))
        .collect()
}

fn tool(raw: &RawValue, path: &Path<'_>) -> Result<Tool, DecodeError> {
    let mut object = Object::from_raw(raw, path)?;
    if object.kind() != "function" {
        return Ok(Tool::Opaque(Opaque::new(FORMAT, raw.get())));
    }
    object.raw("type");
    let strict = object.take("strict", "true or false")?;
    let mut function = FunctionTool {
        name: object.required_string("name")?,
        description: object.string("description")?,
        parameters: object.raw("parameters").map(RawJson::from),
        strict,
        cache: None,
        extra: object.rest(FORMAT),
    };
    if strict.is_none() {
        // Not the same as false here: the provider then makes the schema strict where it can.
        let none = RawJson::try_new("null").expect("a literal");
        function.extra.insert_quiet(FORMAT, "strict", none);
    }
    Ok(Tool::Function(function))
}

fn tool_choice(raw: &RawValue) -> ToolChoice {
    let opaque = || ToolChoice::Opaque(Opaque::new(FORMAT, raw.get()));
    match string(raw).as_deref() {
        Some("auto") => return ToolChoice::Auto,
        Some("none") => return ToolChoice::None,
        Some("required") => return ToolChoice::Required,
        Some(_) => return opaque(),
        None => {}
    }
    forced_function(raw).map_or_else(opaque, ToolChoice::Function)
}

/// The name in `{"type": "function", "name": …}`.
fn forced_function(raw: &RawValue) -> Option<String> {
    let mut object = Object::from_raw(raw, &Path::Root).ok()?;
    if object.kind() != "function" {
        return None;
    }
    object.raw("type");
    let name = object.string("name").ok()??;
    object.is_empty().then_some(name)
}
