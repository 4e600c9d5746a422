//! Requests.

use serde_json::value::RawValue;

use crate::cohere::embed::FORMAT;
use crate::embedding::{
    EmbeddingInput, EmbeddingRequest, EmbeddingTarget, Encoding, Members, Shape, Task, Truncate,
};
use crate::error::{DecodeError, EncodeError};
use crate::format::Encoded;
use crate::ir::RawJson;
use crate::json::{
    Object, ObjectWriter, Path, Report, array, is_string, string, write_array, write_json,
};

const MEMBERS: [&str; 7] = [
    "model",
    "texts",
    "images",
    "inputs",
    "input_type",
    "output_dimension",
    "truncate",
];

/// The types of embeddings; left to the provider where several or others than floats are asked for.
const TYPES: &str = "embedding_types";

/// Reads a client's request.
pub(super) fn decode(body: &[u8]) -> Result<EmbeddingRequest, DecodeError> {
    let mut object = Object::parse(body, &Path::Root)?;
    Ok(EmbeddingRequest {
        origin: FORMAT,
        model: object.required_string("model")?,
        inputs: inputs(&mut object)?,
        encoding: encoding(&mut object),
        dimensions: object.take("output_dimension", "a whole number")?,
        task: task(&mut object),
        title: None,
        truncate: truncate(&mut object),
        user: None,
        shape: Shape::Many,
        extra: object.into_members(),
    })
}

/// `texts`, `images` at a `data:` address, or `inputs` of several parts.
fn inputs(object: &mut Object<'_, '_>) -> Result<Vec<EmbeddingInput>, DecodeError> {
    let mut all = Vec::new();
    let mut take = |name: &str, read: fn(&RawValue) -> Option<EmbeddingInput>| {
        let path = object.path().member(name);
        let Some(raw) = object.raw(name) else {
            return Ok(());
        };
        for (index, raw) in array(raw, &path)?.into_iter().enumerate() {
            let input = read(raw).ok_or_else(|| DecodeError::Invalid {
                path: path.item(index).to_string(),
                expected: "a string, or in `inputs` an object".to_owned(),
            })?;
            all.push(input);
        }
        Ok(())
    };
    take("texts", |raw| {
        Some(EmbeddingInput::Text(string(raw)?.into_owned()))
    })?;
    take("images", |raw| {
        is_string(raw).then(|| EmbeddingInput::Opaque(raw.into()))
    })?;
    take("inputs", |raw| {
        let text = only_text(raw).map(EmbeddingInput::Text);
        let object = raw.get().starts_with('{');
        text.or_else(|| object.then(|| EmbeddingInput::Opaque(raw.into())))
    })?;
    if all.is_empty() {
        return Err(DecodeError::Missing {
            path: "texts".to_owned(),
        });
    }
    Ok(all)
}

/// The text of `{"content": [{"type": "text", "text": "…"}]}`.
fn only_text(raw: &RawValue) -> Option<String> {
    let mut object = Object::from_raw(raw, &Path::Root).ok()?;
    let parts = array(object.raw("content")?, &Path::Root).ok()?;
    let [part] = parts.as_slice() else {
        return None;
    };
    let mut part = Object::from_raw(part, &Path::Root).ok()?;
    let kind = part.kind();
    part.raw("type");
    let text = part.string("text").ok()??;
    (kind == "text" && part.is_empty() && object.is_empty()).then_some(text)
}

fn encoding(object: &mut Object<'_, '_>) -> Encoding {
    let types: Option<Vec<&str>> = object
        .peek(TYPES)
        .and_then(|raw| serde_json::from_str(raw.get()).ok());
    let encoding = match types.as_deref() {
        Some(["float"]) => Encoding::Float,
        Some(["base64"]) => Encoding::Base64,
        _ => return Encoding::Float,
    };
    object.raw(TYPES);
    encoding
}

/// A word that is not known is left to the provider.
fn task(object: &mut Object<'_, '_>) -> Option<Task> {
    let task = match &*string(object.peek("input_type")?)? {
        "search_query" => Task::Query,
        "search_document" => Task::Document,
        "classification" => Task::Classification,
        "clustering" => Task::Clustering,
        _ => return None,
    };
    object.raw("input_type");
    Some(task)
}

fn truncate(object: &mut Object<'_, '_>) -> Option<Truncate> {
    let truncate = match &*string(object.peek("truncate")?)? {
        "NONE" => Truncate::Never,
        "START" => Truncate::Start,
        "END" => Truncate::End,
        _ => return None,
    };
    object.raw("truncate");
    Some(truncate)
}

