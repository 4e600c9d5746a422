//! Reads a request.

use std::collections::BTreeMap;

use serde_json::Number;
use serde_json::value::RawValue;

use crate::error::DecodeError;
use crate::ir::{
    Effort, Extra, JsonSchema, Message, Opaque, OutputPart, RawJson, Request, ResponseFormat,
    Sampling, Tool, ToolChoice, ToolResult,
};
use crate::json::{Object, Path, array, string};
use crate::openai_chat::form::Form;
use crate::openai_chat::request::{tool, tool_result};
use crate::openai_chat::{FORMAT, content, reasoning, tool_call};

/// Reads a client's request, into canonical form.
pub(in crate::openai_chat) fn decode(body: &[u8], form: &Form) -> Result<Request, DecodeError> {
    let mut object = Object::parse(body, &Path::Root)?;
    for (theirs, ours) in form.renamed {
        object.rename(theirs, ours);
    }
    let (include_usage, stream_options) = stream_options(&mut object)?;
    let tools = tools(&mut object)?;
    let functions = functions(&mut object, &tools)?;
    let one_call = !functions.is_empty();
    let choice = if one_call {
        tool_call::FUNCTION_CALL
    } else {
        "tool_choice"
    };
    let parallel = object.take("parallel_tool_calls", "true or false")?;
    let request = Request {
        model: object.required_string("model")?,
        system: Vec::new(),
        messages: messages(&mut object, form)?,
        tools: tools.into_iter().chain(functions).collect(),
        tool_choice: object.raw(choice).map(|raw| tool_choice(raw, form)),
        parallel_tool_calls: if one_call { Some(false) } else { parallel },
        sampling: sampling(&mut object, form)?,
        max_output_tokens: max_output_tokens(&mut object)?,
        stop: stop(&mut object)?,
        response_format: object.raw("response_format").and_then(response_format),
        choices: choices(&mut object)?,
        stream: object.take("stream", "true or false")?.unwrap_or_default(),
        include_usage,
        effort: effort(&mut object),
        thinking_budget: None,
        user: object.string("user")?,
        metadata: metadata(&mut object),
        stream_options,
        extra: extra(object, one_call, form),
    };
    Ok(request.canonical())
}

/// Without it something else would be asked: an answer to be heard.
const NEEDED: &str = "audio";

fn extra(mut object: Object<'_, '_>, one_call: bool, form: &Form) -> Extra {
    let mut extra = private(&mut object, form.private);
    if let Some(raw) = object.raw(NEEDED) {
        extra.insert_needed(FORMAT, NEEDED, RawJson::from(raw));
    }
    object.rest_into(&mut extra, FORMAT, "");
    if one_call {
        extra.mark_one_call();
    }
    extra
}

/// Takes members that only the client's own provider knows. What says no is as good as absent.
fn private(object: &mut Object<'_, '_>, names: &[&str]) -> Extra {
    let mut extra = Extra::default();
    for name in names {
        if let Some(raw) = object.raw(name).filter(|raw| raw.get() != "false") {
            extra.insert_private(FORMAT, *name, RawJson::from(raw));
        }
    }
    extra
}

fn stream_options(object: &mut Object<'_, '_>) -> Result<(bool, Extra), DecodeError> {
    let Some(raw) = object.raw("stream_options") else {
        return Ok((false, Extra::default()));
    };
    let path = object.path().member("stream_options");
    let mut options = Object::from_raw(raw, &path)?;
    let include_usage = options.take("include_usage", "true or false")?;
    Ok((include_usage.unwrap_or_default(), options.rest(FORMAT)))
}

fn sampling(object: &mut Object<'_, '_>, form: &Form) -> Result<Sampling, DecodeError> {
    let top_k = match form.top_k {
        true => object.take("top_k", "a whole number")?,
        false => None,
    };
    let mut number = |name| object.take::<Number>(name, "a number");
    Ok(Sampling {
        temperature: number("temperature")?,
        top_p: number("top_p")?,
        top_k,
        frequency_penalty: number("frequency_penalty")?,
        presence_penalty: number("presence_penalty")?,
        seed: number("seed")?,
    })
}

