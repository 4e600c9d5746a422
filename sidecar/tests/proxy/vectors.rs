//! Embeddings and rankings: a client of every format with a provider of every format, what goes through as it is, and models
//! that do something else.

use fkm_llm::embedding::{EmbeddingInput, EmbeddingRequest};
use fkm_llm::{EmbeddingDialect, EmbeddingFormat, EmbeddingTarget, RerankFormat, embedding_codec};
use fkm_upstream::Upstream;
use http::StatusCode;
use serde_json::{Value, json};

use crate::formats::http;
use crate::harness::{Reply, Sidecar, provider, snapshot};

/// A provider that makes vectors or ranks, and does not converse.
fn of(member: &str, record: &Value, base_url: &str) -> Value {
    let mut provider = provider("a", base_url, 0);
    let http = provider["connection"]["http"].as_object_mut().unwrap();
    http.remove("dialect");
    http.insert(member.to_owned(), record.clone());
    provider
}

/// Where a client asks, and where a provider is asked.
fn embed_path(format: EmbeddingFormat) -> (&'static str, &'static str) {
    match format {
        EmbeddingFormat::OpenAiEmbeddings => ("/openai/v1/embeddings", "/embeddings"),
        EmbeddingFormat::CohereEmbed => ("/cohere/v2/embed", "/embed"),
        EmbeddingFormat::GeminiEmbed => (
            "/gemini/v1beta/models/m:batchEmbedContents",
            "/models/{model}:batchEmbedContents",
        ),
    }
}

fn embed_question(client: EmbeddingFormat) -> String {
    let texts = ["a", "b"].map(|text| EmbeddingInput::Text(text.to_owned()));
    let request = EmbeddingRequest::new(client, "m", texts.to_vec());
    let dialect = EmbeddingDialect::new(client, embed_path(client).1);
    let target = EmbeddingTarget {
        model: "m",
        dialect: &dialect,
    };
    let encoded = embedding_codec(client).encode_request(&request, &target);
    String::from_utf8(encoded.unwrap().body).unwrap()
}

fn embed_answer(home: EmbeddingFormat) -> Value {
    match home {
        EmbeddingFormat::OpenAiEmbeddings => json!({
            "object": "list", "model": "m-upstream", "usage": {"prompt_tokens": 2, "total_tokens": 2},
            "data": [
                {"object": "embedding", "index": 0, "embedding": [0.5, -1.0]},
                {"object": "embedding", "index": 1, "embedding": [0.25, 2.0]},
            ],
        }),
        EmbeddingFormat::CohereEmbed => json!({
            "id": "e", "texts": ["a", "b"], "embeddings": {"float": [[0.5, -1.0], [0.25, 2.0]]},
            "meta": {"billed_units": {"input_tokens": 2}},
        }),
        EmbeddingFormat::GeminiEmbed => {
            json!({"embeddings": [{"values": [0.5, -1.0]}, {"values": [0.25, 2.0]}]})
        }
    }
}

#[tokio::test]
async fn every_client_gets_the_vectors_of_every_provider() {
    for home in EmbeddingFormat::ALL {
        let upstream = Upstream::start().await.unwrap();
        let record = json!({"format": home, "path": embed_path(home).1});
        let provider = of("embeddings", &record, &upstream.base_url());
        let sidecar = Sidecar::start(&snapshot(&[provider])).await;
        for client in EmbeddingFormat::ALL {
            let answer = embed_answer(home).to_string();
            upstream.script(vec![http("200 OK", "application/json", answer.as_bytes())]);
            let reply = sidecar
                .post(embed_path(client).0, embed_question(client))
                .await;
            assert_eq!(
                reply.status,
                StatusCode::OK,
                "{home} to {client}: {reply:?}"
            );
            let read = embedding_codec(client)
                .decode_response(&reply.body)
                .unwrap();
            let vectors: Vec<Vec<f32>> = read
                .embeddings
                .iter()
                .map(|one| one.vector.values().unwrap())
                .collect();
            assert_eq!(vectors, [[0.5, -1.0], [0.25, 2.0]], "{home} to {client}");
            let path = upstream.requests().pop().unwrap().path;
            assert!(
                path.ends_with(&embed_path(home).1.replace("{model}", "m-upstream")),
                "{path}"
            );
        }
    }
}

fn openai_provider(record: &Value, base_url: &str) -> Value {
    of("embeddings", record, base_url)
}

async fn ask_openai(sidecar: &Sidecar, encoding: &str) -> Reply {
    let body = json!({"model": "m", "input": ["a", "b"], "encoding_format": encoding, "odd": 1});
    sidecar.post("/v1/embeddings", body.to_string()).await
}

#[tokio::test]
async fn an_answer_of_the_clients_own_format_goes_through_as_it_came() {
    let upstream = Upstream::start().await.unwrap();
    let record = json!({"format": "openai.embeddings", "path": "/embeddings"});
    let sidecar =
        Sidecar::start(&snapshot(&[openai_provider(&record, &upstream.base_url())])).await;
    let answer = format!(" {}\n", embed_answer(EmbeddingFormat::OpenAiEmbeddings));
    upstream.script(vec![http("200 OK", "application/json", answer.as_bytes())]);
    let reply = ask_openai(&sidecar, "float").await;
    assert_eq!(reply.body, answer);
    assert_eq!(reply.header("x-fkm-model"), "m-upstream");
    let sent = upstream.requests().pop().unwrap().json();
    assert_eq!(
        (&sent["model"], &sent["odd"]),
        (&json!("m-upstream"), &json!(1))
    );
}

