//! A request as one model can take it: what its capabilities say is left out and reported, rewritten, or refused.
//!
//! This works on the representation, once for all formats; how a model is told to think and where it takes cache marks
//! differs by format, and is decided there.

use std::borrow::Cow;

use fkm_dialect::{Capabilities, MediaUrls, Medium};

use crate::edit;
use crate::error::EncodeError;
use crate::format::{Encoded, Target};
use crate::ir::{
    Effort, File, FileSource, FunctionTool, Image, ImageSource, InputPart, Message, RawJson,
    Request, ResponseFormat, Sampling, Tool, ToolChoice,
};
use crate::json::Report;
use crate::links::is_http;
use crate::registry::format;

/// Writes a request for a provider in its format, as its model can take it.
pub fn encode_request(request: &Request, target: &Target<'_>) -> Result<Encoded, EncodeError> {
    let mut report = Report::default();
    if request.extra.is_one_call() {
        report.calls_are_single();
    }
    let fitted = fit(request, target, &mut report)?;
    let encoded = format(target.dialect.format).encode_request(&fitted, target)?;
    let encoded = edit::fit(encoded, target.dialect)?;
    Ok(encoded.with(report))
}

/// The tool through which an answer is held to a schema.
const ANSWER_TOOL: &str = "json_tool_call";

fn fit<'a>(
    request: &'a Request,
    target: &Target<'_>,
    report: &mut Report,
) -> Result<Cow<'a, Request>, EncodeError> {
    check(request, target)?;
    let mut request = Cow::Borrowed(request);
    let capabilities = target.capabilities;
    if capabilities.no_sampling && request.sampling != Sampling::default() {
        let sampling = &mut request.to_mut().sampling;
        leave_out_sampling(sampling, report);
    }
    if by_tool(&request, target) {
        answer_by_tool(request.to_mut(), target, report)?;
    }
    let forced = matches!(
        request.tool_choice,
        Some(ToolChoice::Required | ToolChoice::Function(_))
    );
    if forced && capabilities.no_forced_tool {
        report.note("tool_choice");
        request.to_mut().tool_choice = Some(ToolChoice::Auto);
    }
    if let Some(effort) = request.effort
        && let Some(nearest) = effort.nearest(&capabilities.efforts)
        && nearest != effort
    {
        report.note("reasoning_effort");
        request.to_mut().effort = Some(nearest);
    }
    Ok(request)
}

/// All but the seed, which changes no chance.
fn leave_out_sampling(sampling: &mut Sampling, report: &mut Report) {
    let numbers = [
        ("temperature", sampling.temperature.take()),
        ("top_p", sampling.top_p.take()),
        ("frequency_penalty", sampling.frequency_penalty.take()),
        ("presence_penalty", sampling.presence_penalty.take()),
        ("top_k", sampling.top_k.take().map(Into::into)),
    ];
    for (name, value) in numbers {
        if value.is_some() {
            report.note(name);
        }
    }
}

/// Refuses what leaving out would change the question.
fn check(request: &Request, target: &Target<'_>) -> Result<(), EncodeError> {
    let capabilities = target.capabilities;
    let refused = |path: &str, reason: &str| {
        Err(EncodeError::Unsupported {
            path: path.to_owned(),
            format: target.dialect.format,
            reason: format!("the model {} {reason}", target.model),
        })
    };
    if let Some((name, origin)) = request.extra.needed_elsewhere(target.dialect.format) {
        return Err(EncodeError::Unsupported {
            path: name.to_owned(),
            format: target.dialect.format,
            reason: format!(
                "only a provider of {origin} can do this; leave it out, and send the whole conversation"
            ),
        });
    }
    if capabilities.tools == Some(false) && !request.tools.is_empty() {
        return refused(
            "tools",
            "calls no tools; leave them out or choose another model",
        );
    }
    let prefilled = matches!(request.messages.last(), Some(Message::Assistant { .. }));
    if capabilities.no_prefill && prefilled {
        let reason = "does not go on with the assistant's own words; end with a user's turn";
        return refused("messages", reason);
    }
    let mut parts = request.messages.iter().flat_map(input_parts);
    match parts.find_map(|part| blind_to(part, capabilities)) {
        Some(what) => refused("messages[].content", what),
        None => check_addresses(request, target),
    }
}

