//! Embeddings: what is written by hand, the laws, and what was recorded.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod cohere;
mod gemini;
mod laws;
mod openai;
mod recorded;
#[path = "../support/recordings.rs"]
mod recordings;

use fkm_llm::embedding::{EmbeddingRequest, Encoding, ReplyOptions};
use fkm_llm::{
    EmbeddingCodec, EmbeddingDialect, EmbeddingFormat, EmbeddingTarget, embedding_codec,
};

fn dialect(format: EmbeddingFormat) -> EmbeddingDialect {
    EmbeddingDialect::new(format, "/x")
}

/// A request written for a provider of `dialect`: its body and what was dropped.
fn send(
    request: &EmbeddingRequest,
    dialect: &EmbeddingDialect,
) -> Result<(String, Vec<String>), String> {
    let target = EmbeddingTarget {
        model: "m",
        dialect,
    };
    let encoded = embedding_codec(dialect.format).encode_request(request, &target);
    let encoded = encoded.map_err(|error| error.to_string())?;
    Ok((String::from_utf8(encoded.body).unwrap(), encoded.dropped))
}

fn wanted(encoding: Encoding) -> ReplyOptions {
    ReplyOptions {
        encoding,
        ..ReplyOptions::default()
    }
}

fn codec(format: EmbeddingFormat) -> &'static dyn EmbeddingCodec {
    embedding_codec(format)
}