#[tokio::test]
async fn a_provider_without_base64_is_asked_for_numbers() {
    let upstream = Upstream::start().await.unwrap();
    let record = json!({"format": "openai.embeddings", "path": "/embeddings", "base64": false});
    let sidecar =
        Sidecar::start(&snapshot(&[openai_provider(&record, &upstream.base_url())])).await;
    let answer = embed_answer(EmbeddingFormat::OpenAiEmbeddings).to_string();
    upstream.script(vec![http("200 OK", "application/json", answer.as_bytes())]);
    let reply = ask_openai(&sidecar, "base64").await;
    // 0.5 and -1 as 32-bit floats, least significant byte first.
    assert_eq!(reply.json()["data"][0]["embedding"], "AAAAPwAAgL8=");
    let sent = upstream.requests().pop().unwrap().json();
    assert_ne!(sent["encoding_format"], "base64");
}

#[tokio::test]
async fn a_model_is_asked_for_what_it_does() {
    let upstream = Upstream::start().await.unwrap();
    let mut both = provider("a", &upstream.base_url(), 0);
    both["connection"]["http"]["embeddings"] =
        json!({"format": "openai.embeddings", "path": "/embeddings"});
    both["models"] = json!({
        "chat": {"formats": ["openai.chat"]}, "embed": {"formats": ["openai.embeddings"]},
    });
    let sidecar = Sidecar::start(&snapshot(&[both])).await;
    let body = json!({"model": "chat", "input": "a"}).to_string();
    let reply = sidecar.post("/v1/embeddings", body).await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
    let told = reply.json()["error"]["message"].to_string();
    assert!(told.contains("serves embeddings"), "{told}");
    let body =
        json!({"model": "embed", "messages": [{"role": "user", "content": "a"}]}).to_string();
    let reply = sidecar.post("/v1/chat/completions", body).await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
    assert_eq!(upstream.requests().len(), 0);
}

#[tokio::test]
async fn errors_are_told_in_the_clients_words() {
    let upstream = Upstream::start().await.unwrap();
    let record = json!({"format": "openai.embeddings", "path": "/embeddings"});
    let sidecar =
        Sidecar::start(&snapshot(&[openai_provider(&record, &upstream.base_url())])).await;
    let error = json!({"error": {"message": "Too many inputs.", "type": "invalid_request_error"}});
    for client in EmbeddingFormat::ALL {
        let body = error.to_string();
        upstream.script(vec![http(
            "400 Bad Request",
            "application/json",
            body.as_bytes(),
        )]);
        let reply = sidecar
            .post(embed_path(client).0, embed_question(client))
            .await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{client}: {reply:?}");
        let told = embedding_codec(client).decode_error(400, &reply.headers, &reply.body);
        assert!(
            told.message.contains("Too many inputs."),
            "{client}: {reply:?}"
        );
    }
}

#[tokio::test]
async fn documents_are_ranked_by_every_provider() {
    let answers = [
        (
            RerankFormat::CohereRerank,
            json!({"results": [{"index": 1, "relevance_score": 0.75}, {"index": 0, "relevance_score": 0.5}]}),
        ),
        (
            RerankFormat::VoyageRerank,
            json!({
                "object": "list", "model": "m-upstream", "usage": {"total_tokens": 9},
                "data": [{"index": 1, "relevance_score": 0.75}, {"index": 0, "relevance_score": 0.5}],
            }),
        ),
    ];
    for (home, answer) in answers {
        let upstream = Upstream::start().await.unwrap();
        let record = json!({"format": home, "path": "/rerank"});
        let provider = of("ranks", &record, &upstream.base_url());
        let sidecar = Sidecar::start(&snapshot(&[provider])).await;
        upstream.script(vec![http(
            "200 OK",
            "application/json",
            answer.to_string().as_bytes(),
        )]);
        let body = json!({
            "model": "m", "query": "q", "documents": ["a", "b"], "return_documents": true,
        });
        let body = body.to_string();
        let reply = sidecar.post("/cohere/v2/rerank", body).await;
        assert_eq!(reply.status, StatusCode::OK, "{home}: {reply:?}");
        let first = &reply.json()["results"][0];
        assert_eq!(
            (&first["index"], &first["document"]["text"]),
            (&json!(1), &json!("b")),
            "{home}"
        );
    }
}

#[tokio::test]
async fn a_large_answer_goes_through_and_is_not_kept() {
    let upstream = Upstream::start().await.unwrap();
    let record = json!({"format": "openai.embeddings", "path": "/embeddings"});
    let sidecar =
        Sidecar::start(&snapshot(&[openai_provider(&record, &upstream.base_url())])).await;
    let mut answer = embed_answer(EmbeddingFormat::OpenAiEmbeddings);
    answer["data"][0]["embedding"] = json!(vec![0.123_456_789; 800_000]);
    let answer = answer.to_string();
    assert!(answer.len() > 8 * 1024 * 1024);
    upstream.script(vec![http("200 OK", "application/json", answer.as_bytes())]);
    let reply = ask_openai(&sidecar, "float").await;
    assert_eq!(reply.body.len(), answer.len());
}
