//! Reads a request.

use std::collections::BTreeMap;

use serde_json::Number;
use serde_json::value::RawValue;

use crate::anthropic::types::{self, unwrap_id};
use crate::anthropic::{FORMAT, block};
use crate::error::DecodeError;
use crate::ir::{
    Effort, Extra, FunctionTool, InputPart, JsonSchema, Message, Opaque, OutputPart, RawJson,
    Request, ResponseFormat, Sampling, Text, Tool, ToolChoice, ToolResult,
};
use crate::json::{Object, Path, array, string};
use crate::thinking;

/// Reads a client's request, into canonical form.
pub(in crate::anthropic) fn decode(body: &[u8]) -> Result<Request, DecodeError> {
    let mut object = Object::parse(body, &Path::Root)?;
    let system_path = object.path().member("system");
    let (tool_choice, parallel_tool_calls) = tool_choice(&mut object);
    let stream = object.take("stream", "true or false")?.unwrap_or_default();
    let max_tokens = object.take("max_tokens", "a whole number")?;
    let (response_format, word, output_config) = output_config(&mut object);
    let (effort, thinking_budget) = match word {
        // Both can be said only as they were said.
        Some(word) if is_disabled(&object) => (Some(word), None),
        word => {
            let (off, budget) = thinking::take_thinking(&mut object);
            (word.or(off), budget)
        }
    };
    let (user, metadata) = user(&mut object);
    let mut request = Request {
        model: object.required_string("model")?,
        system: block::decode_texts(object.raw("system"), &system_path)?,
        messages: messages(&mut object)?,
        tools: tools(&mut object)?,
        tool_choice,
        parallel_tool_calls,
        sampling: sampling(&mut object)?,
        max_output_tokens: Some(max_tokens.ok_or_else(|| DecodeError::Missing {
            path: "max_tokens".to_owned(),
        })?),
        stop: object
            .take("stop_sequences", "an array of strings")?
            .unwrap_or_default(),
        response_format,
        choices: None,
        stream,
        // Streams of this format always tell their usage.
        include_usage: stream,
        effort,
        thinking_budget,
        user,
        metadata: BTreeMap::new(),
        stream_options: Extra::default(),
        extra: object.rest(FORMAT),
    };
    for (name, raw) in [("output_config", output_config), ("metadata", metadata)] {
        if let Some(raw) = raw {
            request.extra.insert(FORMAT, name, raw);
        }
    }
    Ok(request.canonical())
}

fn sampling(object: &mut Object<'_, '_>) -> Result<Sampling, DecodeError> {
    Ok(Sampling {
        temperature: object.take::<Number>("temperature", "a number")?,
        top_p: object.take::<Number>("top_p", "a number")?,
        top_k: object.take("top_k", "a whole number")?,
        ..Sampling::default()
    })
}

/// The end user, when `metadata` names him and nothing else; otherwise `metadata` as it is.
fn user(object: &mut Object<'_, '_>) -> (Option<String>, Option<RawJson>) {
    let Some(raw) = object.raw("metadata") else {
        return (None, None);
    };
    let user = Object::from_raw(raw, &Path::Root)
        .ok()
        .and_then(|mut metadata| {
            let user = metadata.string("user_id").ok()?;
            metadata.is_empty().then_some(user)
        });
    match user {
        Some(user) => (user, None),
        None => (None, Some(RawJson::from(raw))),
    }
}

/// Whether the client turned thinking off.
fn is_disabled(object: &Object<'_, '_>) -> bool {
    let thinking = object.peek("thinking");
    thinking.is_some_and(|raw| block::is_kind(raw, "disabled"))
}

/// The shape of the answer, the effort, and the other members of `output_config`.
fn output_config(
    object: &mut Object<'_, '_>,
) -> (Option<ResponseFormat>, Option<Effort>, Option<RawJson>) {
    let Some(raw) = object.raw("output_config") else {
        return (None, None, None);
    };
    let Ok(mut config) = Object::from_raw(raw, &Path::Root) else {
        return (None, None, Some(RawJson::from(raw)));
    };
    let format = config.peek("format").and_then(json_schema);
    if format.is_some() {
        config.raw("format");
    }
    let effort = thinking::take_effort(&mut config);
    if format.is_none() && effort.is_none() {
        return (None, None, Some(RawJson::from(raw)));
    }
    let rest = config.into_members();
    let rest = (!rest.is_empty()).then(|| {
        let text = serde_json::to_string(&rest).expect("string keys only");
        RawJson::try_new(&text).expect("just serialised")
    });
    (format.map(ResponseFormat::JsonSchema), effort, rest)
}

