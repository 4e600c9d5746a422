//! Embeddings: answers with large lists of numbers, or base64 of them.

use anyhow::{Context as _, Result};
use fkm_dialect::{EmbeddingDialect, EmbeddingFormat};
use fkm_llm::embedding::{
    Embedding, EmbeddingInput, EmbeddingRequest, EmbeddingResponse, Encoding, Members,
    ReplyOptions, Vector,
};
use fkm_llm::{EmbeddingTarget, embedding_codec};
use serde::Serialize;

use crate::measure::{Cost, measure};

/// Vectors of the answer, and numbers of each.
pub(crate) const VECTORS: usize = 8;
pub(crate) const NUMBERS: usize = 1536;
/// Texts of the request.
const TEXTS: usize = 16;

/// What a client of one format pays for a provider of another.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) client: EmbeddingFormat,
    pub(crate) provider: EmbeddingFormat,
    /// A request with 16 texts.
    pub(crate) request: Cost,
    /// One vector of 1,536 numbers: lists as lists.
    pub(crate) floats: Cost,
    /// Lists as base64; `None` where clients of the format cannot have that.
    pub(crate) to_base64: Option<Cost>,
    /// Base64 as lists; `None` where providers of the format do not give it.
    pub(crate) from_base64: Option<Cost>,
}

/// A provider's answer with so many vectors, as lists or as base64.
pub(crate) fn answer(home: EmbeddingFormat, vectors: usize, base64: bool) -> Result<Vec<u8>> {
    let numbers: Vec<f32> = (0..NUMBERS)
        .map(|at| f32::from(u16::try_from(at).unwrap_or_default()).sin() / 30.0)
        .collect();
    let embedding = Embedding {
        vector: Vector::from_values(&numbers)?,
        extra: Members::new(),
    };
    let response = EmbeddingResponse {
        origin: home,
        model: Some("m".to_owned()),
        embeddings: vec![embedding; vectors],
        usage: None,
        extra: Members::new(),
    };
    written(home, &response, base64)
}

fn written(home: EmbeddingFormat, response: &EmbeddingResponse, base64: bool) -> Result<Vec<u8>> {
    let options = ReplyOptions {
        encoding: if base64 {
            Encoding::Base64
        } else {
            Encoding::Float
        },
        ..ReplyOptions::default()
    };
    let encoded = embedding_codec(home).encode_response(response, &options);
    Ok(encoded.with_context(|| home.to_string())?.body)
}

/// The answer for the client, who wants lists or base64.
pub(crate) fn translated(
    client: EmbeddingFormat,
    provider: EmbeddingFormat,
    base64: bool,
    body: &[u8],
) -> Result<Vec<u8>> {
    let response = embedding_codec(provider).decode_response(body)?;
    written(client, &response, base64)
}

/// Measures one pair.
pub(crate) fn pair(
    client: EmbeddingFormat,
    provider: EmbeddingFormat,
    samples: usize,
) -> Result<Row> {
    let dialect = EmbeddingDialect::new(provider, "/x");
    let target = |dialect| EmbeddingTarget {
        model: "m",
        dialect,
    };
    let text = EmbeddingInput::Text("Which replica ran out of retries, and when?".to_owned());
    let request = EmbeddingRequest::new(client, "m", vec![text; TEXTS]);
    let home = EmbeddingDialect::new(client, "/x");
    let body = embedding_codec(client)
        .encode_request(&request, &target(&home))?
        .body;
    let asked = || {
        let request = embedding_codec(client).decode_request(&body)?;
        let encoded = embedding_codec(provider).encode_request(&request, &target(&dialect));
        anyhow::Ok(encoded?.body)
    };
    asked().with_context(|| format!("{client} to {provider}"))?;
    let cost = |from: bool, to: bool| {
        let body = answer(provider, VECTORS, from)?;
        translated(client, provider, to, &body)?;
        anyhow::Ok(measure(samples, VECTORS, || {
            translated(client, provider, to, &body)
        }))
    };
    Ok(Row {
        client,
        provider,
        request: measure(samples, 1, asked),
        floats: cost(false, false)?,
        to_base64: cost(false, true).ok(),
        from_base64: cost(true, false).ok(),
    })
}
