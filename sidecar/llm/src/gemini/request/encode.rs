//! Writes a request.

use crate::error::EncodeError;
use crate::format::{Encoded, Target};
use crate::gemini::request::config::JSON;
use crate::gemini::request::conversation::Conversation;
use crate::gemini::request::{CONFIG, MEMBERS, TOOL_CONFIG, thinking};
use crate::gemini::types::TOOL_NAME;
use crate::gemini::{FORMAT, part};
use crate::ir::{
    Extra, FunctionTool, JsonSchema, Opaque, Request, ResponseFormat, Tool, ToolChoice,
};
use crate::json::{ObjectWriter, Report, kind_of, write_array};

const FUNCTION_MEMBERS: [&str; 4] = ["name", "description", "parameters", "parametersJsonSchema"];

/// Members of `functionCallingConfig` that the representation has not, among those of the request: whether arguments are
/// streamed, and a mode that is `AUTO` to everybody else.
pub(super) const CALLING_CONFIG: &str = "toolConfig.functionCallingConfig.";
const KEPT_MODE: &str = "toolConfig.functionCallingConfig.mode";

/// Writes a request for a provider. Its model and whether it is streamed are in the path.
pub(in crate::gemini) fn encode(
    request: &Request,
    target: &Target<'_>,
) -> Result<Encoded, EncodeError> {
    let mut body = Vec::with_capacity(1024);
    let mut report = Report::default();
    let mut object = ObjectWriter::new(&mut body);
    let conversation = Conversation::new(request, target);
    conversation.write(&mut object, &mut report)?;
    tools(&mut object, request, &mut report);
    tool_config(&mut object, request, &mut report)?;
    generation_config(&mut object, request, target, &mut report)?;
    note_without_place(request, &mut report);
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

/// Unlike labels of Vertex, which are for its bill, these are for whoever reads the provider's logs.
fn note_without_place(request: &Request, report: &mut Report) {
    if request.user.is_some() {
        report.note("user");
    }
    if !request.metadata.is_empty() {
        report.note("metadata");
    }
    if request.parallel_tool_calls.is_some() {
        report.note("parallel_tool_calls");
    }
    for (name, ..) in request.stream_options.iter() {
        report.note_in("stream_options", name);
    }
}

/// The unknown members of the request itself.
fn rest(object: &mut ObjectWriter<'_>, extra: &Extra, report: &mut Report) {
    for (name, origin, value) in extra.iter() {
        if origin != FORMAT || MEMBERS.contains(&name) {
            report.note(name);
        } else if !name.starts_with(CONFIG) && !name.starts_with(TOOL_CONFIG) {
            object.value(name, value);
        }
    }
}

/// An entry of `tools`.
enum Entry<'a> {
    /// Where the first function is: all of them.
    Functions,
    Other(&'a Opaque),
}

/// All functions in one entry: several are taken only beside tools that search.
fn tools(object: &mut ObjectWriter<'_>, request: &Request, report: &mut Report) {
    let mut functions: Vec<&FunctionTool> = Vec::new();
    let mut entries: Vec<Entry<'_>> = Vec::new();
    for tool in &request.tools {
        match tool {
            Tool::Function(function) => {
                if functions.is_empty() {
                    entries.push(Entry::Functions);
                } else if !matches!(entries.last(), Some(Entry::Functions)) {
                    report.note("tools.order");
                }
                functions.push(function);
            }
            Tool::Opaque(raw) if raw.origin == FORMAT => entries.push(Entry::Other(raw)),
            Tool::Opaque(raw) => report.note_in("tools", &kind_of(&raw.bytes)),
        }
    }
    if entries.is_empty() {
        return;
    }
    write_array(object.key("tools"), entries, |out, entry| match entry {
        Entry::Other(raw) => out.extend_from_slice(&raw.bytes),
        Entry::Functions => {
            let mut entry = ObjectWriter::new(out);
            let list = entry.key("functionDeclarations");
            write_array(list, &functions, |out, function| {
                write_function(out, function, report);
            });
            entry.end();
        }
    });
}

fn write_function(out: &mut Vec<u8>, function: &FunctionTool, report: &mut Report) {
    if function.strict.is_some() {
        report.note("tool.strict");
    }
    if function.cache.is_some() {
        report.note("cache_control");
    }
    let mut object = ObjectWriter::new(out);
    object.value("name", &*report.tool_name(&function.name, &TOOL_NAME));
    object.optional("description", function.description.as_ref());
    object.optional("parametersJsonSchema", function.parameters.as_ref());
    object.extra(&function.extra, FORMAT, &FUNCTION_MEMBERS, "tool", report);
    object.end();
}

fn tool_config(
    object: &mut ObjectWriter<'_>,
    request: &Request,
    report: &mut Report,
) -> Result<(), EncodeError> {
    let extra = &request.extra;
    let choice = request.tool_choice.as_ref();
    let has = |prefix: &str| {
        let mut members = extra.iter();
        members.any(|(name, origin, _)| origin == FORMAT && name.starts_with(prefix))
    };
    if choice.is_none() && !has(TOOL_CONFIG) {
        return Ok(());
    }
    let mut config = ObjectWriter::new(object.key("toolConfig"));
    match choice {
        Some(ToolChoice::Opaque(raw)) if raw.origin != FORMAT => {
            let reason = format!("this form is known to {} only", raw.origin);
            return Err(unsupported("tool_choice", reason));
        }
        Some(ToolChoice::Opaque(raw)) => config.key(CALLING).extend(&raw.bytes),
        choice if choice.is_some() || has(CALLING_CONFIG) => {
            let mut calling = ObjectWriter::new(config.key(CALLING));
            write_choice(&mut calling, choice, extra, report);
            part::write_inner(&mut calling, extra, CALLING_CONFIG, &["mode"]);
            calling.end();
        }
        _ => {}
    }
    for (name, origin, value) in extra.iter() {
        if origin == FORMAT
            && !name.starts_with(CALLING_CONFIG)
            && let Some(name) = name.strip_prefix(TOOL_CONFIG)
            && name != CALLING
        {
            config.value(name, value);
        }
    }
    config.end();
    Ok(())
}

fn write_choice(
    calling: &mut ObjectWriter<'_>,
    choice: Option<&ToolChoice>,
    extra: &Extra,
    report: &mut Report,
) {
    let (mode, name) = match choice {
        None => return,
        Some(ToolChoice::None) => ("NONE", None),
        Some(ToolChoice::Required) => ("ANY", None),
        Some(ToolChoice::Function(name)) => ("ANY", Some(name)),
        Some(ToolChoice::Auto | ToolChoice::Opaque(_)) => ("AUTO", None),
    };
    match extra.get(FORMAT, KEPT_MODE) {
        Some(kept) if mode == "AUTO" => calling.value("mode", kept),
        _ => calling.value("mode", mode),
    }
    if let Some(name) = name {
        let names = [report.tool_name(name, &TOOL_NAME)];
        calling.value("allowedFunctionNames", &names);
    }
}

const CALLING: &str = "functionCallingConfig";

/// The members of `generationConfig` that are written here.
const CONFIG_MEMBERS: [&str; 10] = [
    "temperature",
    "topP",
    "topK",
    "seed",
    "presencePenalty",
    "frequencyPenalty",
    "maxOutputTokens",
    "candidateCount",
    "stopSequences",
    "responseJsonSchema",
];

/// `generationConfig`, written only when there is something in it.
fn generation_config(
    object: &mut ObjectWriter<'_>,
    request: &Request,
    target: &Target<'_>,
    report: &mut Report,
) -> Result<(), EncodeError> {
    let mut text = Vec::new();
    let mut config = ObjectWriter::new(&mut text);
    let sampling = &request.sampling;
    config.optional("temperature", sampling.temperature.as_ref());
    config.optional("topP", sampling.top_p.as_ref());
    config.optional("topK", sampling.top_k.as_ref());
    config.optional("seed", sampling.seed.as_ref());
    config.optional("presencePenalty", sampling.presence_penalty.as_ref());
    config.optional("frequencyPenalty", sampling.frequency_penalty.as_ref());
    config.optional("maxOutputTokens", request.max_output_tokens.as_ref());
    let choices = request.choices.filter(|n| *n != 1);
    config.optional("candidateCount", choices.as_ref());
    if !request.stop.is_empty() {
        config.value("stopSequences", &request.stop);
    }
    response_format(&mut config, request, report)?;
    thinking::encode(&mut config, request, target, report);
    for (name, origin, value) in request.extra.iter() {
        if origin == FORMAT
            && !thinking::is_ours(name)
            && let Some(name) = name.strip_prefix(CONFIG)
            && !CONFIG_MEMBERS.contains(&name)
        {
            config.value(name, value);
        }
    }
    config.end();
    if text != b"{}" {
        object.key("generationConfig").append(&mut text);
    }
    Ok(())
}

fn response_format(
    config: &mut ObjectWriter<'_>,
    request: &Request,
    report: &mut Report,
) -> Result<(), EncodeError> {
    match &request.response_format {
        None => {}
        Some(ResponseFormat::JsonObject) => config.value(MEDIA_TYPE, JSON),
        Some(ResponseFormat::JsonSchema(format)) => {
            note_of_schema(format, report);
            config.value(MEDIA_TYPE, JSON);
            config.optional("responseJsonSchema", format.schema.as_ref());
        }
        Some(ResponseFormat::Opaque(raw)) => {
            let reason = format!("this form is known to {} only", raw.origin);
            return Err(unsupported("response_format", reason));
        }
    }
    Ok(())
}

const MEDIA_TYPE: &str = "responseMimeType";

/// Name, description and looseness have no place here.
fn note_of_schema(format: &JsonSchema, report: &mut Report) {
    for (name, lost) in [
        ("name", format.name.is_some()),
        ("description", format.description.is_some()),
        ("strict", format.strict != Some(true)),
    ] {
        if lost {
            report.note_in("response_format.json_schema", name);
        }
    }
}
