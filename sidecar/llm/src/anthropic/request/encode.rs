//! Writes a request.

use std::borrow::Cow;

use serde_json::Number;

use crate::anthropic::request::{MEMBERS, messages};
use crate::anthropic::{FORMAT, block, types};
use crate::error::EncodeError;
use crate::format::{Encoded, Target};
use crate::ir::{
    Effort, FunctionTool, JsonSchema, Opaque, RawJson, Request, ResponseFormat, Sampling, Tool,
    ToolChoice,
};
use crate::json::{Object, ObjectWriter, Path, Report, kind_of, write_array};
use crate::schema::{self, Rules};
use crate::thinking::{self, Wish};

/// The limit of output when neither the request nor the catalogue names one: this format must name one.
const MAX_TOKENS: u64 = 4096;

const TOOL_MEMBERS: [&str; 5] = ["name", "description", "input_schema", "strict", "type"];

/// Writes a request for a provider. `stream` follows the target, not the request.
pub(in crate::anthropic) fn encode(
    request: &Request,
    target: &Target<'_>,
) -> Result<Encoded, EncodeError> {
    if let Some(n @ 2..) = request.choices {
        return Err(unsupported(
            "n",
            format!("it gives one answer, not {n}; send `n: 1`"),
        ));
    }
    let mut body = Vec::with_capacity(1024);
    let mut report = Report::default();
    let mut object = ObjectWriter::new(&mut body);
    object.value("model", target.model);
    let limit = request.max_output_tokens.or(target.max_output_tokens);
    let limit = limit.unwrap_or(MAX_TOKENS);
    object.value("max_tokens", &limit);
    let as_written = request.extra.get(FORMAT, "thinking").is_some();
    let wish = thinking::wish(request, target, limit, as_written, &mut report);
    wish.write(&mut object);
    let conversation = messages::Conversation::new(request, target.capabilities, &mut report);
    if !conversation.system.is_empty() {
        let system = conversation.system.iter().copied();
        block::encode_texts(object.key("system"), system, &mut report);
    }
    conversation.write(object.key("messages"), &mut report)?;
    tools(&mut object, request, &mut report)?;
    sampling(&mut object, &request.sampling, wish, &mut report);
    stop(&mut object, request, &mut report);
    if target.stream {
        object.value("stream", &true);
    }
    output_config(&mut object, request, wish.effort, &mut report)?;
    metadata(&mut object, request, &mut report);
    for (name, ..) in request.stream_options.iter() {
        report.note_in("stream_options", name);
    }
    rest(&mut object, request, &mut report);
    object.end();
    Ok(report.into_encoded(body))
}

fn unsupported(path: &str, reason: impl Into<String>) -> EncodeError {
    EncodeError::Unsupported {
        path: path.to_owned(),
        format: FORMAT,
        reason: reason.into(),
    }
}

/// The unknown members. `output_config` and `metadata` are written apart.
fn rest(object: &mut ObjectWriter<'_>, request: &Request, report: &mut Report) {
    for (name, origin, value) in request.extra.iter() {
        match name {
            "output_config" | "metadata" if origin == FORMAT => {}
            _ if origin == FORMAT && !MEMBERS.contains(&name) => object.value(name, value),
            _ => report.note(name),
        }
    }
}

/// A model that thinks draws at a temperature of 1, from all words.
fn sampling(object: &mut ObjectWriter<'_>, sampling: &Sampling, wish: Wish, report: &mut Report) {
    let thinks = wish.thinks();
    if let Some(temperature) = &sampling.temperature {
        let value = temperature.as_f64();
        if thinks && value != Some(1.0) {
            report.note("temperature");
        } else if value.is_some_and(|value| value > 1.0) {
            // OpenAI's scale ends at 2, this one at 1.
            report.note("temperature");
            object.value("temperature", &Number::from(1));
        } else {
            object.value("temperature", temperature);
        }
    }
    object.optional("top_p", sampling.top_p.as_ref());
    object.optional("top_k", sampling.top_k.filter(|_| !thinks).as_ref());
    if thinks && sampling.top_k.is_some() {
        report.note("top_k");
    }
    for (name, value) in [
        ("frequency_penalty", &sampling.frequency_penalty),
        ("presence_penalty", &sampling.presence_penalty),
        ("seed", &sampling.seed),
    ] {
        if value.is_some() {
            report.note(name);
        }
    }
}

