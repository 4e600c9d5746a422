//! Rankings.

use fkm_llm::rerank::{RerankReply, RerankTarget, rerank_codec};
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

pub(crate) fn encode_request(
    from: RerankFormat,
    to: RerankFormat,
    model: &str,
    body: &[u8],
) -> Value {
    let target = RerankTarget {
        model,
        dialect: &RerankDialect::new(to, "/"),
    };
    let request = match rerank_codec(from).decode_request(body) {
        Ok(request) => request,
        Err(error) => return failure::of_decode(&error),
    };
    match rerank_codec(to).encode_request(&request, &target) {
        Ok(encoded) => show_encoded(encoded),
        Err(error) => failure::of_encode(&error),
    }
}
