//! Writes a request.

use fkm_dialect::{MaxTokensField, Thinking};

use crate::error::EncodeError;
use crate::format::{Encoded, Target};
use crate::ir::{
    Effort, Extra, InputPart, JsonSchema, Message, Opaque, Request, ResponseFormat, Text, Tool,
    ToolChoice,
};
use crate::json::{ObjectWriter, Report, kind_of, write_array};
use crate::openai_chat::request::{MEMBERS, assistant, tool, tool_result};
use crate::openai_chat::{FORMAT, content, tool_call};

const EFFORT: &str = "reasoning_effort";

const INPUT_MESSAGE_MEMBERS: [&str; 2] = ["role", "content"];

/// Writes a request for a provider. `stream` and what belongs to it follow the target, not the request.
pub(in crate::openai_chat) fn encode(
    request: &Request,
    target: &Target<'_>,
) -> Result<Encoded, EncodeError> {
    let mut body = Vec::with_capacity(1024);
    let mut report = Report::default();
    let mut object = ObjectWriter::new(&mut body);
    object.value("model", target.model);
    messages(object.key("messages"), request, target, &mut report)?;
    let one_call = request.extra.is_one_call();
    if one_call {
        functions(&mut object, request, &mut report);
    } else {
        tools(&mut object, request, &mut report)?;
    }
    sampling(&mut object, request, &mut report);
    let limit = match target.dialect.max_tokens_field {
        MaxTokensField::MaxTokens => "max_tokens",
        MaxTokensField::AsSent | MaxTokensField::MaxCompletionTokens => "max_completion_tokens",
    };
    object.optional(limit, request.max_output_tokens.as_ref());
    if !request.stop.is_empty() {
        object.value("stop", &request.stop);
    }
    response_format(&mut object, request)?;
    object.optional("n", request.choices.filter(|n| *n != 1).as_ref());
    let effort = effort(request, target, &mut report);
    let effort = effort.map(Effort::name);
    object.optional(EFFORT, effort.as_ref());
    object.optional("user", request.user.as_ref());
    if !request.metadata.is_empty() {
        object.value("metadata", &request.metadata);
    }
    stream(&mut object, request, target, &mut report);
    // An effort of a word that is not known is among the unknown members.
    let mut known = MEMBERS.to_vec();
    known.extend(effort.map(|_| EFFORT));
    known.extend(one_call.then_some(tool_call::FUNCTION_CALL));
    object.extra(&request.extra, FORMAT, &known, "", &mut report);
    object.end();
    Ok(report.into_encoded(body))
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
                report.note(EFFORT);
            }
            None
        }
        Thinking::Effort | Thinking::Budget | Thinking::Adaptive | Thinking::Always => {
            request.effort.or_else(|| budget.map(Effort::of_budget))
        }
    }
}

fn sampling(object: &mut ObjectWriter<'_>, request: &Request, report: &mut Report) {
    let sampling = &request.sampling;
    object.optional("temperature", sampling.temperature.as_ref());
    object.optional("top_p", sampling.top_p.as_ref());
    object.optional("frequency_penalty", sampling.frequency_penalty.as_ref());
    object.optional("presence_penalty", sampling.presence_penalty.as_ref());
    object.optional("seed", sampling.seed.as_ref());
    if sampling.top_k.is_some() {
        report.note("top_k");
    }
}

fn stream(
    object: &mut ObjectWriter<'_>,
    request: &Request,
    target: &Target<'_>,
    report: &mut Report,
) {
    let options = &request.stream_options;
    if !target.stream {
        for (name, ..) in options.iter() {
            report.note_in("stream_options", name);
        }
        return;
    }
    object.value("stream", &true);
    if target.dialect.asks_usage() || !options.is_empty() {
        let mut inner = ObjectWriter::new(object.key("stream_options"));
        if target.dialect.asks_usage() {
            inner.value("include_usage", &true);
        }
        inner.extra(
            options,
            FORMAT,
            &["include_usage"],
            "stream_options",
            report,
        );
        inner.end();
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
            Tool::Function(function) => tool::encode(out, function, report),
            Tool::Opaque(raw) => out.extend(&raw.bytes),
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
            let mut function = ObjectWriter::new(choice.key("function"));
            function.value("name", name);
            function.end();
            choice.end();
        }
        Some(ToolChoice::Opaque(raw)) => write_own(object, "tool_choice", raw)?,
    }
    object.optional("parallel_tool_calls", request.parallel_tool_calls.as_ref());
    Ok(())
}

