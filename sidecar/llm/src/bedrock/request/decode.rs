//! Reads a request.

use std::collections::BTreeMap;

use serde_json::Number;
use serde_json::value::RawValue;

use crate::bedrock::FORMAT;
use crate::bedrock::block::{self, Said};
use crate::bedrock::request::rest::keep_rest;
use crate::bedrock::request::{ADDITIONAL, INFERENCE, METADATA, OUTPUT, tools};
use crate::error::DecodeError;
use crate::ir::{
    Effort, Extra, JsonSchema, Message, RawJson, Request, ResponseFormat, Sampling, ToolChoice,
};
use crate::json::{Object, Path, array};
use crate::thinking;

/// Reads a client's request, into canonical form. The path says which model, and whether the answer is streamed.
pub(in crate::bedrock) fn decode(body: &[u8]) -> Result<Request, DecodeError> {
    let mut object = Object::parse(body, &Path::Root)?;
    let mut kept = Extra::default();
    let (system, first) = system(&mut object)?;
    let inference = inference(&mut object, &mut kept)?;
    let output = output(&mut object, &mut kept)?;
    let config = tools::decode(&mut object, &mut kept)?;
    let fields = additional(&mut object, output.effort.is_some(), &mut kept);
    // Both ways to say it at once are left as they are.
    let (tool_choice, parallel_tool_calls) = match (config.choice, fields.choice) {
        (Some(choice), _) => (Some(choice), None),
        (None, Some((choice, parallel))) => (Some(choice), parallel),
        (None, None) => (None, None),
    };
    let mut request = Request {
        system,
        messages: first.into_iter().collect(),
        tools: config.tools,
        tool_choice,
        parallel_tool_calls,
        sampling: Sampling {
            top_k: fields.top_k,
            ..inference.sampling
        },
        max_output_tokens: inference.max_output_tokens,
        stop: inference.stop,
        response_format: output.format,
        effort: output.effort.or(fields.effort),
        thinking_budget: fields.thinking_budget,
        metadata: metadata(&mut object),
        ..Request::default()
    };
    messages(&mut object, &mut request.messages)?;
    object.rest_into(&mut kept, FORMAT, "");
    request.extra = kept;
    Ok(request.canonical())
}

/// Texts, and a first message for what is no text.
fn system(
    object: &mut Object<'_, '_>,
) -> Result<(Vec<crate::ir::Text>, Option<Message>), DecodeError> {
    let path = object.path().member("system");
    let Some(raw) = object.raw("system") else {
        return Ok((Vec::new(), None));
    };
    let (texts, parts) = block::decode_system(raw, &path)?;
    let extra = Extra::default();
    let first = (!parts.is_empty()).then_some(Message::System { parts, extra });
    Ok((texts, first))
}

fn messages(object: &mut Object<'_, '_>, out: &mut Vec<Message>) -> Result<(), DecodeError> {
    let path = object.path().member("messages");
    let Some(raw) = object.raw("messages") else {
        // A stored prompt brings its own.
        return Ok(());
    };
    for (index, raw) in (0..).zip(array(raw, &path)?) {
        message(raw, &path.item(index), out)?;
    }
    Ok(())
}

fn message(raw: &RawValue, path: &Path<'_>, out: &mut Vec<Message>) -> Result<(), DecodeError> {
    let mut object = Object::from_raw(raw, path)?;
    let role = object.required_string("role")?;
    let content_path = path.member("content");
    let content = object.required("content")?;
    match role.as_str() {
        "system" => out.push(Message::System {
            parts: block::decode_inputs(content, &content_path)?,
            extra: object.rest(FORMAT),
        }),
        "user" => {
            let said = block::decode_said(content, &content_path)?;
            user_turn(said, object.rest(FORMAT), out);
        }
        "assistant" => out.push(Message::Assistant {
            parts: block::decode_outputs(content, &content_path)?,
            extra: object.rest(FORMAT),
        }),
        _ => return Err(object.invalid("role", "user, assistant or system")),
    }
    Ok(())
}

/// Results of tools make a turn of their own, before what else the user says.
fn user_turn(said: Vec<Said>, extra: Extra, out: &mut Vec<Message>) {
    let mut results = Vec::new();
    let mut parts = Vec::new();
    for said in said {
        match said {
            Said::Part(part) => parts.push(part),
            Said::Result(result) => results.push(result),
        }
    }
    match (results.is_empty(), parts.is_empty()) {
        (true, _) => out.push(Message::User { parts, extra }),
        (false, true) => out.push(Message::Tool { results, extra }),
        (false, false) => {
            out.push(Message::Tool {
                results,
                extra: Extra::default(),
            });
            out.push(Message::User { parts, extra });
        }
    }
}