/// Refuses what a provider of the dialect would have to fetch, and does not.
fn check_addresses(request: &Request, target: &Target<'_>) -> Result<(), EncodeError> {
    if target.dialect.media_urls == MediaUrls::Any {
        return Ok(());
    }
    let mut parts = request.messages.iter().flat_map(input_parts);
    let far = |part: &&InputPart| {
        let (medium, url) = match part {
            InputPart::Image(Image { source, .. }) => match source {
                ImageSource::Url(url) => (Medium::Image, url),
                ImageSource::Base64 { .. } => return false,
            },
            InputPart::File(File { source, .. }) => match source {
                FileSource::Url(url) => (Medium::Document, url),
                FileSource::Base64 { .. } | FileSource::Text(_) | FileSource::Id(_) => {
                    return false;
                }
            },
            InputPart::Text(_) | InputPart::Audio(_) | InputPart::Opaque(_) => return false,
        };
        is_http(url) && !target.dialect.takes_url_of(medium)
    };
    match parts.any(|part| far(&part)) {
        false => Ok(()),
        true => Err(EncodeError::Unsupported {
            path: "messages[].content".to_owned(),
            format: target.dialect.format,
            reason:
                "the provider fetches nothing of this kind from an address; send the content itself"
                    .to_owned(),
        }),
    }
}

fn input_parts(message: &Message) -> Box<dyn Iterator<Item = &InputPart> + '_> {
    match message {
        Message::System { parts, .. } | Message::User { parts, .. } => Box::new(parts.iter()),
        Message::Tool { results, .. } => Box::new(results.iter().flat_map(|r| &r.parts)),
        Message::Assistant { .. } => Box::new(std::iter::empty()),
    }
}

/// Why the model cannot take a part.
fn blind_to(part: &InputPart, capabilities: &Capabilities) -> Option<&'static str> {
    let (known, why) = match part {
        InputPart::Image(_) => (capabilities.vision, "does not see images; describe them"),
        InputPart::Audio(_) => (capabilities.audio, "does not hear; send a transcript"),
        InputPart::File(file) if file.is_pdf() => (
            capabilities.documents,
            "does not read PDF documents; send their text",
        ),
        InputPart::File(_) | InputPart::Text(_) | InputPart::Opaque(_) => return None,
    };
    (known == Some(false)).then_some(why)
}

/// Whether an answer is held to its shape through a forced tool.
fn by_tool(request: &Request, target: &Target<'_>) -> bool {
    match &request.response_format {
        Some(ResponseFormat::JsonSchema(_)) => target.capabilities.json_schema == Some(false),
        Some(ResponseFormat::JsonObject) => !target.dialect.format.has_json_mode(),
        Some(ResponseFormat::Opaque(_)) | None => false,
    }
}

fn answer_by_tool(
    request: &mut Request,
    target: &Target<'_>,
    report: &mut Report,
) -> Result<(), EncodeError> {
    let capabilities = target.capabilities;
    if !request.tools.is_empty() || capabilities.no_forced_tool || capabilities.tools == Some(false)
    {
        return Err(EncodeError::Unsupported {
            path: "response_format".to_owned(),
            format: target.dialect.format,
            reason: format!(
                "the model {} gives JSON through a tool that it is forced to call, which goes neither with other \
                 tools nor with every model; leave the tools out, or ask for JSON in words",
                target.model
            ),
        });
    }
    let (description, schema, strict) = match request.response_format.take() {
        Some(ResponseFormat::JsonSchema(schema)) => {
            (schema.description, schema.schema, schema.strict)
        }
        _ => (None, None, None),
    };
    let any_object = || RawJson::try_new(r#"{"type":"object","additionalProperties":true}"#);
    let description = description.unwrap_or_else(|| "Gives the answer.".to_owned());
    request.tools = vec![Tool::Function(FunctionTool {
        name: ANSWER_TOOL.to_owned(),
        description: Some(description),
        parameters: Some(schema.unwrap_or_else(|| any_object().expect("a literal"))),
        strict: strict.filter(|strict| *strict),
        ..FunctionTool::default()
    })];
    request.tool_choice = Some(ToolChoice::Function(ANSWER_TOOL.to_owned()));
    // A forced call leaves no room for thought.
    if request.effort.is_some_and(|effort| effort != Effort::None)
        || request.thinking_budget.is_some_and(|tokens| tokens > 0)
    {
        report.note("reasoning_effort");
        request.effort = None;
        request.thinking_budget = None;
    }
    report.answer_comes_by(ANSWER_TOOL);
    Ok(())
}

#[cfg(test)]
mod tests;
