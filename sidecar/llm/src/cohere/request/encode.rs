//! Writes a request.

use std::borrow::Cow;

use serde_json::Number;

use crate::cohere::request::{MEMBERS, messages, thinking};
use crate::cohere::{FORMAT, content};
use crate::error::EncodeError;
use crate::format::{Encoded, Target};
use crate::ir::{
    File, FileSource, FunctionTool, JsonSchema, RawJson, Request, ResponseFormat, Sampling, Tool,
    ToolChoice,
};
use crate::json::{ObjectWriter, Path, Report, array, kind_of, write_array};

/// The most stop sequences that are taken.
const MAX_STOP: usize = 5;

/// The largest `k`.
const MAX_K: u64 = 500;

const FUNCTION_MEMBERS: [&str; 3] = ["name", "description", "parameters"];

/// Writes a request for a provider. `stream` follows the target, not the request.
pub(in crate::cohere) fn encode(
    request: &Request,
    target: &Target<'_>,
) -> Result<Encoded, EncodeError> {
    let mut body = Vec::with_capacity(1024);
    let mut report = Report::default();
    let mut known = MEMBERS.to_vec();
    let mut object = ObjectWriter::new(&mut body);
    object.value("model", target.model);
    let out = object.key("messages");
    let given = messages::write(out, request, target.capabilities, &mut report)?;
    if !given.is_empty() {
        known.push("documents");
        let own = request.extra.get(FORMAT, "documents");
        documents(object.key("documents"), own, &given, &mut report);
    }
    if tools(&mut object, request, &mut report)? {
        known.push("strict_tools");
    }
    sampling(&mut object, &request.sampling, &mut report);
    object.optional("max_tokens", request.max_output_tokens.as_ref());
    stop(&mut object, request)?;
    if response_format(&mut object, request, &mut report)? {
        known.push("response_format");
    }
    if thinking::write(&mut object, request, target, &mut report) {
        known.push("thinking");
    }
    if target.stream {
        object.value("stream", &true);
    }
    note_rest(request, &mut report)?;
    object.extra(&request.extra, FORMAT, &known, "", &mut report);
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

/// What the format has no place for.
fn note_rest(request: &Request, report: &mut Report) -> Result<(), EncodeError> {
    if let Some(n @ 2..) = request.choices {
        let reason = format!("it gives one answer, not {n}; send `n: 1`");
        return Err(unsupported("n", reason));
    }
    for (name, lost) in [
        ("user", request.user.is_some()),
        ("metadata", !request.metadata.is_empty()),
    ] {
        if lost {
            report.note(name);
        }
    }
    for (name, ..) in request.stream_options.iter() {
        report.note_in("stream_options", name);
    }
    Ok(())
}

/// The documents that the request has already, and those that users gave.
fn documents(out: &mut Vec<u8>, own: Option<&RawJson>, given: &[&File], report: &mut Report) {
    let own = own.and_then(|raw| array(raw.raw(), &Path::Root).ok());
    let own = own.into_iter().flatten().map(Err);
    write_array(
        out,
        own.chain(given.iter().map(Ok)),
        |out, document| match document {
            Err(raw) => out.extend(raw.get().as_bytes()),
            Ok(file) => {
                if let FileSource::Text(text) = &file.source {
                    content::write_document(out, text, file, report);
                }
            }
        },
    );
}

/// Writes tools and choice; says whether `strict_tools` was among it.
fn tools(
    object: &mut ObjectWriter<'_>,
    request: &Request,
    report: &mut Report,
) -> Result<bool, EncodeError> {
    let mut kept: Vec<&Tool> = request.tools.iter().collect();
    kept.retain(|tool| is_ours(tool, report));
    let choice = match &request.tool_choice {
        None | Some(ToolChoice::Auto) => None,
        Some(ToolChoice::None) => Some("NONE"),
        Some(ToolChoice::Required) => Some("REQUIRED"),
        Some(ToolChoice::Function(name)) => {
            only(&mut kept, name)?;
            report.note("tool_choice");
            Some("REQUIRED")
        }
        Some(ToolChoice::Opaque(raw)) if raw.origin == FORMAT => {
            object.key("tool_choice").extend(&raw.bytes);
            None
        }
        Some(ToolChoice::Opaque(raw)) => {
            let reason = format!("this form is known to {} only", raw.origin);
            return Err(unsupported("tool_choice", reason));
        }
    };
    if !kept.is_empty() {
        write_array(object.key("tools"), &kept, |out, tool| match tool {
            Tool::Function(function) => write_function(out, function, report),
            Tool::Opaque(raw) => out.extend(&raw.bytes),
        });
    }
    object.optional("tool_choice", choice.as_ref());
    if request.parallel_tool_calls == Some(false) && choice != Some("NONE") {
        report.note("parallel_tool_calls");
    }
    let strict = strict(&kept, report);
    object.optional("strict_tools", strict.as_ref());
    Ok(strict.is_some())
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

/// A single tool cannot be named: it is sent alone, and some tool is required.
fn only(tools: &mut Vec<&Tool>, name: &str) -> Result<(), EncodeError> {
    tools.retain(|tool| matches!(tool, Tool::Function(function) if function.name == name));
    if tools.is_empty() {
        return Err(EncodeError::Invalid {
            path: "tool_choice".to_owned(),
            reason: format!("there is no tool `{name}` among `tools`"),
        });
    }
    Ok(())
}

/// Whether arguments are held to the schema is said for all functions together.
fn strict(tools: &[&Tool], report: &mut Report) -> Option<bool> {
    let mut wishes = tools.iter().filter_map(|tool| match tool {
        Tool::Function(function) => Some(function.strict),
        Tool::Opaque(_) => None,
    });
    let first = wishes.next()?;
    if wishes.all(|wish| wish == first) {
        return first;
    }
    report.note("tool.strict");
    None
}

fn write_function(out: &mut Vec<u8>, function: &FunctionTool, report: &mut Report) {
    let mut object = ObjectWriter::new(out);
    object.value("type", "function");
    let mut inner = ObjectWriter::new(object.key("function"));
    inner.value("name", &function.name);
    inner.optional("description", function.description.as_ref());
    match &function.parameters {
        Some(schema) => inner.value("parameters", schema),
        None => inner
            .key("parameters")
            .extend(br#"{"type":"object","properties":{}}"#),
    }
    if function.cache.is_some() {
        report.note("cache_control");
    }
    inner.extra(&function.extra, FORMAT, &FUNCTION_MEMBERS, "tool", report);
    inner.end();
    object.end();
}

/// The ranges are those of <https://docs.cohere.com/v2/reference/chat>.
fn sampling(object: &mut ObjectWriter<'_>, sampling: &Sampling, report: &mut Report) {
    object.optional("temperature", sampling.temperature.as_ref());
    for (name, known_as, value, low, high) in [
        ("p", "top_p", &sampling.top_p, 0.01, 0.99),
        (
            "frequency_penalty",
            "frequency_penalty",
            &sampling.frequency_penalty,
            0.0,
            1.0,
        ),
        (
            "presence_penalty",
            "presence_penalty",
            &sampling.presence_penalty,
            0.0,
            1.0,
        ),
    ] {
        if let Some(value) = value {
            let taken = within(value, low, high);
            if matches!(taken, Cow::Owned(_)) {
                report.note(known_as);
            }
            object.value(name, &*taken);
        }
    }
    if let Some(k) = sampling.top_k {
        if k > MAX_K {
            report.note("top_k");
        }
        object.value("k", &k.min(MAX_K));
    }
    object.optional("seed", sampling.seed.as_ref());
}

/// The value, or the end of the range that it is beyond.
fn within(value: &Number, low: f64, high: f64) -> Cow<'_, Number> {
    let number = value.as_f64().unwrap_or(low);
    if (low..=high).contains(&number) {
        return Cow::Borrowed(value);
    }
    match Number::from_f64(number.clamp(low, high)) {
        Some(end) => Cow::Owned(end),
        None => Cow::Borrowed(value),
    }
}

fn stop(object: &mut ObjectWriter<'_>, request: &Request) -> Result<(), EncodeError> {
    let stop = &request.stop;
    if stop.len() > MAX_STOP {
        let reason = format!("it takes at most {MAX_STOP} texts, not {}", stop.len());
        return Err(unsupported("stop", reason));
    }
    if !stop.is_empty() {
        object.value("stop_sequences", stop);
    }
    Ok(())
}

/// Writes the shape of the answer, and says whether it did.
fn response_format(
    object: &mut ObjectWriter<'_>,
    request: &Request,
    report: &mut Report,
) -> Result<bool, EncodeError> {
    const NAME: &str = "response_format";
    let schema = match &request.response_format {
        None => return Ok(false),
        Some(ResponseFormat::JsonObject) => None,
        Some(ResponseFormat::JsonSchema(format)) => Some(schema(format, report)?),
        Some(ResponseFormat::Opaque(raw)) if raw.origin == FORMAT => {
            object.key(NAME).extend(&raw.bytes);
            return Ok(true);
        }
        Some(ResponseFormat::Opaque(raw)) => {
            let reason = format!("this form is known to {} only", raw.origin);
            return Err(unsupported(NAME, reason));
        }
    };
    let mut format = ObjectWriter::new(object.key(NAME));
    format.value("type", "json_object");
    format.optional("json_schema", schema.as_ref());
    format.end();
    Ok(true)
}

/// Name, description and looseness have no place here.
fn schema<'a>(format: &'a JsonSchema, report: &mut Report) -> Result<&'a RawJson, EncodeError> {
    for (name, lost) in [
        ("name", format.name.is_some()),
        ("description", format.description.is_some()),
        ("strict", format.strict != Some(true)),
    ] {
        if lost {
            report.note_in("response_format.json_schema", name);
        }
    }
    format.schema.as_ref().ok_or_else(|| EncodeError::Invalid {
        path: "response_format.json_schema.schema".to_owned(),
        reason: format!("{FORMAT} needs the schema itself"),
    })
}