/// `{"type": "json_schema", "schema": …}` and nothing else. Answers are always held to it.
fn json_schema(raw: &RawValue) -> Option<JsonSchema> {
    let mut object = Object::from_raw(raw, &Path::Root).ok()?;
    let kind = object.kind();
    object.raw("type");
    let schema = object.raw("schema")?;
    (kind == "json_schema" && object.is_empty()).then(|| JsonSchema {
        schema: Some(RawJson::from(schema)),
        strict: Some(true),
        ..JsonSchema::default()
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

/// A tool of another type than `custom` is one that the provider runs.
fn tool(raw: &RawValue, path: &Path<'_>) -> Result<Tool, DecodeError> {
    let mut object = Object::from_raw(raw, path)?;
    if !matches!(&*object.kind(), "custom" | "") {
        return Ok(Tool::Opaque(Opaque::new(FORMAT, raw.get())));
    }
    object.raw("type");
    Ok(Tool::Function(FunctionTool {
        name: object.required_string("name")?,
        description: object.string("description")?,
        parameters: object.raw("input_schema").map(RawJson::from),
        strict: object.take("strict", "true or false")?,
        cache: types::take_cache(&mut object),
        extra: object.rest(FORMAT),
    }))
}

/// The choice, and whether several calls at once are allowed.
fn tool_choice(object: &mut Object<'_, '_>) -> (Option<ToolChoice>, Option<bool>) {
    let Some(raw) = object.raw("tool_choice") else {
        return (None, None);
    };
    match known_choice(raw) {
        Some((choice, parallel)) => (Some(choice), parallel),
        None => (
            Some(ToolChoice::Opaque(Opaque::new(FORMAT, raw.get()))),
            None,
        ),
    }
}

fn known_choice(raw: &RawValue) -> Option<(ToolChoice, Option<bool>)> {
    let mut object = Object::from_raw(raw, &Path::Root).ok()?;
    let kind = object.kind();
    object.raw("type");
    let single: Option<bool> = object
        .take("disable_parallel_tool_use", "true or false")
        .ok()?;
    let choice = match &*kind {
        "auto" => ToolChoice::Auto,
        "any" => ToolChoice::Required,
        "none" => ToolChoice::None,
        "tool" => ToolChoice::Function(object.string("name").ok()??),
        _ => return None,
    };
    object
        .is_empty()
        .then_some((choice, single.map(|single| !single)))
}

fn messages(object: &mut Object<'_, '_>) -> Result<Vec<Message>, DecodeError> {
    let path = object.path().member("messages");
    let mut messages = Vec::new();
    for (index, raw) in (0..).zip(array(object.required("messages")?, &path)?) {
        message(raw, &path.item(index), &mut messages)?;
    }
    Ok(messages)
}

fn message(
    raw: &RawValue,
    path: &Path<'_>,
    messages: &mut Vec<Message>,
) -> Result<(), DecodeError> {
    let mut object = Object::from_raw(raw, path)?;
    let role = object.required_string("role")?;
    let content_path = path.member("content");
    let content = object.required("content")?;
    match role.as_str() {
        "system" => messages.push(Message::System {
            parts: blocks(content, &content_path, InputPart::Text, block::decode_input)?,
            extra: object.rest(FORMAT),
        }),
        "user" => user_turn(content, &content_path, object.rest(FORMAT), messages)?,
        "assistant" => messages.push(Message::Assistant {
            parts: blocks(
                content,
                &content_path,
                OutputPart::Text,
                block::decode_output,
            )?,
            extra: object.rest(FORMAT),
        }),
        _ => return Err(object.invalid("role", "user, assistant or system")),
    }
    Ok(())
}

/// Reads the blocks of a content, each with `read`; a string is one text.
fn blocks<T>(
    content: &RawValue,
    path: &Path<'_>,
    text: impl Fn(Text) -> T,
    read: impl Fn(&RawValue, &Path<'_>) -> Result<T, DecodeError>,
) -> Result<Vec<T>, DecodeError> {
    if let Some(content) = string(content) {
        return Ok(vec![text(Text::plain(content))]);
    }
    let list = array(content, path).map_err(|_| DecodeError::Invalid {
        path: path.to_string(),
        expected: "a string or an array of blocks".to_owned(),
    })?;
    (0..)
        .zip(list)
        .map(|(index, raw)| read(raw, &path.item(index)))
        .collect()
}

/// A block of a user's turn.
enum Said {
    Part(InputPart),
    Result(ToolResult),
}

/// Results of tools make a turn of their own, before what else the user says.
fn user_turn(
    content: &RawValue,
    path: &Path<'_>,
    extra: Extra,
    messages: &mut Vec<Message>,
) -> Result<(), DecodeError> {
    let text = |text| Said::Part(InputPart::Text(text));
    let read = |raw: &RawValue, path: &Path<'_>| match block::is_kind(raw, "tool_result") {
        true => tool_result(Object::from_raw(raw, path)?).map(Said::Result),
        false => block::decode_input(raw, path).map(Said::Part),
    };
    let mut results = Vec::new();
    let mut parts = Vec::new();
    for said in blocks(content, path, text, read)? {
        match said {
            Said::Part(part) => parts.push(part),
            Said::Result(result) => results.push(result),
        }
    }
    match (results.is_empty(), parts.is_empty()) {
        (true, _) => messages.push(Message::User { parts, extra }),
        (false, true) => messages.push(Message::Tool { results, extra }),
        (false, false) => {
            messages.push(Message::Tool {
                results,
                extra: Extra::default(),
            });
            messages.push(Message::User { parts, extra });
        }
    }
    Ok(())
}

fn tool_result(mut object: Object<'_, '_>) -> Result<ToolResult, DecodeError> {
    object.raw("type");
    let path = object.path().member("content");
    let parts = match object.raw("content") {
        Some(content) => blocks(content, &path, InputPart::Text, block::decode_input)?,
        None => Vec::new(),
    };
    Ok(ToolResult {
        call_id: unwrap_id(object.required_string("tool_use_id")?),
        parts,
        is_error: object
            .take("is_error", "true or false")?
            .unwrap_or_default(),
        cache: types::take_cache(&mut object),
        extra: object.rest(FORMAT),
    })
}
