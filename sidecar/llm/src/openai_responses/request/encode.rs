//! Writes a request.

use fkm_dialect::Thinking;

use crate::error::EncodeError;
use crate::format::{Encoded, Target};
use crate::ir::{
    Effort, Extra, FunctionTool, JsonSchema, Opaque, Request, ResponseFormat, Text, Tool,
    ToolChoice, Weight,
};
use crate::json::{ObjectWriter, Report, kind_of, write_array};
use crate::openai_responses::FORMAT;
use crate::openai_responses::ids::Mint;
use crate::openai_responses::output::{Items, Reader};
use crate::openai_responses::request::items::Turns;
use crate::openai_responses::request::{MEMBERS, OF_REASONING, OF_TEXT, SEALED};
use crate::openai_responses::types::TOOL_NAME;

const FUNCTION_MEMBERS: [&str; 5] = ["type", "name", "description", "parameters", "strict"];

/// The least limit of output that is taken (`max_output_tokens` of the specification).
const MIN_OUTPUT: u64 = 16;

/// Writes a request for a provider. `stream` and what belongs to it follow the target, not the request.
pub(in crate::openai_responses) fn encode(
    request: &Request,
    target: &Target<'_>,
) -> Result<Encoded, EncodeError> {
    check(request)?;
    let mut body = Vec::with_capacity(1024);
    let mut report = Report::default();
    let mut object = ObjectWriter::new(&mut body);
    object.value("model", target.model);
    conversation(&mut object, request, target, &mut report)?;
    tools(&mut object, request, &mut report)?;
    sampling(&mut object, request, &mut report);
    limit(&mut object, request, &mut report);
    text(&mut object, request)?;
    let effort = effort(request, target, &mut report);
    reasoning(&mut object, request, effort);
    storage(&mut object, request, target, effort);
    object.optional("user", request.user.as_ref());
    if !request.metadata.is_empty() {
        object.value("metadata", &request.metadata);
    }
    stream(&mut object, request, target, &mut report);
    rest(&mut object, &request.extra, &mut report);
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

/// Refuses what leaving out would change the answer.
fn check(request: &Request) -> Result<(), EncodeError> {
    if let Some(n @ 2..) = request.choices {
        let reason = format!("it gives one answer, not {n}; send `n: 1`");
        return Err(unsupported("n", reason));
    }
    if !request.stop.is_empty() {
        let reason = "it has no texts that end the answer; leave them out, or cut the answer";
        return Err(unsupported("stop", reason));
    }
    Ok(())
}

/// `instructions` is a string: what is more than that stands at the beginning of `input`.
fn conversation(
    object: &mut ObjectWriter<'_>,
    request: &Request,
    target: &Target<'_>,
    report: &mut Report,
) -> Result<(), EncodeError> {
    let (instructions, rest) = match request.system.split_first() {
        Some((first, rest)) if is_plain(first) => (Some(first), rest),
        _ => (None, request.system.as_slice()),
    };
    if let Some(text) = instructions {
        object.value("instructions", &text.text);
    }
    let out = object.key("input");
    out.push(b'[');
    let items = Items::new(&mut *out, Reader::Provider, Mint::default());
    let mut turns = Turns::new(items, target.capabilities, report);
    turns.system(rest)?;
    for message in &request.messages {
        turns.turn(message)?;
    }
    out.push(b']');
    Ok(())
}

fn is_plain(text: &Text) -> bool {
    text.is_plain() && !text.text.is_empty()
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
            Tool::Function(function) => write_function(out, function, report),
            Tool::Opaque(raw) => out.extend_from_slice(&raw.bytes),
        });
    }
    match &request.tool_choice {
        None => {}
        Some(ToolChoice::Auto) => object.value("tool_choice", "auto"),
        Some(ToolChoice::None) => object.value("tool_choice", "none"),
        Some(ToolChoice::Required) => object.value("tool_choice", "required"),
        Some(ToolChoice::Function(name)) => {
            let mut choice = ObjectWriter::new(object.key("tool_choice"));
            choice.value("type", "function");
            choice.value("name", &*report.tool_name(name, &TOOL_NAME));
            choice.end();
        }
        Some(ToolChoice::Opaque(raw)) => write_own(object.key("tool_choice"), "tool_choice", raw)?,
    }
    object.optional("parallel_tool_calls", request.parallel_tool_calls.as_ref());
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

