//! Embeddings.

use anyhow::Context as _;
use fkm_llm::embedding::{Encoding, ReplyOptions};
use fkm_llm::{EmbeddingDialect, EmbeddingFormat, EmbeddingTarget, embedding_codec};
use serde_json::{Value, json};

use crate::answer;
use crate::failure;
use crate::run::show_encoded;

pub(crate) fn decode_response(from: EmbeddingFormat, body: &[u8]) -> Value {
    match embedding_codec(from).decode_response(body) {
        Ok(response) => match answer::of_embeddings(&response) {
            Ok(answer) => json!({"answer": answer}),
            Err(error) => failure::of_vector(error),
        },
        Err(error) => failure::of_decode(&error),
    }
}

pub(crate) fn reencode(
    from: EmbeddingFormat,
    to: EmbeddingFormat,
    base64: bool,
    body: &[u8],
) -> Value {
    let options = ReplyOptions {
        encoding: if base64 {
            Encoding::Base64
        } else {
            Encoding::Float
        },
        ..ReplyOptions::default()
    };
    match embedding_codec(from).decode_response(body) {
        Ok(response) => match embedding_codec(to).encode_response(&response, &options) {
            Ok(encoded) => show_encoded(encoded),
            Err(error) => failure::of_encode(&error),
        },
        Err(error) => failure::of_decode(&error),
    }
}

/// What a preset says of it, or the format without any deviation.
pub(crate) fn dialect_of(
    name: EmbeddingFormat,
    preset: Option<&str>,
) -> anyhow::Result<EmbeddingDialect> {
    let Some(preset) = preset else {
        return Ok(EmbeddingDialect::new(name, "/"));
    };
    let found = fkm_catalog::preset(preset).with_context(|| format!("no preset {preset}"))?;
    let dialect = found.embeddings.clone().filter(|one| one.format == name);
    dialect.with_context(|| format!("{preset} speaks another format"))
}

pub(crate) fn encode_request(
    from: EmbeddingFormat,
    to: &EmbeddingDialect,
    model: &str,
    body: &[u8],
) -> Value {
    let target = EmbeddingTarget { model, dialect: to };
    let request = match embedding_codec(from).decode_request(body) {
        Ok(request) => request,
        Err(error) => return failure::of_decode(&error),
    };
    match embedding_codec(to.format).encode_request(&request, &target) {
        Ok(encoded) => show_encoded(encoded),
        Err(error) => failure::of_encode(&error),
    }
}
