//! Requests.

use serde_json::value::RawValue;

use crate::embedding::{
    EmbeddingInput, EmbeddingRequest, EmbeddingTarget, Encoding, Shape, Task, Truncate,
};
use crate::error::{DecodeError, EncodeError};
use crate::format::Encoded;
use crate::json::{Object, ObjectWriter, Path, Report, array, string, write_array, write_json};
use crate::openai_embeddings::FORMAT;
use crate::openai_embeddings::form::Form;

/// The members of a request that the representation has, under whatever name.
const MEMBERS: [&str; 7] = [
    "model",
    "input",
    "encoding_format",
    "dimensions",
    "output_dimension",
    "user",
    "input_type",
];

/// Reads a client's request.
pub(super) fn decode(body: &[u8], form: &Form) -> Result<EmbeddingRequest, DecodeError> {
    let mut object = Object::parse(body, &Path::Root)?;
    for (name, value) in form.defaults {
        if object.peek(name).is_some_and(|raw| raw.get() == *value) {
            object.raw(name);
        }
    }
    let path = object.path().member("input");
    Ok(EmbeddingRequest {
        origin: FORMAT,
        model: object.required_string("model")?,
        inputs: inputs(object.required("input")?, &path)?,
        encoding: encoding(&mut object)?,
        dimensions: dimensions(&mut object)?,
        task: task(&mut object),
        title: None,
        truncate: None,
        user: object.string("user")?,
        shape: Shape::Many,
        extra: object.into_members(),
    })
}

/// A text, several, the tokens of one, those of several; and the parts of other kinds that some providers take.
fn inputs(raw: &RawValue, path: &Path<'_>) -> Result<Vec<EmbeddingInput>, DecodeError> {
    const EXPECTED: &str =
        "a string, or an array with at least one string, token, or array of tokens";
    let invalid = |path: &Path<'_>| DecodeError::Invalid {
        path: path.to_string(),
        expected: EXPECTED.to_owned(),
    };
    if let Some(text) = string(raw) {
        return Ok(vec![EmbeddingInput::Text(text.into_owned())]);
    }
    let items = array(raw, path).map_err(|_| invalid(path))?;
    let first = items.first().ok_or_else(|| invalid(path))?;
    if first.get().starts_with(|c: char| c.is_ascii_digit()) {
        let tokens = serde_json::from_str(raw.get()).map_err(|_| invalid(path))?;
        return Ok(vec![EmbeddingInput::Tokens(tokens)]);
    }
    (0..)
        .zip(items)
        .map(|(index, raw)| input(raw).ok_or_else(|| invalid(&path.item(index))))
        .collect()
}

fn input(raw: &RawValue) -> Option<EmbeddingInput> {
    match raw.get().as_bytes().first() {
        Some(b'"') => Some(EmbeddingInput::Text(string(raw)?.into_owned())),
        Some(b'[') => {
            let tokens: Vec<u64> = serde_json::from_str(raw.get()).ok()?;
            (!tokens.is_empty()).then_some(EmbeddingInput::Tokens(tokens))
        }
        Some(b'{') => Some(EmbeddingInput::Opaque(raw.into())),
        _ => None,
    }
}

fn encoding(object: &mut Object<'_, '_>) -> Result<Encoding, DecodeError> {
    match object.string("encoding_format")?.as_deref() {
        None | Some("float") => Ok(Encoding::Float),
        Some("base64") => Ok(Encoding::Base64),
        Some(_) => Err(object.invalid("encoding_format", "float or base64")),
    }
}

fn dimensions(object: &mut Object<'_, '_>) -> Result<Option<u64>, DecodeError> {
    const EXPECTED: &str = "a whole number";
    let dimensions = object.take("dimensions", EXPECTED)?;
    let other = object.take("output_dimension", EXPECTED)?;
    match (dimensions, other) {
        (Some(one), Some(other)) if one != other => {
            Err(object.invalid("output_dimension", "left out beside dimensions"))
        }
        (one, other) => Ok(one.or(other)),
    }
}

/// A word that is not known is left to the provider.
fn task(object: &mut Object<'_, '_>) -> Option<Task> {
    let task = match &*string(object.peek("input_type")?)? {
        "query" | "search_query" => Task::Query,
        "document" | "passage" | "search_document" => Task::Document,
        "classification" => Task::Classification,
        "clustering" => Task::Clustering,
        _ => return None,
    };
    object.raw("input_type");
    Some(task)
}

/// Writes a request for a provider.
pub(super) fn encode(
    request: &EmbeddingRequest,
    target: &EmbeddingTarget<'_>,
) -> Result<Encoded, EncodeError> {
    let mut body = Vec::with_capacity(1024);
    let mut report = Report::default();
    let mut object = ObjectWriter::new(&mut body);
    object.value("model", target.model);
    write_inputs(object.key("input"), request)?;
    // Lists are what everybody gives who is not asked, and some refuse to be asked for them.
    if request.encoding == Encoding::Base64 && target.dialect.base64 {
        object.value("encoding_format", "base64");
    }
    let dimensions = target.dialect.dimensions_field.name();
    object.optional(dimensions, request.dimensions.as_ref());
    match &request.user {
        Some(user) if target.dialect.user => object.value("user", user),
        Some(_) => report.note("user"),
        None => {}
    }
    match request.task {
        Some(task) if target.dialect.input_type => write_task(&mut object, task, &mut report),
        Some(_) => report.note("input_type"),
        None => {}
    }
    if request.title.is_some() {
        report.note("title");
    }
    if matches!(request.truncate, Some(Truncate::Start | Truncate::End)) {
        report.note("truncate");
    }
    let at_home = request.origin == FORMAT;
    object.members(&request.extra, at_home, &MEMBERS, ("", &mut report));
    object.end();
    Ok(report.into_encoded(body))
}

fn write_inputs(out: &mut Vec<u8>, request: &EmbeddingRequest) -> Result<(), EncodeError> {
    let mut refused = None;
    write_array(
        out,
        (0..).zip(&request.inputs),
        |out, (index, input)| match input {
            EmbeddingInput::Text(text) => write_json(out, text),
            EmbeddingInput::Tokens(tokens) => write_json(out, tokens),
            EmbeddingInput::Opaque(raw) if request.origin == FORMAT => write_json(out, raw),
            EmbeddingInput::Opaque(_) => {
                refused.get_or_insert(index);
            }
        },
    );
    let index: usize = match (refused, request.inputs.is_empty()) {
        (Some(index), _) => index,
        (None, true) => 0,
        (None, false) => return Ok(()),
    };
    Err(EncodeError::Operation {
        path: format!("input[{index}]"),
        format: FORMAT.name(),
        reason: "it embeds texts and tokens only; send text, or choose a model of another format"
            .to_owned(),
    })
}

/// Asymmetric models know two sides; the rest is for others.
fn write_task(object: &mut ObjectWriter<'_>, task: Task, report: &mut Report) {
    match task {
        Task::Query | Task::QuestionAnswering | Task::FactVerification | Task::CodeQuery => {
            object.value("input_type", "query");
            if task != Task::Query {
                report.note("input_type");
            }
        }
        Task::Document => object.value("input_type", "document"),
        Task::Similarity | Task::Classification | Task::Clustering => report.note("input_type"),
    }
}