/// Without a word about it, the provider would make the schema strict, which no other format does.
fn write_function(out: &mut Vec<u8>, function: &FunctionTool, report: &mut Report) {
    let mut object = ObjectWriter::new(out);
    object.value("type", "function");
    object.value("name", &*report.tool_name(&function.name, &TOOL_NAME));
    object.optional("description", function.description.as_ref());
    match &function.parameters {
        Some(schema) => object.value("parameters", schema),
        None => object.value("parameters", &()),
    }
    let unsaid = function.extra.get(FORMAT, "strict").is_some();
    match function.strict {
        None if unsaid => {}
        strict => object.value("strict", &strict.unwrap_or_default()),
    }
    if function.cache.is_some() {
        report.note("cache_control");
    }
    object.extra(&function.extra, FORMAT, &FUNCTION_MEMBERS, "tool", report);
    object.end();
}

/// Writes what is kept as JSON, at home only.
fn write_own(out: &mut Vec<u8>, path: &str, raw: &Opaque) -> Result<(), EncodeError> {
    if raw.origin != FORMAT {
        let reason = format!("this form is known to {} only", raw.origin);
        return Err(unsupported(path, reason));
    }
    out.extend_from_slice(&raw.bytes);
    Ok(())
}

fn sampling(object: &mut ObjectWriter<'_>, request: &Request, report: &mut Report) {
    let sampling = &request.sampling;
    object.optional("temperature", sampling.temperature.as_ref());
    object.optional("top_p", sampling.top_p.as_ref());
    for (name, is_there) in [
        ("top_k", sampling.top_k.is_some()),
        ("frequency_penalty", sampling.frequency_penalty.is_some()),
        ("presence_penalty", sampling.presence_penalty.is_some()),
        ("seed", sampling.seed.is_some()),
    ] {
        if is_there {
            report.note(name);
        }
    }
}

fn limit(object: &mut ObjectWriter<'_>, request: &Request, report: &mut Report) {
    let Some(limit) = request.max_output_tokens else {
        return;
    };
    if limit < MIN_OUTPUT {
        report.note("max_output_tokens");
    }
    object.value("max_output_tokens", &limit.max(MIN_OUTPUT));
}

/// The shape of the answer, and the other members of `text`.
fn text(object: &mut ObjectWriter<'_>, request: &Request) -> Result<(), EncodeError> {
    let format = request.response_format.as_ref();
    if format.is_none() && !has_below(&request.extra, OF_TEXT) {
        return Ok(());
    }
    let mut text = ObjectWriter::new(object.key("text"));
    match format {
        None => {}
        Some(ResponseFormat::JsonObject) => {
            let mut format = ObjectWriter::new(text.key("format"));
            format.value("type", "json_object");
            format.end();
        }
        Some(ResponseFormat::JsonSchema(schema)) => write_schema(text.key("format"), schema)?,
        Some(ResponseFormat::Opaque(raw)) => write_own(text.key("format"), "text.format", raw)?,
    }
    write_below(&mut text, &request.extra, OF_TEXT, "format");
    text.end();
    Ok(())
}

fn write_schema(out: &mut Vec<u8>, schema: &JsonSchema) -> Result<(), EncodeError> {
    let Some(itself) = &schema.schema else {
        return Err(EncodeError::Invalid {
            path: "text.format.schema".to_owned(),
            reason: format!("{FORMAT} needs the schema itself"),
        });
    };
    let mut format = ObjectWriter::new(out);
    format.value("type", "json_schema");
    // Demanded here, and not known everywhere.
    format.value("name", schema.name.as_deref().unwrap_or("answer"));
    format.optional("description", schema.description.as_ref());
    format.value("schema", itself);
    format.optional("strict", schema.strict.as_ref());
    format.end();
    Ok(())
}

