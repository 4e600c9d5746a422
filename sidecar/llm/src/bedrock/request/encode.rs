//! Writes a request. The path says which model, and whether the answer is streamed.

use std::collections::BTreeMap;

use fkm_dialect::Thinking;
use serde_json::Number;

use crate::bedrock::FORMAT;
use crate::bedrock::block::{BlockWriter, Direction};
use crate::bedrock::request::rest::unsupported;
use crate::bedrock::request::tools::Plan;
use crate::bedrock::request::{
    ADDITIONAL, INFERENCE, MEMBERS, METADATA, OUTPUT, SHARED_MEMBERS, TOOLS, messages,
};
use crate::error::EncodeError;
use crate::format::{Encoded, Target};
use crate::ir::{Effort, JsonSchema, RawJson, Request, ResponseFormat};
use crate::json::{Object, ObjectWriter, Path, Report, write_json};
use crate::thinking::{self, Wish};

/// The most stop sequences.
const MAX_STOPS: usize = 2500;

/// The most pairs of `requestMetadata`, and the most characters of each text.
const MAX_PAIRS: usize = 16;
const MAX_PAIR_TEXT: usize = 256;

/// Writes a request for a provider.
pub(in crate::bedrock) fn encode(
    request: &Request,
    target: &Target<'_>,
) -> Result<Encoded, EncodeError> {
    check(request)?;
    let mut body = Vec::with_capacity(1024);
    let mut report = Report::default();
    let marks = target.capabilities.cache_breakpoints;
    let mut writer = BlockWriter::new(Direction::Request, marks, &mut report);
    let mut object = ObjectWriter::new(&mut body);
    messages::write(&mut object, request, target, &mut writer)?;
    let plan = Plan::new(request, target, &mut writer)?;
    member(
        &mut object,
        request,
        TOOLS,
        &["tools", "toolChoice"],
        |config| {
            plan.write(config, !target.capabilities.no_cached_tools, &mut writer);
        },
    );
    let wish = wish(request, target, writer.report);
    inference(&mut object, request, wish, writer.report);
    output(&mut object, request, wish, writer.report)?;
    let known = ["thinking", "top_k", "tool_choice"];
    member(&mut object, request, ADDITIONAL, &known, |fields| {
        wish.write(fields);
        if let Some(top_k) = request.sampling.top_k.filter(|_| !wish.thinks()) {
            fields.value("top_k", &top_k);
        }
        plan.write_anthropic(fields, &mut writer);
    });
    metadata(&mut object, request, &mut report);
    rest(&mut object, request, &mut report);
    object.end();
    Ok(report.into_encoded(body))
}

fn check(request: &Request) -> Result<(), EncodeError> {
    if let Some(n @ 2..) = request.choices {
        return Err(unsupported(
            "n",
            format!("it gives one answer, not {n}; send `n: 1`"),
        ));
    }
    if request.max_output_tokens == Some(0) {
        return Err(EncodeError::Invalid {
            path: "max_tokens".to_owned(),
            reason: format!("{FORMAT} takes no limit below 1"),
        });
    }
    if request.stop.len() > MAX_STOPS {
        return Err(EncodeError::Invalid {
            path: "stop".to_owned(),
            reason: format!("{FORMAT} takes at most {MAX_STOPS}"),
        });
    }
    Ok(())
}