/// Writes a request for a provider.
pub(super) fn encode(
    request: &EmbeddingRequest,
    target: &EmbeddingTarget<'_>,
) -> Result<Encoded, EncodeError> {
    let mut body = Vec::with_capacity(1024);
    let mut report = Report::default();
    let at_home = request.origin == FORMAT;
    let own = |name: &str| at_home && request.extra.contains_key(name);
    let mut known = MEMBERS.to_vec();
    let mut object = ObjectWriter::new(&mut body);
    object.value("model", target.model);
    write_inputs(&mut object, request)?;
    if own("input_type") && request.task.is_none() {
        known.retain(|name| *name != "input_type");
    } else {
        object.value("input_type", input_type(request.task, &mut report));
    }
    if !own(TYPES) {
        known.push(TYPES);
        let packed = request.encoding == Encoding::Base64 && target.dialect.base64;
        object.value(TYPES, &[if packed { "base64" } else { "float" }]);
    }
    object.optional("output_dimension", request.dimensions.as_ref());
    if let Some(truncate) = request.truncate {
        known.push("truncate");
        object.value("truncate", word(truncate));
    } else if own("truncate") {
        known.retain(|name| *name != "truncate");
    }
    for (name, lost) in [
        ("user", request.user.is_some()),
        ("title", request.title.is_some()),
    ] {
        if lost {
            report.note(name);
        }
    }
    object.members(&request.extra, at_home, &known, ("", &mut report));
    object.end();
    Ok(report.into_encoded(body))
}

fn word(truncate: Truncate) -> &'static str {
    match truncate {
        Truncate::Never => "NONE",
        Truncate::Start => "START",
        Truncate::End => "END",
    }
}

/// What the vectors are for must be said. Who does not say it stores documents: what is found later by a query.
fn input_type(task: Option<Task>, report: &mut Report) -> &'static str {
    match task {
        None | Some(Task::Document) => "search_document",
        Some(Task::Query) => "search_query",
        Some(Task::Classification) => "classification",
        Some(Task::Clustering) => "clustering",
        Some(Task::Similarity) => {
            report.note("input_type");
            "search_document"
        }
        Some(Task::QuestionAnswering | Task::FactVerification | Task::CodeQuery) => {
            report.note("input_type");
            "search_query"
        }
    }
}

/// Texts as `texts`, images as `images`, and everything else, or both, as `inputs`.
fn write_inputs(
    object: &mut ObjectWriter<'_>,
    request: &EmbeddingRequest,
) -> Result<(), EncodeError> {
    let inputs = &request.inputs;
    let refused = inputs.iter().position(|input| match input {
        EmbeddingInput::Text(_) => false,
        EmbeddingInput::Tokens(_) => true,
        EmbeddingInput::Opaque(_) => request.origin != FORMAT,
    });
    if let Some(index) = refused.or_else(|| inputs.is_empty().then_some(0)) {
        return Err(EncodeError::Operation {
            path: format!("input[{index}]"),
            format: FORMAT.name(),
            reason: "it embeds texts, not tokens or parts of another format; send text".to_owned(),
        });
    }
    let is_image = |input: &EmbeddingInput| matches!(input, EmbeddingInput::Opaque(raw) if is_string(raw.raw()));
    let is_text = |input: &EmbeddingInput| matches!(input, EmbeddingInput::Text(_));
    let write: fn(&mut Vec<u8>, &EmbeddingInput);
    let name = if inputs.iter().all(is_text) {
        write = write_plain;
        "texts"
    } else if inputs.iter().all(is_image) {
        write = write_plain;
        "images"
    } else {
        write = write_parts;
        "inputs"
    };
    write_array(object.key(name), inputs, write);
    Ok(())
}

fn write_plain(out: &mut Vec<u8>, input: &EmbeddingInput) {
    match input {
        EmbeddingInput::Text(text) => write_json(out, text),
        EmbeddingInput::Opaque(raw) => write_json(out, raw),
        EmbeddingInput::Tokens(tokens) => write_json(out, tokens),
    }
}

/// `{"content": [{"type": …}]}`.
fn write_parts(out: &mut Vec<u8>, input: &EmbeddingInput) {
    let image = match input {
        EmbeddingInput::Opaque(raw) if is_string(raw.raw()) => Some(raw),
        EmbeddingInput::Opaque(_) | EmbeddingInput::Tokens(_) => return write_plain(out, input),
        EmbeddingInput::Text(_) => None,
    };
    let mut object = ObjectWriter::new(out);
    write_array(object.key("content"), [input], |out, input| {
        let mut part = ObjectWriter::new(out);
        match image {
            Some(url) => {
                part.value("type", "image_url");
                let url = Members::from([("url".to_owned(), RawJson::clone(url))]);
                part.value("image_url", &url);
            }
            None => {
                part.value("type", "text");
                write_plain(part.key("text"), input);
            }
        }
        part.end();
    });
    object.end();
}
