//! Embeddings.

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

pub(crate) fn encode_request(
    from: EmbeddingFormat,
    to: EmbeddingFormat,
    model: &str,
    body: &[u8],
) -> Value {
    let target = EmbeddingTarget {
        model,
        dialect: &EmbeddingDialect::new(to, "/"),
    };
    let request = match embedding_codec(from).decode_request(body) {
        Ok(request) => request,
        Err(error) => return failure::of_decode(&error),
    };
    match embedding_codec(to).encode_request(&request, &target) {
        Ok(encoded) => show_encoded(encoded),
        Err(error) => failure::of_encode(&error),
    }
}
