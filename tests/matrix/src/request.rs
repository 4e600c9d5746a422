//! A client's request on its way to a provider: does it still ask for the feature?

use fkm_dialect::{Auth, Capabilities, Dialect, Format};
use fkm_llm::ir::{
    FileSource, ImageSource, InputPart, Message, OutputPart, Request, ResponseFormat, Tool,
    ToolChoice,
};
use fkm_llm::{EncodeError, Encoded, Target, encode_request, format};

use crate::feature::Feature;
use crate::outcome::Outcome;

/// Writes `request` for a provider of `to`, by all that a model can do.
pub(crate) fn encode(request: &Request, to: Format) -> Result<Encoded, EncodeError> {
    let capabilities = Capabilities {
        cache_breakpoints: true,
        ..Capabilities::default()
    };
    let target = Target {
        model: "m",
        dialect: &Dialect::new(to, "/x", Auth::Bearer),
        capabilities: &capabilities,
        max_output_tokens: None,
        stream: request.stream,
    };
    encode_request(request, &target)
}

/// What becomes of a request of `from` at a provider of `to`.
pub(crate) fn judge(feature: Feature, from: Format, to: Format, body: &[u8]) -> Outcome {
    let asked = match format(from).decode_request(body) {
        Ok(request) => request,
        Err(error) => return Outcome::Failed(format!("not read: {error}")),
    };
    let encoded = match encode(&asked, to) {
        Ok(encoded) => encoded,
        Err(error) => return Outcome::Refused(error.to_string()),
    };
    let got = match format(to).decode_request(&encoded.body) {
        Ok(request) => request,
        Err(error) => return Outcome::Failed(format!("not written well: {error}")),
    };
    match lost(feature, &asked, &got) {
        None => Outcome::Pass,
        Some(_) if !encoded.dropped.is_empty() => Outcome::Dropped(encoded.dropped),
        Some(what) => Outcome::Failed(format!("lost in silence: {what}")),
    }
}

/// What of the feature `got` no longer asks for. A case that does not ask for it is none.
fn lost(feature: Feature, asked: &Request, got: &Request) -> Option<String> {
    let (before, after) = (signs(feature, asked), signs(feature, got));
    if before.is_empty() {
        return Some(format!("the case does not ask for {feature}"));
    }
    let missing: Vec<&String> = before.iter().filter(|sign| !after.contains(sign)).collect();
    (!missing.is_empty()).then(|| format!("{missing:?} of {before:?} is not among {after:?}"))
}

/// What shows that a request asks for a feature; the same in every format.
pub(crate) fn signs(feature: Feature, request: &Request) -> Vec<String> {
    match feature {
        Feature::Plain
        | Feature::Stream
        | Feature::Reasoning
        | Feature::Refusal
        | Feature::Errors => texts(request),
        Feature::Tools | Feature::ParallelTools => tools(request),
        Feature::ToolResults => results(request),
        Feature::JsonSchema => schema(request),
        Feature::Vision => inputs(request).filter_map(image).collect(),
        Feature::Documents => inputs(request).filter_map(document).collect(),
        Feature::Caching => marks(request),
    }
}

fn inputs(request: &Request) -> impl Iterator<Item = &InputPart> {
    request.messages.iter().flat_map(|message| match message {
        Message::User { parts, .. } | Message::System { parts, .. } => parts.iter(),
        Message::Assistant { .. } | Message::Tool { .. } => [].iter(),
    })
}

fn texts(request: &Request) -> Vec<String> {
    let system = request.system.iter().map(|text| text.text.clone());
    let said = inputs(request).filter_map(InputPart::as_text);
    system.chain(said.map(|text| text.text.clone())).collect()
}

fn tools(request: &Request) -> Vec<String> {
    let mut signs: Vec<String> = request
        .tools
        .iter()
        .filter_map(|tool| match tool {
            Tool::Function(function) => Some(format!("tool {}", function.name)),
            Tool::Opaque(_) => None,
        })
        .collect();
    if let Some(ToolChoice::Required | ToolChoice::Function(_)) = &request.tool_choice {
        signs.push("forced".to_owned());
    }
    signs
}

/// Each call with the text of its result.
fn results(request: &Request) -> Vec<String> {
    let mut signs = Vec::new();
    for message in &request.messages {
        let Message::Tool { results, .. } = message else {
            continue;
        };
        for result in results {
            let text: String = result
                .parts
                .iter()
                .filter_map(InputPart::as_text)
                .map(|text| text.text.as_str())
                .collect();
            let name = called(request, &result.call_id).unwrap_or("nobody");
            signs.push(format!("{name} gave {text}"));
        }
    }
    signs
}

/// The tool of a call.
fn called<'a>(request: &'a Request, id: &str) -> Option<&'a str> {
    request.messages.iter().find_map(|message| match message {
        Message::Assistant { parts, .. } => parts.iter().find_map(|part| match part {
            OutputPart::ToolCall(call) if call.id == id => Some(call.name.as_str()),
            _ => None,
        }),
        _ => None,
    })
}

/// A schema says the same natively and as the one tool that is forced.
fn schema(request: &Request) -> Vec<String> {
    let by_tool = request.tools.iter().find_map(|tool| match tool {
        Tool::Function(function) if function.name == "json_tool_call" => {
            function.parameters.as_ref()
        }
        _ => None,
    });
    let native = match &request.response_format {
        Some(ResponseFormat::JsonSchema(schema)) => schema.schema.as_ref(),
        _ => None,
    };
    let schema = native.or(by_tool).and_then(|raw| {
        let value: serde_json::Value = serde_json::from_str(raw.get()).ok()?;
        Some(value["properties"].to_string())
    });
    schema.into_iter().collect()
}

fn image(part: &InputPart) -> Option<String> {
    match part {
        InputPart::Image(image) => Some(match &image.source {
            ImageSource::Url(url) => url.clone(),
            ImageSource::Base64 { media_type, data } => format!("{media_type} {data}"),
        }),
        _ => None,
    }
}

fn document(part: &InputPart) -> Option<String> {
    match part {
        InputPart::File(file) => Some(match &file.source {
            FileSource::Url(url) => url.clone(),
            FileSource::Base64 { media_type, data } => format!("{media_type} {data}"),
            FileSource::Text(text) => text.clone(),
            FileSource::Id(_) => "kept by the provider".to_owned(),
        }),
        _ => None,
    }
}

fn marks(request: &Request) -> Vec<String> {
    let system = request.system.iter().filter(|text| text.cache.is_some());
    let said = inputs(request).filter_map(InputPart::as_text);
    system
        .chain(said.filter(|text| text.cache.is_some()))
        .map(|text| format!("mark after {}", text.text))
        .collect()
}