/// Writes the member `name`: what `write` adds to it, and what the client kept there beside that; nothing when there is neither:
/// the service refuses some when they are empty.
fn member(
    object: &mut ObjectWriter<'_>,
    request: &Request,
    name: &str,
    known: &[&str],
    write: impl FnOnce(&mut ObjectWriter<'_>),
) {
    let mut body = Vec::new();
    let mut inner = ObjectWriter::new(&mut body);
    write(&mut inner);
    inner.end();
    let written = Object::parse(&body, &Path::Root).map(Object::into_members);
    let written = written.unwrap_or_default();
    for (name, value) in kept(request, name) {
        // What stands there already is not said twice; what is known, but of another form, is kept.
        if !(known.contains(&name.as_str()) && written.contains_key(&name)) {
            add(&mut body, &name, &value);
        }
    }
    if body != b"{}" {
        object.key(name).extend_from_slice(&body);
    }
}

/// Adds a member to an object that is written already.
fn add(body: &mut Vec<u8>, name: &str, value: &RawJson) {
    body.pop();
    if body.len() > 1 {
        body.push(b',');
    }
    write_json(body, name);
    body.push(b':');
    write_json(body, value);
    body.push(b'}');
}

/// What the client had in the member `name` that is not understood.
fn kept(request: &Request, name: &str) -> BTreeMap<String, RawJson> {
    let raw = request.extra.get(FORMAT, name);
    let object = raw.and_then(|raw| Object::from_raw(raw.raw(), &Path::Root).ok());
    object.map(Object::into_members).unwrap_or_default()
}

/// What the model is told of thinking.
fn wish(request: &Request, target: &Target<'_>, report: &mut Report) -> Wish {
    let limit = request.max_output_tokens.or(target.max_output_tokens);
    let as_written = kept(request, ADDITIONAL).contains_key("thinking");
    let mut wish = thinking::wish(
        request,
        target,
        limit.unwrap_or(u64::MAX),
        as_written,
        report,
    );
    // The member is one of Anthropic's, whose models think by other ways than an effort alone.
    let anothers = target.capabilities.thinking == Thinking::Effort;
    if anothers && wish.thinking.take().is_some() {
        report.note("reasoning_effort");
    }
    wish
}

/// A model of Anthropic's that thinks draws at a temperature of 1, from all words.
fn inference(object: &mut ObjectWriter<'_>, request: &Request, wish: Wish, report: &mut Report) {
    let sampling = &request.sampling;
    let known = ["maxTokens", "temperature", "topP", "stopSequences"];
    let mut stop: Vec<&str> = request.stop.iter().map(String::as_str).collect();
    stop.retain(|text| !text.trim().is_empty());
    if stop.len() < request.stop.len() {
        report.note("stop");
    }
    let temperature = sampling.temperature.as_ref().and_then(|asked| {
        let value = asked.as_f64();
        let warm = value.is_some_and(|value| value > 1.0);
        if warm || (wish.thinks() && value != Some(1.0)) {
            report.note("temperature");
        }
        match warm {
            // OpenAI's scale ends at 2, this one at 1.
            true => Some(Number::from(1)),
            false => (!wish.thinks() || value == Some(1.0)).then(|| asked.clone()),
        }
    });
    member(object, request, INFERENCE, &known, |config| {
        config.optional("maxTokens", request.max_output_tokens.as_ref());
        config.optional("temperature", temperature.as_ref());
        config.optional("topP", sampling.top_p.as_ref());
        if !stop.is_empty() {
            config.value("stopSequences", &stop);
        }
    });
    for (name, lost) in [
        ("top_k", sampling.top_k.is_some() && wish.thinks()),
        ("frequency_penalty", sampling.frequency_penalty.is_some()),
        ("presence_penalty", sampling.presence_penalty.is_some()),
        ("seed", sampling.seed.is_some()),
    ] {
        if lost {
            report.note(name);
        }
    }
}

fn output(
    object: &mut ObjectWriter<'_>,
    request: &Request,
    wish: Wish,
    report: &mut Report,
) -> Result<(), EncodeError> {
    let schema = match &request.response_format {
        None => None,
        Some(ResponseFormat::JsonSchema(schema)) => Some(schema),
        Some(ResponseFormat::JsonObject) => {
            let reason = "it has no free JSON mode; send a `json_schema`, or ask for JSON in words";
            return Err(unsupported("response_format", reason));
        }
        Some(ResponseFormat::Opaque(raw)) => {
            let reason = format!("this form is known to {} only", raw.origin);
            return Err(unsupported("response_format", reason));
        }
    };
    let text = schema
        .map(|schema| schema_text(schema, report))
        .transpose()?;
    member(
        object,
        request,
        OUTPUT,
        &["textFormat", "effort"],
        |config| {
            if let (Some(schema), Some(text)) = (schema, text) {
                write_schema(config, schema, text);
            }
            config.optional("effort", wish.effort.map(Effort::name).as_ref());
        },
    );
    Ok(())
}

/// The schema itself. Looseness has no place here.
fn schema_text<'a>(schema: &'a JsonSchema, report: &mut Report) -> Result<&'a str, EncodeError> {
    if schema.strict != Some(true) {
        report.note_in("response_format.json_schema", "strict");
    }
    let raw = schema.schema.as_ref().ok_or_else(|| EncodeError::Invalid {
        path: "response_format.json_schema.schema".to_owned(),
        reason: format!("{FORMAT} needs the schema itself"),
    })?;
    Ok(raw.get())
}

/// The schema is JSON in a string.
fn write_schema(config: &mut ObjectWriter<'_>, schema: &JsonSchema, text: &str) {
    let mut format = ObjectWriter::new(config.key("textFormat"));
    format.value("type", "json_schema");
    let mut structure = ObjectWriter::new(format.key("structure"));
    let mut inner = ObjectWriter::new(structure.key("jsonSchema"));
    inner.value("schema", text);
    inner.optional("name", schema.name.as_ref());
    inner.optional("description", schema.description.as_ref());
    inner.end();
    structure.end();
    format.end();
}

/// Pairs that the service refuses are left out, and noted.
fn metadata(object: &mut ObjectWriter<'_>, request: &Request, report: &mut Report) {
    let pairs = request.metadata.iter();
    let fitting: BTreeMap<&String, &String> = pairs
        .filter(|(name, value)| !name.is_empty() && fits(name) && fits(value))
        .take(MAX_PAIRS)
        .collect();
    if fitting.len() < request.metadata.len() {
        report.note("metadata");
    }
    if !fitting.is_empty() {
        object.value(METADATA, &fitting);
    }
}

/// `[a-zA-Z0-9\s:_@$#=/+,-.]{0,256}`, where `,-.` is a range.
fn fits(text: &str) -> bool {
    let allowed =
        |c: char| c.is_ascii_alphanumeric() || c.is_ascii_whitespace() || ":_@$#=/+,-.".contains(c);
    text.len() <= MAX_PAIR_TEXT && text.chars().all(allowed)
}

/// The unknown members, and what has no place here.
fn rest(object: &mut ObjectWriter<'_>, request: &Request, report: &mut Report) {
    for (name, origin, value) in request.extra.iter() {
        if origin != FORMAT || MEMBERS.contains(&name) {
            report.note(name);
        } else if !is_shared(name, value) {
            object.value(name, value);
        }
    }
    if request.user.is_some() {
        report.note("user");
    }
    for (name, ..) in request.stream_options.iter() {
        report.note_in("stream_options", name);
    }
}

/// Whether the member was written with what else goes there.
fn is_shared(name: &str, value: &RawJson) -> bool {
    let object = Object::from_raw(value.raw(), &Path::Root).is_ok();
    SHARED_MEMBERS.contains(&name) && object
}
