//! What each provider is sent that makes vectors or ranks, and what is made of its answer and its error.

use fkm_llm::embedding_codec;

use fkm_llm::rerank_codec;

use fkm_llm::{
    EmbeddingFormat, EmbeddingTarget, Encoded, ProviderError, RerankFormat, RerankTarget,
};
use http::{HeaderMap, HeaderName};
use serde_json::{Value, json};

use crate::case::{Asked, asked, records};

/// Floors on what is shown.
const AT_LEAST: (usize, usize) = (23, 7);

/// A client of OpenAI's format that wants whatever can be wanted.
fn texts() -> Value {
    json!({
        "model": "x", "input": ["a", "b"], "encoding_format": "base64", "dimensions": 256, "input_type": "query", "user": "u",
    })
}

/// A client of Cohere's first version, which could have its documents back.
fn documents() -> Value {
    json!({
        "model": "x", "query": "q", "documents": ["a", "b"], "top_n": 1, "return_documents": true, "max_tokens_per_doc": 9,
    })
}

fn check(name: &str, asked: &Asked, encoded: &Encoded, says: &Value) {
    let sent: Value = serde_json::from_slice(&encoded.body).unwrap();
    assert_eq!(sent, asked.body, "{name}");
    assert_eq!(encoded.dropped, asked.dropped, "{name}");
    assert_eq!(*says, asked.says, "{name}");
}

fn check_error(
    name: &str,
    asked: &Asked,
    decode: impl Fn(u16, &HeaderMap, &[u8]) -> ProviderError,
) {
    let Some(expected) = &asked.error else { return };
    let mut headers = HeaderMap::new();
    for (name, value) in &expected.headers {
        let header: HeaderName = name.parse().unwrap();
        headers.insert(header, value.parse().unwrap());
    }
    let error = decode(
        expected.status,
        &headers,
        expected.body.to_string().as_bytes(),
    );
    let class = error.class.map(|class| class.name().to_owned());
    assert_eq!(class, expected.class, "{name}");
    assert_eq!(error.message, expected.message, "{name}");
}

#[test]
fn embeddings() {
    let records = records();
    let cases = asked(|case| case.embeddings.as_ref());
    assert!(cases.len() >= AT_LEAST.0, "{}", cases.len());
    for (name, asked) in cases {
        let dialect = records[&name].embeddings.as_ref().unwrap();
        let client = embedding_codec(EmbeddingFormat::OpenAiEmbeddings);
        let home = embedding_codec(dialect.format);
        let request = client
            .decode_request(texts().to_string().as_bytes())
            .unwrap();
        let target = EmbeddingTarget {
            model: "m",
            dialect,
        };
        let encoded = home.encode_request(&request, &target).unwrap();
        let answer = home
            .decode_response(asked.answer.to_string().as_bytes())
            .unwrap();
        let vectors: Vec<Vec<f32>> = answer
            .embeddings
            .iter()
            .map(|one| one.vector.values().unwrap())
            .collect();
        let tokens = answer.usage.map(|usage| usage.input_tokens);
        let says = json!({"vectors": vectors, "tokens": tokens});
        check(&name, &asked, &encoded, &says);
        check_error(&name, &asked, |status, headers, body| {
            home.decode_error(status, headers, body)
        });
    }
}

#[test]
fn ranks() {
    let records = records();
    let cases = asked(|case| case.ranks.as_ref());
    assert!(cases.len() >= AT_LEAST.1, "{}", cases.len());
    for (name, asked) in cases {
        let dialect = records[&name].ranks.as_ref().unwrap();
        let client = rerank_codec(RerankFormat::CohereRerank);
        let home = rerank_codec(dialect.format);
        let request = client
            .decode_request(documents().to_string().as_bytes())
            .unwrap();
        let target = RerankTarget {
            model: "m",
            dialect,
        };
        let encoded = home.encode_request(&request, &target).unwrap();
        let answer = home
            .decode_response(asked.answer.to_string().as_bytes())
            .unwrap();
        let ranks: Vec<(usize, &str)> = answer
            .results
            .iter()
            .map(|one| (one.index, one.score.get()))
            .collect();
        let tokens = answer.usage.map(|usage| usage.input_tokens);
        let says = json!({"ranks": ranks, "tokens": tokens, "searches": answer.search_units});
        check(&name, &asked, &encoded, &says);
        check_error(&name, &asked, |status, headers, body| {
            home.decode_error(status, headers, body)
        });
    }
}
