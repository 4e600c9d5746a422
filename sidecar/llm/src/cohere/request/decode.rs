//! Reads a request.

use std::collections::BTreeMap;

use serde_json::Number;
use serde_json::value::RawValue;

use crate::cohere::request::thinking;
use crate::cohere::{FORMAT, content, message};
use crate::error::DecodeError;
use crate::ir::{
    Extra, FunctionTool, JsonSchema, Message, Opaque, RawJson, Request, ResponseFormat, Sampling,
    Tool, ToolChoice, ToolResult,
};
use crate::json::{Object, Path, array, string};

/// Reads a client's request, into canonical form.
pub(in crate::cohere) fn decode(body: &[u8]) -> Result<Request, DecodeError> {
    let mut object = Object::parse(body, &Path::Root)?;
    let stream = object.take("stream", "true or false")?.unwrap_or_default();
    let (effort, thinking_budget) = thinking::take(&mut object);
    let mut tools = tools(&mut object)?;
    hold_to_schema(&mut tools, &mut object)?;
    let request = Request {
        model: object.required_string("model")?,
        system: Vec::new(),
        messages: messages(&mut object)?,
        tools,
        tool_choice: object.raw("tool_choice").map(tool_choice),
        parallel_tool_calls: None,
        sampling: sampling(&mut object)?,
        max_output_tokens: object.take("max_tokens", "a whole number")?,
        stop: object
            .take("stop_sequences", "an array of strings")?
            .unwrap_or_default(),
        response_format: object.raw("response_format").and_then(response_format),
        choices: None,
        stream,
        // Streams of this format always tell their usage.
        include_usage: stream,
        effort,
        thinking_budget,
        user: None,
        metadata: BTreeMap::new(),
        stream_options: Extra::default(),
        extra: object.rest(FORMAT),
    };
    Ok(request.canonical())
}

fn sampling(object: &mut Object<'_, '_>) -> Result<Sampling, DecodeError> {
    let top_k = object.take("k", "a whole number")?;
    let mut number = |name| object.take::<Number>(name, "a number");
    Ok(Sampling {
        temperature: number("temperature")?,
        top_p: number("p")?,
        top_k,
        frequency_penalty: number("frequency_penalty")?,
        presence_penalty: number("presence_penalty")?,
        seed: number("seed")?,
    })
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
    let opaque = || Tool::Opaque(Opaque::new(FORMAT, raw.get()));
    let mut object = Object::from_raw(raw, path)?;
    if !matches!(&*object.kind(), "function" | "") {
        return Ok(opaque());
    }
    object.raw("type");
    let inner_path = path.member("function");
    let mut function = Object::from_raw(object.required("function")?, &inner_path)?;
    if !object.is_empty() {
        return Ok(opaque());
    }
    Ok(Tool::Function(FunctionTool {
        name: function.required_string("name")?,
        description: function.string("description")?,
        parameters: function.raw("parameters").map(RawJson::from),
        strict: None,
        cache: None,
        extra: function.rest(FORMAT),
    }))
}

/// `strict_tools` is said once for all functions. Without one it is left where it is.
fn hold_to_schema(tools: &mut [Tool], object: &mut Object<'_, '_>) -> Result<(), DecodeError> {
    let is_function = |tool: &Tool| matches!(tool, Tool::Function(_));
    if !tools.iter().any(is_function) {
        return Ok(());
    }
    let strict = object.take("strict_tools", "true or false")?;
    for tool in tools {
        if let Tool::Function(function) = tool {
            function.strict = strict;
        }
    }
    Ok(())
}

fn tool_choice(raw: &RawValue) -> ToolChoice {
    match string(raw).as_deref() {
        Some("REQUIRED") => ToolChoice::Required,
        Some("NONE") => ToolChoice::None,
        _ => ToolChoice::Opaque(Opaque::new(FORMAT, raw.get())),
    }
}

/// `text` is what is done anyway.
fn response_format(raw: &RawValue) -> Option<ResponseFormat> {
    let opaque = || ResponseFormat::Opaque(Opaque::new(FORMAT, raw.get()));
    let Ok(mut object) = Object::from_raw(raw, &Path::Root) else {
        return Some(opaque());
    };
    let kind = object.kind();
    object.raw("type");
    let schema = object.raw("json_schema");
    match (&*kind, schema) {
        ("text", None) if object.is_empty() => None,
        ("json_object", None) if object.is_empty() => Some(ResponseFormat::JsonObject),
        ("json_object", Some(schema)) if object.is_empty() => {
            Some(ResponseFormat::JsonSchema(JsonSchema {
                schema: Some(RawJson::from(schema)),
                // Answers are always held to it.
                strict: Some(true),
                ..JsonSchema::default()
            }))
        }
        _ => Some(opaque()),
    }
}

fn messages(object: &mut Object<'_, '_>) -> Result<Vec<Message>, DecodeError> {
    let path = object.path().member("messages");
    (0..)
        .zip(array(object.required("messages")?, &path)?)
        .map(|(index, raw)| one(raw, &path.item(index)))
        .collect()
}

fn one(raw: &RawValue, path: &Path<'_>) -> Result<Message, DecodeError> {
    let mut object = Object::from_raw(raw, path)?;
    let role = object.required_string("role")?;
    let content_path = path.member("content");
    let input =
        |object: &mut Object<'_, '_>| content::decode_input(object.raw("content"), &content_path);
    match role.as_str() {
        "system" => Ok(Message::System {
            parts: input(&mut object)?,
            extra: object.rest(FORMAT),
        }),
        "user" => Ok(Message::User {
            parts: input(&mut object)?,
            extra: object.rest(FORMAT),
        }),
        "assistant" => Ok(Message::Assistant {
            parts: message::decode(&mut object)?,
            extra: object.rest(FORMAT),
        }),
        "tool" => {
            let result = ToolResult {
                call_id: object.required_string("tool_call_id")?,
                parts: input(&mut object)?,
                is_error: false,
                cache: None,
                extra: object.rest(FORMAT),
            };
            Ok(Message::Tool {
                results: vec![result],
                extra: Extra::default(),
            })
        }
        _ => Err(object.invalid("role", "system, user, assistant or tool")),
    }
}
