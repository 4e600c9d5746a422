//! Recorded embeddings of OpenAI, Azure, Mistral, Voyage, Cohere and Vertex: requests round-trip, answers are read, and base64 and lists of the
//! same answer are the same numbers.

use std::collections::BTreeMap;

use fkm_llm::embedding::{Encoding, Vector};
use fkm_llm::{EmbeddingDialect, EmbeddingFormat};
use http::HeaderMap;
use serde_json::Value;

use crate::recordings::{exchanges, fixtures, say};
use crate::{codec, dialect, send, wanted};

/// The format and the provider's record, by where it was recorded.
fn recorded_in(exchange: &Value) -> Option<EmbeddingDialect> {
    let path = exchange["path"].as_str()?;
    if path.ends_with("/v2/embed") {
        return Some(dialect(EmbeddingFormat::CohereEmbed));
    }
    if path.ends_with(":embedContent") || path.ends_with(":predict") {
        let mut dialect = dialect(EmbeddingFormat::GeminiEmbed);
        path.clone_into(&mut dialect.path);
        return Some(dialect);
    }
    if !path.ends_with("/embeddings") {
        return None;
    }
    let mut dialect = dialect(EmbeddingFormat::OpenAiEmbeddings);
    dialect.input_type = exchange["host"] == "api.voyageai.com";
    Some(dialect)
}

/// The request for the provider that it was recorded with: read again it says the same.
fn request(exchange: &Value, dialect: &EmbeddingDialect, name: &str) -> Encoding {
    let codec = codec(dialect.format);
    let body = exchange["req"].to_string();
    let request = codec.decode_request(body.as_bytes()).unwrap();
    let (sent, dropped) = send(&request, dialect).unwrap();
    assert_eq!(dropped, Vec::<String>::new(), "{name}");
    let mut again = codec.decode_request(sent.as_bytes()).unwrap();
    again.model.clone_from(&request.model);
    assert_eq!(again, request, "{name}");
    request.encoding
}

/// The answer, in both encodings; what came is kept as it came.
fn answer(body: &[u8], dialect: &EmbeddingDialect, asked: Encoding, name: &str) {
    let codec = codec(dialect.format);
    let answer = codec.decode_response(body).unwrap();
    assert!(answer.usage.is_some(), "{name}");
    for encoding in [Encoding::Float, Encoding::Base64] {
        let shown = codec.encode_response(&answer, &wanted(encoding)).unwrap();
        assert_eq!(shown.dropped, Vec::<String>::new(), "{name}");
        let read = codec.decode_response(&shown.body).unwrap();
        for (shown, came) in read.embeddings.iter().zip(&answer.embeddings) {
            assert_eq!(
                shown.vector.values(),
                came.vector.values(),
                "{name} as {encoding:?}"
            );
        }
        if encoding == asked {
            assert_eq!(read, answer, "{name}");
        }
    }
    let as_asked =
        |vector: &Vector| matches!(vector, Vector::Base64(_)) == (asked == Encoding::Base64);
    let embeddings = &answer.embeddings;
    assert!(embeddings.iter().all(|one| as_asked(&one.vector)), "{name}");
}

#[test]
fn embeddings() {
    let Some(folder) = fixtures() else { return };
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for exchange in exchanges(&folder) {
        let Some(dialect) = recorded_in(&exchange) else {
            continue;
        };
        let name = exchange["key"].as_str().unwrap();
        let asked = request(&exchange, &dialect, name);
        let body = exchange["body"].as_str().unwrap().as_bytes();
        let status = exchange["status"].as_u64().unwrap();
        if status == 200 {
            answer(body, &dialect, asked, name);
        } else {
            let status = u16::try_from(status).unwrap();
            let error = codec(dialect.format).decode_error(status, &HeaderMap::new(), body);
            assert!(!error.message.starts_with("the provider"), "{name}");
        }
        let outcome = match (status, asked) {
            (200, Encoding::Base64) => "base64",
            (200, Encoding::Float) => "lists",
            _ => "errors",
        };
        *counts
            .entry(format!("{} {outcome}", dialect.format))
            .or_default() += 1;
    }
    say(&format!("recorded embeddings: {counts:?}"));
    for (what, floor) in [
        ("openai.embeddings base64", 21),
        ("openai.embeddings lists", 7),
        ("openai.embeddings errors", 4),
        ("cohere.embed lists", 4),
        ("gemini.embed lists", 2),
    ] {
        let found = counts.get(what).copied().unwrap_or_default();
        assert!(found >= floor, "{what}: {found}");
    }
}
