//! Written by hand: both formats, from and to each other.

use fkm_llm::rerank::RerankReply;
use fkm_llm::{ClientError, DecodeError, ErrorKind, FailureClass, RerankFormat, rerank_codec};
use http::HeaderMap;
use serde_json::{Value, json};

use crate::send;

const COHERE: RerankFormat = RerankFormat::CohereRerank;
const VOYAGE: RerankFormat = RerankFormat::VoyageRerank;

/// A request of one format as the other's, and what was dropped.
fn request(from: RerankFormat, to: RerankFormat, body: &Value) -> (Value, Vec<String>) {
    let request = rerank_codec(from)
        .decode_request(body.to_string().as_bytes())
        .unwrap();
    let (body, dropped) = send(&request, to, false).unwrap();
    (serde_json::from_str(&body).unwrap(), dropped)
}

/// An answer of one format as the other's, and what was dropped.
fn answer(
    from: RerankFormat,
    to: RerankFormat,
    body: &Value,
    reply: &RerankReply,
) -> (Value, Vec<String>) {
    let answer = rerank_codec(from)
        .decode_response(body.to_string().as_bytes())
        .unwrap();
    let encoded = rerank_codec(to).encode_response(&answer, reply);
    (
        serde_json::from_slice(&encoded.body).unwrap(),
        encoded.dropped,
    )
}

#[test]
fn a_request_goes_both_ways() {
    let cohere = json!({
        "model": "m", "query": "q", "documents": ["a", "b"], "top_n": 1,
        "max_tokens_per_doc": 9, "return_documents": true, "priority": 2,
    });
    let (body, dropped) = request(COHERE, VOYAGE, &cohere);
    assert_eq!(
        body,
        json!({"model": "m", "query": "q", "documents": ["a", "b"], "top_k": 1})
    );
    assert_eq!(dropped, ["max_tokens_per_doc", "priority"]);
    let voyage = json!({
        "model": "m", "query": "q", "documents": ["a"], "top_k": 1, "truncation": false,
    });
    let (body, dropped) = request(VOYAGE, COHERE, &voyage);
    assert_eq!(
        body,
        json!({"model": "m", "query": "q", "documents": ["a"], "top_n": 1})
    );
    assert_eq!(dropped, ["truncation"]);
}

#[test]
fn documents_with_fields_are_ranked_as_they_are_or_not_at_all() {
    let cohere = json!({
        "model": "m", "query": "q", "documents": [{"title": "t", "text": "a"}], "rank_fields": ["title"],
    });
    let (body, dropped) = request(COHERE, COHERE, &cohere);
    assert_eq!((body, dropped), (cohere.clone(), vec![]));
    let read = rerank_codec(COHERE)
        .decode_request(cohere.to_string().as_bytes())
        .unwrap();
    assert_eq!(
        send(&read, VOYAGE, false).unwrap_err(),
        "documents[0] cannot be sent to a provider of format voyage.rerank: it ranks texts only; write the fields into one text"
    );
}

#[test]
fn an_answer_shows_the_documents_that_the_client_asked_for() {
    let asked =
        json!({"model": "m", "query": "q", "documents": ["a", "b"], "return_documents": true});
    let asked = rerank_codec(COHERE)
        .decode_request(asked.to_string().as_bytes())
        .unwrap();
    let voyage = json!({
        "object": "list", "data": [{"index": 1, "relevance_score": 0.742_187_5}, {"index": 0, "relevance_score": 0.5}],
        "model": "rerank-2", "usage": {"total_tokens": 57},
    });
    let (body, dropped) = answer(VOYAGE, COHERE, &voyage, &asked.reply());
    assert_eq!(
        body,
        json!({
            "results": [
                {"index": 1, "relevance_score": 0.742_187_5, "document": {"text": "b"}},
                {"index": 0, "relevance_score": 0.5, "document": {"text": "a"}},
            ],
            "model": "rerank-2", "meta": {"tokens": {"input_tokens": 57}},
        })
    );
    assert_eq!(dropped, [""; 0]);
    let (body, dropped) = answer(COHERE, VOYAGE, &body, &RerankReply::default());
    assert_eq!(body["data"][0]["document"], "b");
    assert_eq!(body["usage"], voyage["usage"]);
    assert_eq!(dropped, [""; 0]);
}

#[test]
fn search_units_are_kept_and_told_where_there_is_a_place() {
    let cohere = json!({
        "id": "r1", "results": [{"index": 0, "relevance_score": 0.9, "relevant_spans": []}],
        "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 2, "pages": 1}},
    });
    let decoded = rerank_codec(COHERE)
        .decode_response(cohere.to_string().as_bytes())
        .unwrap();
    assert_eq!(decoded.search_units, Some(2));
    let (body, dropped) = answer(COHERE, COHERE, &cohere, &RerankReply::default());
    assert_eq!((body, dropped), (cohere.clone(), vec![]));
    let (body, dropped) = answer(COHERE, VOYAGE, &cohere, &RerankReply::default());
    assert_eq!(
        body,
        json!({
            "object": "list", "data": [{"index": 0, "relevance_score": 0.9}], "model": "", "usage": {"total_tokens": 0},
        })
    );
    assert_eq!(
        dropped,
        [
            "id",
            "meta.api_version",
            "meta.billed_units.pages",
            "result.relevant_spans",
            "search_units",
        ]
    );
}

#[test]
fn errors_of_both() {
    let body = br#"{"id":"e1","message":"invalid token"}"#;
    let error = rerank_codec(COHERE).decode_error(498, &HeaderMap::new(), body);
    assert_eq!(error.class, Some(FailureClass::CredentialRejected));
    let body = br#"{"detail":"Model x is not supported."}"#;
    let error = rerank_codec(VOYAGE).decode_error(400, &HeaderMap::new(), body);
    assert!(error.message.contains("Model x is not supported."));
    let told = ClientError::new(ErrorKind::RateLimited, "slow down");
    for (format, expected) in [
        (COHERE, json!({"message": "slow down"})),
        (VOYAGE, json!({"detail": "slow down"})),
    ] {
        let body: Value =
            serde_json::from_slice(&rerank_codec(format).encode_error(&told)).unwrap();
        assert_eq!(body, expected);
        let inside = rerank_codec(format).decode_response(expected.to_string().as_bytes());
        assert!(
            matches!(inside, Err(DecodeError::Provider(_))),
            "{inside:?}"
        );
    }
}
