//! Recorded reranking of Cohere and Voyage: requests and answers survive, and mean the same in the other format.

use std::collections::BTreeMap;

use fkm_llm::rerank::{RerankReply, RerankResponse};
use fkm_llm::{RerankFormat, rerank_codec};
use serde_json::Value;

use crate::recordings::{exchanges, fixtures, say};
use crate::send;

fn format_of(exchange: &Value) -> Option<RerankFormat> {
    if !exchange["path"].as_str()?.ends_with("/rerank") {
        return None;
    }
    match exchange["host"].as_str()? {
        "api.voyageai.com" => Some(RerankFormat::VoyageRerank),
        _ => Some(RerankFormat::CohereRerank),
    }
}

fn ranks(answer: &RerankResponse) -> Vec<(usize, &str)> {
    let results = answer.results.iter();
    results.map(|one| (one.index, one.score.get())).collect()
}

#[test]
fn reranking() {
    let Some(folder) = fixtures() else { return };
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for exchange in exchanges(&folder) {
        let Some(format) = format_of(&exchange) else {
            continue;
        };
        let name = exchange["key"].as_str().unwrap();
        let codec = rerank_codec(format);
        let request = codec
            .decode_request(exchange["req"].to_string().as_bytes())
            .unwrap();
        let (sent, dropped) = send(&request, format, true).unwrap();
        assert_eq!(dropped, Vec::<String>::new(), "{name}");
        let mut again = codec.decode_request(sent.as_bytes()).unwrap();
        again.model.clone_from(&request.model);
        assert_eq!(again, request, "{name}");
        let body = exchange["body"].as_str().unwrap();
        let answer = codec.decode_response(body.as_bytes()).unwrap();
        assert!(answer.search_units.is_some() || answer.usage.is_some());
        assert_eq!(
            answer.results.len() as u64,
            request.top_n.unwrap(),
            "{name}"
        );
        for to in RerankFormat::ALL {
            let shown = rerank_codec(to).encode_response(&answer, &RerankReply::default());
            let read = rerank_codec(to).decode_response(&shown.body).unwrap();
            assert_eq!(ranks(&read), ranks(&answer), "{name}");
            if to == format {
                assert_eq!(read, answer, "{name}");
            }
        }
        *counts.entry(format.name()).or_default() += 1;
    }
    say(&format!("recorded reranking: {counts:?}"));
    assert_eq!(counts["cohere.rerank"], 3);
    assert_eq!(counts["voyage.rerank"], 1);
}