#[derive(Default)]
struct Inference {
    sampling: Sampling,
    max_output_tokens: Option<u64>,
    stop: Vec<String>,
}

fn inference(object: &mut Object<'_, '_>, kept: &mut Extra) -> Result<Inference, DecodeError> {
    let path = object.path().member(INFERENCE);
    let Some(raw) = object.raw(INFERENCE) else {
        return Ok(Inference::default());
    };
    let mut config = Object::from_raw(raw, &path)?;
    let found = Inference {
        sampling: Sampling {
            temperature: config.take::<Number>("temperature", "a number")?,
            top_p: config.take::<Number>("topP", "a number")?,
            ..Sampling::default()
        },
        max_output_tokens: config.take("maxTokens", "a whole number")?,
        stop: config
            .take("stopSequences", "an array of strings")?
            .unwrap_or_default(),
    };
    keep_rest(INFERENCE, config, kept);
    Ok(found)
}

#[derive(Default)]
struct Output {
    format: Option<ResponseFormat>,
    effort: Option<Effort>,
}

fn output(object: &mut Object<'_, '_>, kept: &mut Extra) -> Result<Output, DecodeError> {
    let path = object.path().member(OUTPUT);
    let Some(raw) = object.raw(OUTPUT) else {
        return Ok(Output::default());
    };
    let mut config = Object::from_raw(raw, &path)?;
    let schema = config.peek("textFormat").and_then(json_schema);
    if schema.is_some() {
        config.raw("textFormat");
    }
    let found = Output {
        format: schema.map(ResponseFormat::JsonSchema),
        effort: thinking::take_effort(&mut config),
    };
    keep_rest(OUTPUT, config, kept);
    Ok(found)
}

/// A schema, which is JSON in a string; answers are always held to it. `None` for what only this format knows.
fn json_schema(raw: &RawValue) -> Option<JsonSchema> {
    let mut format = Object::from_raw(raw, &Path::Root).ok()?;
    let kind = format.kind();
    format.raw("type");
    let structure = Object::from_raw(format.raw("structure")?, &Path::Root).ok()?;
    let ("jsonSchema", raw) = structure.only()? else {
        return None;
    };
    let mut schema = Object::from_raw(raw, &Path::Root).ok()?;
    let text = schema.string("schema").ok()??;
    let found = JsonSchema {
        name: schema.string("name").ok()?,
        description: schema.string("description").ok()?,
        schema: Some(RawJson::try_new(&text).ok()?),
        strict: Some(true),
    };
    let all = kind == "json_schema" && format.is_empty() && schema.is_empty();
    all.then_some(found)
}

#[derive(Default)]
struct Fields {
    top_k: Option<u64>,
    effort: Option<Effort>,
    thinking_budget: Option<u64>,
    choice: Option<(ToolChoice, Option<bool>)>,
}

/// What is known of the members for one maker's models: those of Anthropic's, and `top_k`.
fn additional(object: &mut Object<'_, '_>, has_effort: bool, kept: &mut Extra) -> Fields {
    let Some(raw) = object.peek(ADDITIONAL) else {
        return Fields::default();
    };
    let Ok(mut fields) = Object::from_raw(raw, &Path::Root) else {
        return Fields::default();
    };
    object.raw(ADDITIONAL);
    let mut found = Fields::default();
    let number = fields.peek("top_k").map(|raw| raw.get().parse::<u64>());
    if let Some(Ok(top_k)) = number {
        fields.raw("top_k");
        found.top_k = Some(top_k);
    }
    // Turned off and yet an effort: can be said only as it was said.
    let off = |fields: &Object<'_, '_>| {
        let thinking = fields.peek("thinking")?;
        let thinking = Object::from_raw(thinking, &Path::Root).ok()?;
        (thinking.kind() == "disabled").then_some(())
    };
    if !(has_effort && off(&fields).is_some()) {
        (found.effort, found.thinking_budget) = thinking::take_thinking(&mut fields);
    }
    found.choice = tools::take_choice(&mut fields);
    keep_rest(ADDITIONAL, fields, kept);
    found
}

/// What the application keeps with the request, when it is texts; otherwise it is left where it is.
fn metadata(object: &mut Object<'_, '_>) -> BTreeMap<String, String> {
    let texts = object
        .peek(METADATA)
        .and_then(|raw| serde_json::from_str(raw.get()).ok());
    if texts.is_some() {
        object.raw(METADATA);
    }
    texts.unwrap_or_default()
}