/// The word. A number of tokens has no place here: it becomes the word that comes nearest where the model is known to
/// take one.
fn effort(request: &Request, target: &Target<'_>, report: &mut Report) -> Option<Effort> {
    let budget = request.thinking_budget;
    if budget.is_some() {
        report.note("thinking_budget");
    }
    match target.capabilities.thinking {
        Thinking::Unknown => request.effort,
        Thinking::Never => {
            if request.effort.is_some() {
                report.note("reasoning.effort");
            }
            None
        }
        Thinking::Effort | Thinking::Budget | Thinking::Adaptive | Thinking::Always => {
            request.effort.or_else(|| budget.map(Effort::of_budget))
        }
    }
}

/// The effort, and the other members of `reasoning`.
fn reasoning(object: &mut ObjectWriter<'_>, request: &Request, effort: Option<Effort>) {
    if effort.is_none() && !has_below(&request.extra, OF_REASONING) {
        return;
    }
    let mut reasoning = ObjectWriter::new(object.key("reasoning"));
    let effort = effort.map(Effort::name);
    reasoning.optional("effort", effort.as_ref());
    // An effort of a word that is not known is among the others.
    let written = effort.map_or("", |_| "effort");
    write_below(&mut reasoning, &request.extra, OF_REASONING, written);
    reasoning.end();
}

fn has_below(extra: &Extra, prefix: &str) -> bool {
    extra
        .all()
        .any(|(name, member)| member.origin == FORMAT && name.starts_with(prefix))
}

/// Writes the members below `prefix` but the one that is `written`.
fn write_below(object: &mut ObjectWriter<'_>, extra: &Extra, prefix: &str, written: &str) {
    for (name, member) in extra.all() {
        if member.origin == FORMAT
            && let Some(name) = name.strip_prefix(prefix)
            && name != written
        {
            object.value(name, &member.value);
        }
    }
}

/// Answers are not kept by the provider unless the client says so; then thoughts must come with their state.
fn storage(
    object: &mut ObjectWriter<'_>,
    request: &Request,
    target: &Target<'_>,
    effort: Option<Effort>,
) {
    let store = request.extra.get(FORMAT, "store");
    match store {
        Some(store) => object.value("store", store),
        None => object.value("store", &false),
    }
    let thinks = match target.capabilities.thinking {
        Thinking::Never => false,
        Thinking::Unknown => effort.is_some_and(|effort| effort != Effort::None),
        Thinking::Effort | Thinking::Budget | Thinking::Adaptive | Thinking::Always => true,
    };
    match request.extra.get(FORMAT, "include") {
        Some(include) => object.value("include", include),
        None if store.is_none() && thinks => {
            object.key("include").extend_from_slice(SEALED.as_bytes());
        }
        None => {}
    }
}

fn stream(
    object: &mut ObjectWriter<'_>,
    request: &Request,
    target: &Target<'_>,
    report: &mut Report,
) {
    let options = &request.stream_options;
    if target.stream {
        object.value("stream", &true);
        let own = options.iter().any(|(_, origin, _)| origin == FORMAT);
        if own {
            let mut inner = ObjectWriter::new(object.key("stream_options"));
            inner.extra(options, FORMAT, &[], "stream_options", report);
            return inner.end();
        }
    }
    for (name, ..) in options.iter() {
        report.note_in("stream_options", name);
    }
}

/// The unknown members that are not written yet.
fn rest(object: &mut ObjectWriter<'_>, extra: &Extra, report: &mut Report) {
    for (name, member) in extra.all() {
        let written = ["store", "include"].contains(&name)
            || name.starts_with(OF_TEXT)
            || name.starts_with(OF_REASONING);
        match member.origin == FORMAT {
            true if written => {}
            true if !MEMBERS.contains(&name) => object.value(name, &member.value),
            _ if member.weight == Weight::Quiet => {}
            _ => report.note(name),
        }
    }
}
