//! Cohere's embeddings, by hand.

use fkm_llm::embedding::{EmbeddingRequest, Encoding};
use fkm_llm::{DecodeError, EmbeddingFormat};
use serde_json::{Value, json};

use crate::{codec, dialect, send, wanted};

const COHERE: EmbeddingFormat = EmbeddingFormat::CohereEmbed;
const OPENAI: EmbeddingFormat = EmbeddingFormat::OpenAiEmbeddings;

fn read(from: EmbeddingFormat, body: &Value) -> EmbeddingRequest {
    codec(from)
        .decode_request(body.to_string().as_bytes())
        .unwrap()
}

/// A request of one format as the other's, and what was dropped.
fn request(from: EmbeddingFormat, to: EmbeddingFormat, body: &Value) -> (Value, Vec<String>) {
    let mut dialect = dialect(to);
    dialect.input_type = true;
    let (body, dropped) = send(&read(from, body), &dialect).unwrap();
    (serde_json::from_str(&body).unwrap(), dropped)
}

/// An answer of one format as the other's, and what was dropped.
fn answer(
    from: EmbeddingFormat,
    to: EmbeddingFormat,
    body: &Value,
    encoding: Encoding,
) -> (Value, Vec<String>) {
    let answer = codec(from)
        .decode_response(body.to_string().as_bytes())
        .unwrap();
    let encoded = codec(to)
        .encode_response(&answer, &wanted(encoding))
        .unwrap();
    (
        serde_json::from_slice(&encoded.body).unwrap(),
        encoded.dropped,
    )
}

#[test]
fn an_openai_client_need_not_say_what_the_vectors_are_for() {
    let openai = json!({"model": "x", "input": ["a", "b"], "dimensions": 256, "encoding_format": "base64", "user": "u"});
    let (body, dropped) = request(OPENAI, COHERE, &openai);
    assert_eq!(
        body,
        json!({
            "model": "m", "texts": ["a", "b"], "input_type": "search_document",
            "embedding_types": ["base64"], "output_dimension": 256,
        })
    );
    assert_eq!(dropped, ["user"]);
    let tokens = read(OPENAI, &json!({"model": "x", "input": [[1, 2]]}));
    assert_eq!(
        send(&tokens, &dialect(COHERE)).unwrap_err(),
        "input[0] cannot be sent to a provider of format cohere.embed: it embeds texts, not tokens or parts of another format; send text"
    );
}

#[test]
fn what_the_vectors_are_for_goes_both_ways() {
    let cohere = json!({"model": "m", "texts": ["a"], "input_type": "search_query", "truncate": "END", "priority": 1});
    let (body, dropped) = request(COHERE, OPENAI, &cohere);
    assert_eq!(
        body,
        json!({"model": "m", "input": ["a"], "input_type": "query"})
    );
    assert_eq!(dropped, ["priority", "truncate"]);
    let (body, dropped) = request(OPENAI, COHERE, &body);
    assert_eq!(body["input_type"], "search_query");
    assert_eq!(dropped, [""; 0]);
}

#[test]
fn its_own_inputs_and_types_stay() {
    for mut cohere in [
        json!({"images": ["data:image/png;base64,AA=="], "input_type": "image", "embedding_types": ["float", "int8"]}),
        json!({"inputs": [{"content": [
            {"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
        ]}], "input_type": "clustering", "embedding_types": ["ubinary"], "truncate": "NONE"}),
    ] {
        cohere["model"] = json!("m");
        let (body, dropped) = request(COHERE, COHERE, &cohere);
        assert_eq!((body, dropped), (cohere.clone(), vec![]));
        assert!(send(&read(COHERE, &cohere), &dialect(OPENAI)).is_err());
    }
}

#[test]
fn an_answer_of_several_types_survives_and_shows_its_floats() {
    let cohere = json!({
        "id": "e1", "response_type": "embeddings_by_type", "texts": ["a"],
        "embeddings": {"float": [[0.25, 1.0]], "int8": [[31, 127]]},
        "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": 2, "image_tokens": 0}},
    });
    let (body, dropped) = answer(COHERE, COHERE, &cohere, Encoding::Float);
    assert_eq!((body, dropped), (cohere.clone(), vec![]));
    let (body, dropped) = answer(COHERE, OPENAI, &cohere, Encoding::Base64);
    assert_eq!(body["data"][0]["embedding"], "AACAPgAAgD8=");
    assert_eq!(body["usage"]["prompt_tokens"], 2);
    assert_eq!(
        dropped,
        [
            "embeddings.int8",
            "id",
            "meta.api_version",
            "meta.billed_units.image_tokens",
            "texts",
        ]
    );
    let mut bits = cohere;
    bits["embeddings"] = json!({"ubinary": [[129, 7]]});
    let (body, dropped) = answer(COHERE, COHERE, &bits, Encoding::Float);
    assert_eq!((body, dropped), (bits, vec![]));
}

#[test]
fn an_answer_of_openai_to_a_client_of_cohere() {
    let openai = json!({
        "object": "list", "model": "x", "usage": {"prompt_tokens": 3, "total_tokens": 3},
        "data": [{"object": "embedding", "index": 0, "embedding": [0.25]}],
    });
    let (body, dropped) = answer(OPENAI, COHERE, &openai, Encoding::Float);
    assert_eq!(
        body,
        json!({
            "response_type": "embeddings_by_type", "id": "", "embeddings": {"float": [[0.25]]},
            "meta": {"billed_units": {"input_tokens": 3}},
        })
    );
    assert_eq!(dropped, ["model"]);
}

#[test]
fn an_answer_without_a_vector_is_none() {
    let cohere = json!({"id": "e1", "embeddings": {"float": []}, "texts": ["a"]});
    let error = codec(COHERE).decode_response(cohere.to_string().as_bytes());
    let expected = "an array with at least one embedding".to_owned();
    let path = "embeddings.float".to_owned();
    assert_eq!(error, Err(DecodeError::Invalid { path, expected }));
}
