//! Requests for embeddings and rankings, and their answers.

use fkm_llm::embedding::ReplyOptions;
use fkm_llm::rerank::{RerankReply, RerankTarget};
use fkm_llm::rerank_codec;
use fkm_llm::{
    EmbeddingDialect, EmbeddingFormat, EmbeddingTarget, RerankDialect, RerankFormat,
    embedding_codec,
};

/// What is understood is written for every format or refused, and what is written is understood.
pub(crate) fn embedding(from: EmbeddingFormat, data: &[u8]) {
    let codec = embedding_codec(from);
    let most = 16 * data.len() + 4096;
    if let Ok(request) = codec.decode_request(data) {
        for to in EmbeddingFormat::ALL {
            let target = EmbeddingTarget {
                model: "m",
                dialect: &EmbeddingDialect::new(to, "/models/{model}:batchEmbedContents"),
            };
            if let Ok(encoded) = embedding_codec(to).encode_request(&request, &target) {
                assert!(
                    encoded.body.len() <= most * (1 + data.len() / 8),
                    "{from} to {to}: bounded"
                );
                let again = embedding_codec(to).decode_request(&encoded.body);
                assert_eq!(again.err(), None, "{from} to {to}: a request");
            }
        }
    }
    if let Ok(response) = codec.decode_response(data) {
        for to in EmbeddingFormat::ALL {
            let encoded = embedding_codec(to).encode_response(&response, &ReplyOptions::default());
            if let Ok(encoded) = encoded {
                let again = embedding_codec(to).decode_response(&encoded.body);
                assert_eq!(again.err(), None, "{from} to {to}: an answer");
            }
        }
    }
}

/// The same for rankings.
pub(crate) fn rerank(from: RerankFormat, data: &[u8]) {
    let codec = rerank_codec(from);
    if let Ok(request) = codec.decode_request(data) {
        for to in RerankFormat::ALL {
            let target = RerankTarget {
                model: "m",
                dialect: &RerankDialect::new(to, "/rerank"),
            };
            if let Ok(encoded) = rerank_codec(to).encode_request(&request, &target) {
                let again = rerank_codec(to).decode_request(&encoded.body);
                assert_eq!(again.err(), None, "{from} to {to}: a request");
            }
        }
    }
    if let Ok(response) = codec.decode_response(data) {
        for to in RerankFormat::ALL {
            let encoded = rerank_codec(to).encode_response(&response, &RerankReply::default());
            let again = rerank_codec(to).decode_response(&encoded.body);
            assert_eq!(again.err(), None, "{from} to {to}: an answer");
        }
    }
}
