//! Reads a request.

use std::collections::BTreeSet;

use serde_json::value::RawValue;

use crate::error::DecodeError;
use crate::gemini::request::encode::CALLING_CONFIG;
use crate::gemini::request::{MEMBERS, TOOL_CONFIG, config, contents};
use crate::gemini::types::camel;
use crate::gemini::{FORMAT, part, schema};
use crate::ir::{
    Extra, FunctionTool, InputPart, Message, Opaque, RawJson, Request, Tool, ToolChoice,
};
use crate::json::{Object, Path, array, string};

/// Reads a client's request, into canonical form.
pub(in crate::gemini) fn decode(body: &[u8]) -> Result<Request, DecodeError> {
    let mut object = Object::parse(body, &Path::Root)?;
    camel(&mut object, &MEMBERS);
    camel(&mut object, &["cachedContent", "safetySettings"]);
    let mut request = Request {
        model: object.string("model")?.unwrap_or_default(),
        messages: system(&mut object)?,
        tools: tools(&mut object)?,
        ..Request::default()
    };
    let (tool_choice, mut extra) = tool_config(&mut object, &request.tools)?;
    request.tool_choice = tool_choice;
    contents::decode(&mut object, &mut request.messages)?;
    config::decode(&mut object, &mut request, &mut extra)?;
    object.rest_into(&mut extra, FORMAT, "");
    request.extra = extra;
    Ok(request.canonical())
}

/// The instructions as a message, which the canonical form takes to where they belong. Their `role` says nothing.
fn system(object: &mut Object<'_, '_>) -> Result<Vec<Message>, DecodeError> {
    let path = object.path().member("systemInstruction");
    let Some(raw) = object.raw("systemInstruction") else {
        return Ok(Vec::new());
    };
    let mut content = Object::from_raw(raw, &path)?;
    content.raw("role");
    let parts_path = path.member("parts");
    let parts = match content.raw("parts") {
        // A single part is taken, too.
        Some(raw) if raw.get().starts_with('{') => vec![raw],
        Some(raw) => array(raw, &parts_path)?,
        None => Vec::new(),
    };
    let parts = (0..)
        .zip(parts)
        .map(|(index, raw)| part::decode_input(raw, &parts_path.item(index)))
        .collect::<Result<Vec<InputPart>, DecodeError>>()?;
    Ok(vec![Message::System {
        parts,
        extra: content.rest(FORMAT),
    }])
}

fn tools(object: &mut Object<'_, '_>) -> Result<Vec<Tool>, DecodeError> {
    let Some(raw) = object.raw("tools") else {
        return Ok(Vec::new());
    };
    let path = object.path().member("tools");
    let mut tools = Vec::new();
    for (index, raw) in array(raw, &path)?.into_iter().enumerate() {
        entry(raw, &path.item(index), &mut tools)?;
    }
    Ok(tools)
}

/// One entry declares any number of functions, and tools that Google runs itself.
fn entry(raw: &RawValue, path: &Path<'_>, tools: &mut Vec<Tool>) -> Result<(), DecodeError> {
    let mut object = Object::from_raw(raw, path)?;
    camel(&mut object, &["functionDeclarations"]);
    let list_path = path.member("functionDeclarations");
    let Some(list) = object.raw("functionDeclarations") else {
        tools.push(Tool::Opaque(Opaque::new(FORMAT, raw.get())));
        return Ok(());
    };
    for (index, raw) in array(list, &list_path)?.into_iter().enumerate() {
        let function = function(Object::from_raw(raw, &list_path.item(index))?)?;
        tools.push(Tool::Function(function));
    }
    let others = object.into_members();
    if !others.is_empty() {
        let text = serde_json::to_vec(&others).expect("string keys only");
        tools.push(Tool::Opaque(Opaque::new(FORMAT, text)));
    }
    Ok(())
}

fn function(mut object: Object<'_, '_>) -> Result<FunctionTool, DecodeError> {
    camel(&mut object, &["parametersJsonSchema"]);
    let mut raw = |name| object.raw(name).map(RawJson::from);
    let (newer, older) = (raw("parametersJsonSchema"), raw("parameters"));
    Ok(FunctionTool {
        name: object.required_string("name")?,
        description: object.string("description")?,
        parameters: newer.or_else(|| older.map(schema::to_json_schema)),
        strict: None,
        cache: None,
        extra: object.rest(FORMAT),
    })
}

/// What must be called, and the other settings.
fn tool_config(
    object: &mut Object<'_, '_>,
    tools: &[Tool],
) -> Result<(Option<ToolChoice>, Extra), DecodeError> {
    let mut extra = Extra::default();
    let path = object.path().member("toolConfig");
    let Some(raw) = object.raw("toolConfig") else {
        return Ok((None, extra));
    };
    let mut config = Object::from_raw(raw, &path)?;
    camel(&mut config, &["functionCallingConfig", "retrievalConfig"]);
    let calling = config.raw("functionCallingConfig");
    let choice = calling.and_then(|raw| calling_config(raw, tools, &mut extra));
    config.rest_into(&mut extra, FORMAT, TOOL_CONFIG);
    Ok((choice, extra))
}

/// The choice of `functionCallingConfig`; what the representation has not goes into `extra`.
fn calling_config(raw: &RawValue, tools: &[Tool], extra: &mut Extra) -> Option<ToolChoice> {
    let opaque = || Some(ToolChoice::Opaque(Opaque::new(FORMAT, raw.get())));
    let Ok(mut config) = Object::from_raw(raw, &Path::Root) else {
        return opaque();
    };
    camel(&mut config, &[NAMES, STREAMED]);
    if config.has_only(&[STREAMED]) {
        config.rest_into(extra, FORMAT, CALLING_CONFIG);
        return None;
    }
    let Some(choice) = known_choice(&config, tools) else {
        return opaque();
    };
    config.raw(NAMES);
    // A mode that is `AUTO` to everybody else stays.
    if choice != ToolChoice::Auto || config.peek("mode").map(RawValue::get) == Some(AUTO) {
        config.raw("mode");
    }
    config.rest_into(extra, FORMAT, CALLING_CONFIG);
    Some(choice)
}

const NAMES: &str = "allowedFunctionNames";
const STREAMED: &str = "streamFunctionCallArguments";
const AUTO: &str = "\"AUTO\"";

/// `None` for a choice that the representation has not.
fn known_choice(config: &Object<'_, '_>, tools: &[Tool]) -> Option<ToolChoice> {
    if !config.has_only(&["mode", NAMES, STREAMED]) {
        return None;
    }
    let names: Vec<String> = match config.peek(NAMES) {
        Some(raw) => serde_json::from_str(raw.get()).ok()?,
        None => Vec::new(),
    };
    let mode = string(config.peek("mode")?)?;
    Some(match (&*mode, names.as_slice()) {
        // The second holds calls to their schemas.
        ("AUTO" | "VALIDATED", []) => ToolChoice::Auto,
        ("NONE", []) => ToolChoice::None,
        ("ANY", []) => ToolChoice::Required,
        ("ANY", [name]) => ToolChoice::Function(name.clone()),
        ("ANY", names) if are_all(names, tools) => ToolChoice::Required,
        _ => return None,
    })
}

/// Whether these are the names of all functions.
fn are_all(names: &[String], tools: &[Tool]) -> bool {
    let allowed: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let declared = tools.iter().filter_map(|tool| match tool {
        Tool::Function(function) => Some(function.name.as_str()),
        Tool::Opaque(_) => None,
    });
    allowed == declared.collect()
}
