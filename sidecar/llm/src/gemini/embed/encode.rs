//! Writes a request, for the method that the path of the provider's record ends with.

use crate::embedding::{EmbeddingInput, EmbeddingRequest, EmbeddingTarget, Truncate};
use crate::error::EncodeError;
use crate::format::Encoded;
use crate::gemini::embed::{FORMAT, TASKS};
use crate::json::{ObjectWriter, Report, write_array, write_json};

/// The members of a request that the representation has.
const MEMBERS: [&str; 11] = [
    "model",
    "content",
    "requests",
    "instances",
    "parameters",
    "embedContentConfig",
    "title",
    "taskType",
    "task_type",
    "outputDimensionality",
    "autoTruncate",
];

/// Writes a request for a provider.
pub(super) fn encode(
    request: &EmbeddingRequest,
    target: &EmbeddingTarget<'_>,
) -> Result<Encoded, EncodeError> {
    check(request)?;
    let mut body = Vec::with_capacity(1024);
    let mut report = Report::default();
    if request.user.is_some() {
        report.note("user");
    }
    if target.dialect.path.ends_with(":predict") {
        predict(&mut body, request, &mut report)?;
    } else if target.dialect.path.ends_with(":embedContent") {
        let [input] = request.inputs.as_slice() else {
            return Err(refused(
                1,
                "it embeds one text a request; send one at a time",
            ));
        };
        let mut object = ObjectWriter::new(&mut body);
        settings(&mut object, request, target, &mut report);
        write_content(object.key("content"), input);
        object.end();
    } else {
        let mut object = ObjectWriter::new(&mut body);
        write_array(object.key("requests"), &request.inputs, |out, input| {
            let mut one = ObjectWriter::new(out);
            one.value("model", &format!("models/{}", target.model));
            settings(&mut one, request, target, &mut report);
            write_content(one.key("content"), input);
            one.end();
        });
        object.end();
    }
    Ok(report.into_encoded(body))
}

fn check(request: &EmbeddingRequest) -> Result<(), EncodeError> {
    let foreign = |input: &EmbeddingInput| match input {
        EmbeddingInput::Text(_) => false,
        EmbeddingInput::Tokens(_) => true,
        EmbeddingInput::Opaque(_) => request.origin != FORMAT,
    };
    let at = request.inputs.iter().position(foreign);
    match at.or_else(|| request.inputs.is_empty().then_some(0)) {
        Some(index) => {
            let reason = "it embeds texts, not tokens or parts of another format; send text";
            Err(refused(index, reason))
        }
        None => Ok(()),
    }
}

fn refused(index: usize, reason: &str) -> EncodeError {
    EncodeError::Operation {
        path: format!("input[{index}]"),
        format: FORMAT.name(),
        reason: reason.to_owned(),
    }
}

/// What one content is embedded with: free, or where Vertex keeps it.
fn settings(
    object: &mut ObjectWriter<'_>,
    request: &EmbeddingRequest,
    target: &EmbeddingTarget<'_>,
    report: &mut Report,
) {
    if target.dialect.config_object {
        let mut config = ObjectWriter::new(object.key("embedContentConfig"));
        write_settings(&mut config, request, report);
        let truncate = truncates(request, report);
        config.optional("autoTruncate", truncate.as_ref());
        config.end();
    } else {
        write_settings(object, request, report);
        // Never is what it does: without the setting, too long a text is an error.
        if matches!(request.truncate, Some(Truncate::Start | Truncate::End)) {
            report.note("truncate");
        }
    }
}

fn write_settings(object: &mut ObjectWriter<'_>, request: &EmbeddingRequest, report: &mut Report) {
    object.optional("taskType", task(request).as_ref());
    object.optional("title", request.title.as_ref());
    object.optional("outputDimensionality", request.dimensions.as_ref());
    extra(object, request, report);
}

fn extra(object: &mut ObjectWriter<'_>, request: &EmbeddingRequest, report: &mut Report) {
    // A task of a word that is not known is among the unknown members.
    let known: Vec<&str> = MEMBERS
        .into_iter()
        .filter(|name| request.task.is_some() || !matches!(*name, "taskType" | "task_type"))
        .collect();
    let at_home = request.origin == FORMAT;
    object.members(&request.extra, at_home, &known, ("", report));
}

/// The instances of Vertex' `predict`, each a text.
fn predict(
    body: &mut Vec<u8>,
    request: &EmbeddingRequest,
    report: &mut Report,
) -> Result<(), EncodeError> {
    let is_text = |input: &EmbeddingInput| matches!(input, EmbeddingInput::Text(_));
    if let Some(index) = request.inputs.iter().position(|input| !is_text(input)) {
        return Err(refused(index, "this model embeds texts only; send text"));
    }
    let mut object = ObjectWriter::new(body);
    write_array(object.key("instances"), &request.inputs, |out, input| {
        let mut one = ObjectWriter::new(out);
        if let EmbeddingInput::Text(text) = input {
            one.value("content", text);
        }
        one.optional("task_type", task(request).as_ref());
        one.optional("title", request.title.as_ref());
        extra(&mut one, request, report);
        one.end();
    });
    let truncate = truncates(request, report);
    if request.dimensions.is_some() || truncate.is_some() {
        let mut parameters = ObjectWriter::new(object.key("parameters"));
        parameters.optional("outputDimensionality", request.dimensions.as_ref());
        parameters.optional("autoTruncate", truncate.as_ref());
        parameters.end();
    }
    object.end();
    Ok(())
}

fn task(request: &EmbeddingRequest) -> Option<&'static str> {
    let task = request.task?;
    let found = TASKS.into_iter().find(|(_, known)| *known == task);
    found.map(|(word, _)| word)
}

/// Whether too long a text is cut at its end.
fn truncates(request: &EmbeddingRequest, report: &mut Report) -> Option<bool> {
    match request.truncate? {
        Truncate::Never => Some(false),
        Truncate::End => Some(true),
        Truncate::Start => {
            report.note("truncate");
            None
        }
    }
}

fn write_content(out: &mut Vec<u8>, input: &EmbeddingInput) {
    match input {
        EmbeddingInput::Text(text) => {
            let mut content = ObjectWriter::new(out);
            write_array(content.key("parts"), [text], |out, text| {
                let mut part = ObjectWriter::new(out);
                part.value("text", text);
                part.end();
            });
            content.end();
        }
        EmbeddingInput::Opaque(raw) => write_json(out, raw),
        EmbeddingInput::Tokens(tokens) => write_json(out, tokens),
    }
}
