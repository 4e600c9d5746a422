//! Answers.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::embedding::{Embedding, EmbeddingResponse, ReplyOptions, Vector};
use crate::error::{DecodeError, EncodeError};
use crate::format::Encoded;
use crate::ir::Usage;
use crate::json::{Object, ObjectWriter, Path, Report, array};
use crate::openai_embeddings::FORMAT;
use crate::openai_embeddings::form::Form;
use crate::openai_error;

/// The members of an answer that the representation has.
const MEMBERS: [&str; 4] = ["object", "data", "model", "usage"];

/// The members of one embedding that the representation has.
const EMBEDDING_MEMBERS: [&str; 3] = ["object", "index", "embedding"];

/// `usage`; some members of the family give only the total.
#[derive(Default, Deserialize)]
#[serde(default)]
struct UsageIn {
    prompt_tokens: Option<u64>,
    total_tokens: Option<u64>,
}

/// Reads a provider's answer.
pub(super) fn decode(body: &[u8]) -> Result<EmbeddingResponse, DecodeError> {
    let mut object = Object::parse(body, &Path::Root)?;
    if object.raw("error").is_some() {
        let reported = openai_error::decode_inside(body);
        return Err(DecodeError::Provider(Box::new(reported)));
    }
    object.raw("object");
    let path = object.path().member("data");
    let mut indexed = (0..)
        .zip(array(object.required("data")?, &path)?)
        .map(|(position, raw)| embedding(raw, position, &path.item(position)))
        .collect::<Result<Vec<(usize, Embedding)>, DecodeError>>()?;
    indexed.sort_by_key(|(index, _)| *index);
    if indexed.is_empty() {
        return Err(object.invalid("data", "an array with at least one embedding"));
    }
    Ok(EmbeddingResponse {
        origin: FORMAT,
        model: object.string("model")?.filter(|model| !model.is_empty()),
        embeddings: indexed
            .into_iter()
            .map(|(_, embedding)| embedding)
            .collect(),
        usage: object.raw("usage").and_then(usage),
        extra: object.into_members(),
    })
}

fn embedding(
    raw: &RawValue,
    position: usize,
    path: &Path<'_>,
) -> Result<(usize, Embedding), DecodeError> {
    let mut object = Object::from_raw(raw, path)?;
    object.raw("object");
    let index = object.take("index", "a whole number")?.unwrap_or(position);
    let vector = Vector::decode(object.required("embedding")?, &path.member("embedding"))?;
    let extra = object.into_members();
    Ok((index, Embedding { vector, extra }))
}

/// What has no counts is as good as absent.
fn usage(raw: &RawValue) -> Option<Usage> {
    let wire: UsageIn = serde_json::from_str(raw.get()).ok()?;
    Some(Usage {
        input_tokens: wire.prompt_tokens.or(wire.total_tokens)?,
        ..Usage::default()
    })
}

/// Writes an answer for a client, each vector as it was asked for.
pub(super) fn encode(
    response: &EmbeddingResponse,
    options: &ReplyOptions,
    form: &Form,
) -> Result<Encoded, EncodeError> {
    let mut body = Vec::with_capacity(1024);
    let mut report = Report::default();
    let at_home = response.origin == FORMAT;
    let mut object = ObjectWriter::new(&mut body);
    if form.id && !(at_home && response.extra.contains_key("id")) {
        object.value("id", "");
    }
    object.value("object", "list");
    let out = object.key("data");
    out.push(b'[');
    for (index, embedding) in response.embeddings.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_embedding(out, index, embedding, options, (at_home, &mut report))?;
    }
    out.push(b']');
    let model = options.model.as_deref().or(response.model.as_deref());
    object.value("model", model.unwrap_or_default());
    // Clients read it without asking.
    let tokens = response.usage.unwrap_or_default().input_tokens;
    let mut usage = ObjectWriter::new(object.key("usage"));
    usage.value("prompt_tokens", &tokens);
    usage.value("total_tokens", &tokens);
    usage.end();
    object.members(&response.extra, at_home, &MEMBERS, ("", &mut report));
    object.end();
    Ok(report.into_encoded(body))
}

fn write_embedding(
    out: &mut Vec<u8>,
    index: usize,
    embedding: &Embedding,
    options: &ReplyOptions,
    (at_home, report): (bool, &mut Report),
) -> Result<(), EncodeError> {
    let mut object = ObjectWriter::new(out);
    object.value("object", "embedding");
    object.value("index", &index);
    let written = embedding
        .vector
        .encode(options.encoding, object.key("embedding"));
    written.map_err(|error| EncodeError::Invalid {
        path: format!("data[{index}].embedding"),
        reason: error.to_string(),
    })?;
    let known = &EMBEDDING_MEMBERS;
    object.members(&embedding.extra, at_home, known, ("", report));
    object.end();
    Ok(())
}
