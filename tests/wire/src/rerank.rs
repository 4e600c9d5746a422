//! Rankings.

use anyhow::Context as _;
use fkm_llm::rerank::{RerankReply, RerankTarget};
use fkm_llm::rerank_codec;
use fkm_llm::{RerankDialect, RerankFormat};
use serde_json::{Value, json};

use crate::answer;
use crate::failure;
use crate::run::show_encoded;

pub(crate) fn decode_response(from: RerankFormat, body: &[u8]) -> Value {
    match rerank_codec(from).decode_response(body) {
        Ok(response) => json!({"answer": answer::of_ranking(&response)}),
        Err(error) => failure::of_decode(&error),
    }
}

pub(crate) fn reencode(from: RerankFormat, to: RerankFormat, body: &[u8]) -> Value {
    match rerank_codec(from).decode_response(body) {
        Ok(response) => {
            let reply = RerankReply::default();
            show_encoded(rerank_codec(to).encode_response(&response, &reply))
        }
        Err(error) => failure::of_decode(&error),
    }
}

/// What a preset says of it, or the format without any deviation.
pub(crate) fn dialect_of(
    name: RerankFormat,
    preset: Option<&str>,
) -> anyhow::Result<RerankDialect> {
    let Some(preset) = preset else {
        return Ok(RerankDialect::new(name, "/"));
    };
    let found = fkm_catalog::preset(preset).with_context(|| format!("no preset {preset}"))?;
    let dialect = found.ranks.clone().filter(|one| one.format == name);
    dialect.with_context(|| format!("{preset} speaks another format"))
}

pub(crate) fn encode_request(
    from: RerankFormat,
    to: &RerankDialect,
    model: &str,
    body: &[u8],
) -> Value {
    let target = RerankTarget { model, dialect: to };
    let request = match rerank_codec(from).decode_request(body) {
        Ok(request) => request,
        Err(error) => return failure::of_decode(&error),
    };
    match rerank_codec(to.format).encode_request(&request, &target) {
        Ok(encoded) => show_encoded(encoded),
        Err(error) => failure::of_encode(&error),
    }
}