fn max_output_tokens(object: &mut Object<'_, '_>) -> Result<Option<u64>, DecodeError> {
    const EXPECTED: &str = "a whole number";
    let old: Option<u64> = object.take("max_tokens", EXPECTED)?;
    let new: Option<u64> = object.take("max_completion_tokens", EXPECTED)?;
    match (old, new) {
        (Some(old), Some(new)) if old != new => {
            Err(object.invalid("max_tokens", "left out beside max_completion_tokens"))
        }
        (old, new) => Ok(new.or(old)),
    }
}

fn choices(object: &mut Object<'_, '_>) -> Result<Option<u32>, DecodeError> {
    match object.take("n", "a whole number")? {
        Some(n) if !(1..=128).contains(&n) => Err(object.invalid("n", "from 1 to 128")),
        n => Ok(n),
    }
}

fn stop(object: &mut Object<'_, '_>) -> Result<Vec<String>, DecodeError> {
    match object.peek("stop").and_then(string) {
        Some(text) => {
            object.raw("stop");
            Ok(vec![text.into_owned()])
        }
        None => Ok(object
            .take("stop", "a string or an array of strings")?
            .unwrap_or_default()),
    }
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

/// An effort of a word that is not known is left to the provider.
fn effort(object: &mut Object<'_, '_>) -> Option<Effort> {
    let effort = Effort::from_name(&string(object.peek("reasoning_effort")?)?)?;
    object.raw("reasoning_effort");
    Some(effort)
}

fn tools(object: &mut Object<'_, '_>) -> Result<Vec<Tool>, DecodeError> {
    let Some(raw) = object.raw("tools") else {
        return Ok(Vec::new());
    };
    let path = object.path().member("tools");
    (0..)
        .zip(array(raw, &path)?)
        .map(|(index, raw)| tool::decode(raw, &path.item(index)))
        .collect()
}

/// `functions`, as they were before tools.
fn functions(object: &mut Object<'_, '_>, tools: &[Tool]) -> Result<Vec<Tool>, DecodeError> {
    let Some(raw) = object.raw(tool::FUNCTIONS) else {
        return Ok(Vec::new());
    };
    let path = object.path().member(tool::FUNCTIONS);
    let functions = array(raw, &path)?;
    if !functions.is_empty() && !tools.is_empty() {
        return Err(object.invalid(tool::FUNCTIONS, "left out beside tools"));
    }
    (0..)
        .zip(functions)
        .map(|(index, raw)| {
            let path = path.item(index);
            let function = Object::from_raw(raw, &path)?;
            tool::decode_function(function, Extra::default()).map(Tool::Function)
        })
        .collect()
}

fn tool_choice(raw: &RawValue, form: &Form) -> ToolChoice {
    let opaque = || ToolChoice::Opaque(Opaque::new(FORMAT, raw.get()));
    match string(raw).as_deref() {
        Some("auto") => return ToolChoice::Auto,
        Some("none") => return ToolChoice::None,
        Some("required") => return ToolChoice::Required,
        Some(word) if word == form.required_choice => return ToolChoice::Required,
        Some(_) => return opaque(),
        None => {}
    }
    forced_function(raw).map_or_else(opaque, ToolChoice::Function)
}

/// The name in `{"type": "function", "function": {"name": …}}`, or, as it was before tools, in `{"name": …}`.
fn forced_function(raw: &RawValue) -> Option<String> {
    let mut object = Object::from_raw(raw, &Path::Root).ok()?;
    if object.has_only(&["name"]) {
        return object.string("name").ok()?;
    }
    if object.kind() != "function" {
        return None;
    }
    object.raw("type");
    let mut function = Object::from_raw(object.raw("function")?, &Path::Root).ok()?;
    let name = function.string("name").ok()??;
    (object.is_empty() && function.is_empty()).then_some(name)
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
    let mut inner = Object::from_raw(object.raw("json_schema")?, &Path::Root).ok()?;
    let schema = JsonSchema {
        name: inner.string("name").ok()?,
        description: inner.string("description").ok()?,
        schema: inner.raw("schema").map(RawJson::from),
        strict: inner.take("strict", "true or false").ok()?,
    };
    (object.is_empty() && inner.is_empty()).then_some(schema)
}

fn messages(object: &mut Object<'_, '_>, form: &Form) -> Result<Vec<Message>, DecodeError> {
    let path = object.path().member("messages");
    // The id that was given to the last call of before tools.
    let mut called = None;
    (0..)
        .zip(array(object.required("messages")?, &path)?)
        .map(|(index, raw)| {
            let path = path.item(index);
            let object = Object::from_raw(raw, &path)?;
            message(object, &format!("call_{index}"), &mut called, form)
        })
        .collect()
}

/// Reads a message; a call without an id of its own gets `id`.
fn message(
    mut object: Object<'_, '_>,
    id: &str,
    called: &mut Option<String>,
    form: &Form,
) -> Result<Message, DecodeError> {
    let path = object.path();
    let role = object.required_string("role")?;
    let content_path = path.member("content");
    match role.as_str() {
        "system" | "developer" => Ok(Message::System {
            parts: content::decode_input(object.raw("content"), &content_path)?,
            extra: object.rest(FORMAT),
        }),
        "user" => Ok(Message::User {
            parts: content::decode_input(object.raw("content"), &content_path)?,
            extra: object.rest(FORMAT),
        }),
        "assistant" => {
            *called = None;
            let message = assistant(object, id, form)?;
            if message.is_one_call() {
                *called = Some(id.to_owned());
            }
            Ok(message)
        }
        "function" => function_result(object, called.take()),
        "tool" => {
            let result = ToolResult {
                call_id: object.required_string("tool_call_id")?,
                parts: content::decode_input(object.raw("content"), &content_path)?,
                is_error: false,
                cache: None,
                extra: object.rest(FORMAT),
            };
            Ok(Message::Tool {
                results: vec![result],
                extra: Extra::default(),
            })
        }
        _ => Err(object.invalid(
            "role",
            "developer, system, user, assistant, tool or function",
        )),
    }
}

/// The result of the call before it, which it tells by the name alone.
fn function_result(
    mut object: Object<'_, '_>,
    called: Option<String>,
) -> Result<Message, DecodeError> {
    let path = object.path().member("content");
    let name = object.required_string("name")?;
    let mut result = ToolResult {
        call_id: called.unwrap_or_else(|| format!("call_{name}")),
        parts: content::decode_input(object.raw("content"), &path)?,
        extra: object.rest(FORMAT),
        ..ToolResult::default()
    };
    result
        .extra
        .insert_quiet(FORMAT, tool_result::OF_FUNCTION, RawJson::string(&name));
    Ok(Message::Tool {
        results: vec![result],
        extra: Extra::default(),
    })
}

fn assistant(mut object: Object<'_, '_>, id: &str, form: &Form) -> Result<Message, DecodeError> {
    let path = object.path().member("content");
    let mut extra = private(&mut object, form.private_in_messages);
    let mut parts = reasoning::decode(&mut object)?;
    parts.extend(content::decode_output(object.raw("content"), &path)?);
    if form.has_thoughts_in_content() {
        content::thinking::join(&mut parts);
    }
    parts.extend(object.string("refusal")?.map(OutputPart::Refusal));
    let drawn = content::drawn::take(&mut object);
    parts.extend(drawn.into_iter().map(OutputPart::Image));
    parts.extend(tool_call::decode_all(&mut object, id)?);
    // Clients that send an answer back as they got it send empty lists along.
    for name in ["annotations", "function_call", "audio"] {
        if object.peek(name).is_some_and(|raw| raw.get() == "[]") {
            object.raw(name);
        }
    }
    object.rest_into(&mut extra, FORMAT, "");
    Ok(Message::Assistant { parts, extra })
}