/// A stop sequence of nothing but white space is refused by the provider.
fn stop(object: &mut ObjectWriter<'_>, request: &Request, report: &mut Report) {
    let mut stop: Vec<&str> = request.stop.iter().map(String::as_str).collect();
    stop.retain(|text| !text.trim().is_empty());
    if stop.len() < request.stop.len() {
        report.note("stop");
    }
    if !stop.is_empty() {
        object.value("stop_sequences", &stop);
    }
}

fn tools(
    object: &mut ObjectWriter<'_>,
    request: &Request,
    report: &mut Report,
) -> Result<(), EncodeError> {
    let mut kept: Vec<&Tool> = request.tools.iter().collect();
    kept.retain(|tool| is_ours(tool, report));
    if !kept.is_empty() {
        write_array(object.key("tools"), kept, |out, tool| match tool {
            Tool::Function(function) => write_tool(out, function, report),
            Tool::Opaque(raw) => out.extend(&raw.bytes),
        });
    }
    let single = request.parallel_tool_calls == Some(false);
    let (kind, name) = match &request.tool_choice {
        None if single => ("auto", None),
        None => return Ok(()),
        Some(ToolChoice::Auto) => ("auto", None),
        Some(ToolChoice::None) => ("none", None),
        Some(ToolChoice::Required) => ("any", None),
        Some(ToolChoice::Function(name)) => {
            ("tool", Some(report.tool_name(name, &types::TOOL_NAME)))
        }
        Some(ToolChoice::Opaque(raw)) => return write_own(object, raw, single, report),
    };
    let mut choice = ObjectWriter::new(object.key("tool_choice"));
    choice.value("type", kind);
    choice.optional("name", name.as_ref());
    if single && kind != "none" {
        choice.value("disable_parallel_tool_use", &true);
    }
    choice.end();
    Ok(())
}

/// A choice that is kept as JSON says itself whether several calls are allowed.
fn write_own(
    object: &mut ObjectWriter<'_>,
    raw: &Opaque,
    single: bool,
    report: &mut Report,
) -> Result<(), EncodeError> {
    if raw.origin != FORMAT {
        let reason = format!("this form is known to {} only", raw.origin);
        return Err(unsupported("tool_choice", reason));
    }
    if single {
        report.note("parallel_tool_calls");
    }
    object.key("tool_choice").extend(&raw.bytes);
    Ok(())
}

/// Tools that another provider runs itself are left out, and noted.
fn is_ours(tool: &Tool, report: &mut Report) -> bool {
    match tool {
        Tool::Opaque(raw) if raw.origin != FORMAT => {
            report.note_in("tools", &kind_of(&raw.bytes));
            false
        }
        _ => true,
    }
}

