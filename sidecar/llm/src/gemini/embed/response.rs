//! Answers: `embedding`, `embeddings`, or Vertex' `predictions`.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::embedding::{Embedding, EmbeddingResponse, Encoding, ReplyOptions, Shape, Vector};
use crate::error::{DecodeError, EncodeError};
use crate::format::Encoded;
use crate::gemini::embed::FORMAT;
use crate::gemini::error;
use crate::ir::Usage;
use crate::json::{Object, ObjectWriter, Path, Report, array};

/// The members of an answer that the representation has.
const MEMBERS: [&str; 4] = ["embedding", "embeddings", "predictions", "usageMetadata"];

/// What `predict` says of each text.
#[derive(Deserialize)]
struct Statistics {
    token_count: Option<f64>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct UsageIn {
    prompt_token_count: Option<u64>,
    total_token_count: Option<u64>,
}

/// Reads a provider's answer of any method.
pub(super) fn decode(body: &[u8]) -> Result<EmbeddingResponse, DecodeError> {
    if let Some(reported) = error::inside(body) {
        return Err(DecodeError::Provider(Box::new(reported)));
    }
    let mut object = Object::parse(body, &Path::Root)?;
    let mut counted = None;
    let embeddings = if let Some(raw) = object.raw("embedding") {
        let path = object.path().member("embedding");
        vec![embedding(raw, &path)?]
    } else if let Some(raw) = object.raw("predictions") {
        let path = object.path().member("predictions");
        let mut all = Vec::new();
        for (index, raw) in array(raw, &path)?.into_iter().enumerate() {
            let path = path.item(index);
            let mut prediction = Object::from_raw(raw, &path)?;
            let inner = path.member("embeddings");
            let one = embedding(prediction.required("embeddings")?, &inner)?;
            counted = add(counted, tokens(&one));
            all.push(one);
        }
        all
    } else {
        let path = object.path().member("embeddings");
        let raw = object.required("embeddings")?;
        let all = (0..).zip(array(raw, &path)?);
        all.map(|(index, raw)| embedding(raw, &path.item(index)))
            .collect::<Result<Vec<Embedding>, DecodeError>>()?
    };
    if embeddings.is_empty() {
        return Err(object.invalid("embeddings", "an array with at least one embedding"));
    }
    let told = object.raw("usageMetadata").and_then(usage);
    Ok(EmbeddingResponse {
        origin: FORMAT,
        model: None,
        embeddings,
        usage: told.or(counted).map(|input_tokens| Usage {
            input_tokens,
            ..Usage::default()
        }),
        extra: object.into_members(),
    })
}

fn embedding(raw: &RawValue, path: &Path<'_>) -> Result<Embedding, DecodeError> {
    let mut object = Object::from_raw(raw, path)?;
    let vector = Vector::decode(object.required("values")?, &path.member("values"))?;
    let extra = object.into_members();
    Ok(Embedding { vector, extra })
}

/// The tokens of one text, which Google writes as a number with or without a fraction.
fn tokens(embedding: &Embedding) -> Option<u64> {
    let statistics = embedding.extra.get("statistics")?;
    let statistics: Statistics = serde_json::from_str(statistics.get()).ok()?;
    let count = statistics.token_count.filter(|count| *count >= 0.0)?;
    // A count that is no whole number is none.
    format!("{count:.0}").parse().ok()
}

fn add(sum: Option<u64>, more: Option<u64>) -> Option<u64> {
    match (sum, more) {
        (Some(sum), Some(more)) => Some(sum.saturating_add(more)),
        (sum, more) => sum.or(more),
    }
}

fn usage(raw: &RawValue) -> Option<u64> {
    let wire: UsageIn = serde_json::from_str(raw.get()).ok()?;
    wire.prompt_token_count.or(wire.total_token_count)
}

/// Writes an answer for a client, in the shape of the method that it called.
pub(super) fn encode(
    response: &EmbeddingResponse,
    options: &ReplyOptions,
) -> Result<Encoded, EncodeError> {
    let mut body = Vec::with_capacity(1024);
    let mut report = Report::default();
    let at_home = response.origin == FORMAT;
    let mut object = ObjectWriter::new(&mut body);
    let name = match options.shape {
        Shape::One => "embedding",
        Shape::Many => "embeddings",
        Shape::Predictions => "predictions",
    };
    let many = options.shape != Shape::One;
    let out = object.key(name);
    if many {
        out.push(b'[');
    }
    let shown = if many { response.embeddings.len() } else { 1 };
    for (index, embedding) in response.embeddings.iter().take(shown).enumerate() {
        if index > 0 {
            out.push(b',');
        }
        if options.shape == Shape::Predictions {
            let mut prediction = ObjectWriter::new(out);
            let inner = prediction.key("embeddings");
            write_embedding(inner, index, embedding, (at_home, &mut report))?;
            prediction.end();
        } else {
            write_embedding(out, index, embedding, (at_home, &mut report))?;
        }
    }
    if many {
        out.push(b']');
    }
    if let Some(usage) = response.usage {
        let mut counts = ObjectWriter::new(object.key("usageMetadata"));
        counts.value("promptTokenCount", &usage.input_tokens);
        counts.value("totalTokenCount", &usage.input_tokens);
        counts.end();
    }
    object.members(&response.extra, at_home, &MEMBERS, ("", &mut report));
    object.end();
    Ok(report.into_encoded(body))
}

/// Always as a list: the format has no other way.
fn write_embedding(
    out: &mut Vec<u8>,
    index: usize,
    embedding: &Embedding,
    (at_home, report): (bool, &mut Report),
) -> Result<(), EncodeError> {
    let mut object = ObjectWriter::new(out);
    let written = embedding
        .vector
        .encode(Encoding::Float, object.key("values"));
    written.map_err(|error| EncodeError::Invalid {
        path: format!("embeddings[{index}].values"),
        reason: error.to_string(),
    })?;
    object.members(&embedding.extra, at_home, &["values"], ("", report));
    object.end();
    Ok(())
}
