//! Requests.

use std::collections::BTreeMap;

use serde_json::Number;

use crate::error::{DecodeError, EncodeError};
use crate::format::{Encoded, Target};
use crate::ir::{Extra, Request, Sampling};
use crate::json::{Object, ObjectWriter, Path, Report, string};
use crate::openai_completions::{FORMAT, prompt};

/// The members of a request that the representation has, whatever their value.
const MEMBERS: [&str; 14] = [
    "model",
    "prompt",
    "suffix",
    "temperature",
    "top_p",
    "frequency_penalty",
    "presence_penalty",
    "seed",
    "max_tokens",
    "stop",
    "n",
    "stream",
    "stream_options",
    "user",
];

/// What a client gets that names no limit: the format says so
/// (<https://platform.openai.com/docs/api-reference/completions/create>).
const DEFAULT_MAX_TOKENS: u64 = 16;

/// What is asked for where a client of another format names no limit and the model's is not known: without one, the
/// answer would be cut after [`DEFAULT_MAX_TOKENS`].
const FOREIGN_MAX_TOKENS: u64 = 1024;

/// Reads a client's request, into canonical form.
pub(super) fn decode(body: &[u8]) -> Result<Request, DecodeError> {
    const WHOLE: &str = "a whole number";
    let mut object = Object::parse(body, &Path::Root)?;
    let (include_usage, stream_options) = stream_options(&mut object)?;
    let limit = object.take("max_tokens", WHOLE)?;
    let request = Request {
        model: object.required_string("model")?,
        messages: vec![prompt::decode(&mut object)?],
        sampling: sampling(&mut object)?,
        max_output_tokens: Some(limit.unwrap_or(DEFAULT_MAX_TOKENS)),
        stop: stop(&mut object)?,
        choices: match object.take("n", WHOLE)? {
            Some(n) if !(1..=128).contains(&n) => {
                return Err(object.invalid("n", "from 1 to 128"));
            }
            n => n,
        },
        stream: object.take("stream", "true or false")?.unwrap_or_default(),
        include_usage,
        user: object.string("user")?,
        metadata: BTreeMap::new(),
        stream_options,
        extra: object.rest(FORMAT),
        ..Request::default()
    };
    Ok(request.canonical())
}

fn stream_options(object: &mut Object<'_, '_>) -> Result<(bool, Extra), DecodeError> {
    let Some(raw) = object.raw("stream_options") else {
        return Ok((false, Extra::default()));
    };
    let path = object.path().member("stream_options");
    let mut options = Object::from_raw(raw, &path)?;
    let include_usage = options.take("include_usage", "true or false")?;
    Ok((include_usage.unwrap_or_default(), options.rest(FORMAT)))
}

fn sampling(object: &mut Object<'_, '_>) -> Result<Sampling, DecodeError> {
    let mut number = |name| object.take::<Number>(name, "a number");
    Ok(Sampling {
        temperature: number("temperature")?,
        top_p: number("top_p")?,
        top_k: None,
        frequency_penalty: number("frequency_penalty")?,
        presence_penalty: number("presence_penalty")?,
        seed: number("seed")?,
    })
}

fn stop(object: &mut Object<'_, '_>) -> Result<Vec<String>, DecodeError> {
    match object.peek("stop").and_then(string) {
        Some(text) => {
            object.raw("stop");
            Ok(vec![text.into_owned()])
        }
        None => Ok(object
            .take("stop", "a string or an array of strings")?
            .unwrap_or_default()),
    }
}

/// Writes a request for a provider. `stream` and what belongs to it follow the target, not the request.
pub(super) fn encode(request: &Request, target: &Target<'_>) -> Result<Encoded, EncodeError> {
    check(request)?;
    let mut body = Vec::with_capacity(1024);
    let mut report = Report::default();
    let mut object = ObjectWriter::new(&mut body);
    object.value("model", target.model);
    prompt::encode(&mut object, request, &mut report)?;
    let limit = request.max_output_tokens.or(target.max_output_tokens);
    object.value("max_tokens", &limit.unwrap_or(FOREIGN_MAX_TOKENS));
    write_sampling(&mut object, &request.sampling, &mut report);
    if !request.stop.is_empty() {
        object.value("stop", &request.stop);
    }
    object.optional("n", request.choices.filter(|n| *n != 1).as_ref());
    object.optional("user", request.user.as_ref());
    stream(&mut object, request, target, &mut report);
    note_rest(request, &mut report);
    object.extra(&request.extra, FORMAT, &MEMBERS, "", &mut report);
    object.end();
    Ok(report.into_encoded(body))
}

/// Refuses what would change the answer if it were left out.
fn check(request: &Request) -> Result<(), EncodeError> {
    let refused = |path: &str, reason: &str| {
        Err(EncodeError::Unsupported {
            path: path.to_owned(),
            format: FORMAT,
            reason: reason.to_owned(),
        })
    };
    if !request.tools.is_empty() {
        return refused(
            "tools",
            "a completion calls no tools; leave them out, or choose a chat model",
        );
    }
    if request.response_format.is_some() {
        return refused(
            "response_format",
            "a completion is free text; ask for JSON in words, or choose a chat model",
        );
    }
    Ok(())
}

fn write_sampling(object: &mut ObjectWriter<'_>, sampling: &Sampling, report: &mut Report) {
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
    let usage = target.dialect.asks_usage();
    if usage || !options.is_empty() {
        let mut inner = ObjectWriter::new(object.key("stream_options"));
        if usage {
            inner.value("include_usage", &true);
        }
        let known = ["include_usage"];
        inner.extra(options, FORMAT, &known, "stream_options", report);
        inner.end();
    }
}

/// Reports what has no place here.
fn note_rest(request: &Request, report: &mut Report) {
    for (name, said) in [
        ("tool_choice", request.tool_choice.is_some()),
        ("parallel_tool_calls", request.parallel_tool_calls.is_some()),
        ("reasoning_effort", request.effort.is_some()),
        ("thinking_budget", request.thinking_budget.is_some()),
        ("metadata", !request.metadata.is_empty()),
    ] {
        if said {
            report.note(name);
        }
    }
}