fn write_tool(out: &mut Vec<u8>, function: &FunctionTool, report: &mut Report) {
    let mut object = ObjectWriter::new(out);
    object.value(
        "name",
        &*report.tool_name(&function.name, &types::TOOL_NAME),
    );
    object.optional("description", function.description.as_ref());
    match &function.parameters {
        Some(schema) => object.value("input_schema", schema),
        None => object
            .key("input_schema")
            .extend(br#"{"type":"object","properties":{}}"#),
    }
    object.optional("strict", function.strict.as_ref());
    types::write_cache(&mut object, function.cache);
    object.extra(&function.extra, FORMAT, &TOOL_MEMBERS, "tool", report);
    object.end();
}

fn output_config(
    object: &mut ObjectWriter<'_>,
    request: &Request,
    effort: Option<Effort>,
    report: &mut Report,
) -> Result<(), EncodeError> {
    let schema = match &request.response_format {
        None => None,
        Some(ResponseFormat::JsonSchema(format)) => Some(schema(format, report)?),
        Some(ResponseFormat::JsonObject) => {
            let reason = "it has no free JSON mode; send a `json_schema`, or ask for JSON in words";
            return Err(unsupported("response_format", reason));
        }
        Some(ResponseFormat::Opaque(raw)) => {
            let reason = format!("this form is known to {} only", raw.origin);
            return Err(unsupported("response_format", reason));
        }
    };
    let other = request.extra.get(FORMAT, "output_config");
    if schema.is_none() && effort.is_none() {
        object.optional("output_config", other);
        return Ok(());
    }
    let members = other.and_then(|raw| Object::from_raw(raw.raw(), &Path::Root).ok());
    let members = members.map(Object::into_members).unwrap_or_default();
    let mut config = ObjectWriter::new(object.key("output_config"));
    let written = |name: &str| {
        (name == "format" && schema.is_some()) || (name == "effort" && effort.is_some())
    };
    for (name, value) in members.iter().filter(|(name, _)| !written(name)) {
        config.value(name, value);
    }
    config.optional("effort", effort.map(Effort::name).as_ref());
    if let Some(schema) = schema {
        let mut format = ObjectWriter::new(config.key("format"));
        format.value("type", "json_schema");
        format.value("schema", &*schema);
        format.end();
    }
    config.end();
    Ok(())
}

/// What the provider's own documentation of structured outputs lists as not supported, and what its official SDKs take out.
const SCHEMA: Rules = Rules {
    refused: &[
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "maxItems",
        "uniqueItems",
        "minProperties",
        "maxProperties",
        "patternProperties",
        "propertyNames",
        "if",
        "then",
        "else",
        "not",
    ],
    one_of_is_any_of: true,
    closed: true,
    most_min_items: 1,
};

/// Name, description and looseness have no place here; keywords that the provider refuses are left out.
fn schema<'a>(
    format: &'a JsonSchema,
    report: &mut Report,
) -> Result<Cow<'a, RawJson>, EncodeError> {
    let path = "response_format.json_schema";
    for (name, lost) in [
        ("name", format.name.is_some()),
        ("description", format.description.is_some()),
        ("strict", format.strict != Some(true)),
    ] {
        if lost {
            report.note_in(path, name);
        }
    }
    let schema = format.schema.as_ref().ok_or_else(|| EncodeError::Invalid {
        path: format!("{path}.schema"),
        reason: format!("{FORMAT} needs the schema itself"),
    })?;
    let Some((restricted, keywords)) = schema::restrict(schema, &SCHEMA) else {
        return Ok(Cow::Borrowed(schema));
    };
    for keyword in keywords {
        report.note_in("response_format.json_schema.schema", keyword);
    }
    Ok(Cow::Owned(restricted))
}

/// The provider refuses e-mail addresses and telephone numbers as names of users.
fn metadata(object: &mut ObjectWriter<'_>, request: &Request, report: &mut Report) {
    let other = request.extra.get(FORMAT, "metadata");
    object.optional("metadata", other);
    if !request.metadata.is_empty() {
        report.note("metadata");
    }
    let Some(user) = &request.user else {
        return;
    };
    let digits = user.chars().filter(char::is_ascii_digit).count();
    let number = digits >= 7
        && user
            .chars()
            .all(|c| c.is_ascii_digit() || " +-()./".contains(c));
    if other.is_some() || number || user.contains('@') {
        report.note("user");
        return;
    }
    let mut metadata = ObjectWriter::new(object.key("metadata"));
    metadata.value("user_id", user);
    metadata.end();
}
