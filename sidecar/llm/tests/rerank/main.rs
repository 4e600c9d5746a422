//! Reranking: what is written by hand, the laws, and what was recorded.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod laws;
mod recorded;
#[path = "../support/recordings.rs"]
mod recordings;
mod written;

use fkm_llm::rerank::RerankRequest;
use fkm_llm::{RerankDialect, RerankFormat, RerankTarget, rerank_codec};

/// A request written for a provider: its body and what was dropped. `returns`: the provider gives documents back.
fn send(
    request: &RerankRequest,
    to: RerankFormat,
    returns: bool,
) -> Result<(String, Vec<String>), String> {
    let mut dialect = RerankDialect::new(to, "/x");
    dialect.returns_documents = returns;
    let target = RerankTarget {
        model: "m",
        dialect: &dialect,
    };
    let encoded = rerank_codec(to).encode_request(request, &target);
    let encoded = encoded.map_err(|error| error.to_string())?;
    Ok((String::from_utf8(encoded.body).unwrap(), encoded.dropped))
}