/// The tools as they were before there were any, for a provider that is asked in the words of the client.
fn functions(object: &mut ObjectWriter<'_>, request: &Request, report: &mut Report) {
    let is_function = |tool: &&Tool| matches!(tool, Tool::Function(_));
    let functions = request.tools.iter().filter(is_function);
    write_array(object.key(tool::FUNCTIONS), functions, |out, tool| {
        if let Tool::Function(function) = tool {
            tool::encode_function(out, function, report);
        }
    });
    match &request.tool_choice {
        // What is done anyway.
        None | Some(ToolChoice::Auto) => {}
        Some(ToolChoice::None) => object.value(tool_call::FUNCTION_CALL, "none"),
        Some(ToolChoice::Function(name)) => {
            let mut choice = ObjectWriter::new(object.key(tool_call::FUNCTION_CALL));
            choice.value("name", name);
            choice.end();
        }
        Some(ToolChoice::Opaque(raw)) if raw.origin == FORMAT => {
            object.key(tool_call::FUNCTION_CALL).extend(&raw.bytes);
        }
        Some(ToolChoice::Required | ToolChoice::Opaque(_)) => report.note("tool_choice"),
    }
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

/// Writes a member that is kept as JSON, at home only.
fn write_own(object: &mut ObjectWriter<'_>, name: &str, raw: &Opaque) -> Result<(), EncodeError> {
    if raw.origin != FORMAT {
        return Err(EncodeError::Unsupported {
            path: name.to_owned(),
            format: FORMAT,
            reason: format!("this form is known to {} only", raw.origin),
        });
    }
    object.key(name).extend(&raw.bytes);
    Ok(())
}

fn response_format(object: &mut ObjectWriter<'_>, request: &Request) -> Result<(), EncodeError> {
    const NAME: &str = "response_format";
    match &request.response_format {
        None => {}
        Some(ResponseFormat::JsonObject) => {
            let mut format = ObjectWriter::new(object.key(NAME));
            format.value("type", "json_object");
            format.end();
        }
        Some(ResponseFormat::JsonSchema(schema)) => write_schema(object.key(NAME), schema),
        Some(ResponseFormat::Opaque(raw)) => write_own(object, NAME, raw)?,
    }
    Ok(())
}

fn write_schema(out: &mut Vec<u8>, schema: &JsonSchema) {
    let mut format = ObjectWriter::new(out);
    format.value("type", "json_schema");
    let mut inner = ObjectWriter::new(format.key("json_schema"));
    // Demanded here, and not known everywhere.
    inner.value("name", schema.name.as_deref().unwrap_or("answer"));
    inner.optional("description", schema.description.as_ref());
    inner.optional("schema", schema.schema.as_ref());
    inner.optional("strict", schema.strict.as_ref());
    inner.end();
    format.end();
}

/// Writes the messages; results of tools become one message each.
fn messages(
    out: &mut Vec<u8>,
    request: &Request,
    target: &Target<'_>,
    report: &mut Report,
) -> Result<(), EncodeError> {
    out.push(b'[');
    let first = out.len();
    if !request.system.is_empty() {
        write_system(out, &request.system, target, report);
    }
    for message in &request.messages {
        match message {
            Message::System { parts, extra } => {
                separate(out, first);
                write_input(out, ("system", parts, extra), target, report)?;
            }
            Message::User { parts, extra } => {
                separate(out, first);
                write_input(out, ("user", parts, extra), target, report)?;
            }
            Message::Assistant { parts, extra } => {
                separate(out, first);
                assistant::write(out, parts, extra, target, report);
            }
            Message::Tool { results, extra } => {
                for (name, ..) in extra.iter() {
                    report.note_in("message", name);
                }
                let separate = |out: &mut Vec<u8>| separate(out, first);
                tool_result::write_all(out, results, separate, target, report)?;
            }
        }
    }
    out.push(b']');
    Ok(())
}

fn separate(out: &mut Vec<u8>, first: usize) {
    if out.len() > first {
        out.push(b',');
    }
}

fn write_system(out: &mut Vec<u8>, texts: &[Text], target: &Target<'_>, report: &mut Report) {
    let mut object = ObjectWriter::new(out);
    object.value("role", "system");
    content::encode_texts(object.key("content"), texts, target, report);
    object.end();
}

fn write_input(
    out: &mut Vec<u8>,
    (role, parts, extra): (&str, &[InputPart], &Extra),
    target: &Target<'_>,
    report: &mut Report,
) -> Result<(), EncodeError> {
    let mut object = ObjectWriter::new(out);
    object.value("role", role);
    content::encode_input(object.key("content"), parts, target, report)?;
    object.extra(extra, FORMAT, &INPUT_MESSAGE_MEMBERS, "message", report);
    object.end();
    Ok(())
}
