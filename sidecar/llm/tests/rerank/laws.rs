//! What every format keeps.

use fkm_llm::ir::{Billed, RawJson, Usage};
use fkm_llm::rerank::{
    Members, Ranked, RerankDocument, RerankReply, RerankRequest, RerankResponse,
};
use fkm_llm::{RerankFormat, rerank_codec};
use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};
use proptest::{prop_assert_eq, proptest};

use crate::send;

fn is_cohere(format: RerankFormat) -> bool {
    format == RerankFormat::CohereRerank
}

fn members() -> BoxedStrategy<Members> {
    let value = prop_oneof![
        Just(RawJson::try_new("1.0000000000000000000000001").unwrap()),
        Just(RawJson::try_new(r#"{"b": 1e0, "a": [null]}"#).unwrap()),
        ".{0,5}".prop_map(|text| RawJson::string(&text)),
    ];
    btree_map("x_[a-z]{1,4}", value, 0..3).boxed()
}

fn document(fields: bool) -> BoxedStrategy<RerankDocument> {
    let text = ".{0,12}".prop_map(RerankDocument::Text);
    let object = Just(r#"{"title": "t", "text" : "a"}"#)
        .prop_map(|text| RerankDocument::Fields(RawJson::try_new(text).unwrap()));
    if fields {
        prop_oneof![3 => text, 1 => object].boxed()
    } else {
        text.boxed()
    }
}

fn request(format: RerankFormat) -> BoxedStrategy<RerankRequest> {
    let cohere = is_cohere(format);
    let limits = (of(any::<u64>()), of(any::<u64>()));
    let flags = (of(any::<bool>()), of(any::<bool>()));
    (
        ".{0,9}",
        vec(document(cohere), 1..4),
        limits,
        flags,
        members(),
    )
        .prop_map(
            move |(query, documents, (top_n, most), (returned, cut), extra)| RerankRequest {
                origin: format,
                model: "m".to_owned(),
                query,
                documents,
                top_n,
                return_documents: returned,
                max_tokens_per_document: most.filter(|_| cohere),
                truncate: cut.filter(|_| !cohere),
                extra,
            },
        )
        .boxed()
}

fn response(format: RerankFormat) -> BoxedStrategy<RerankResponse> {
    let cohere = is_cohere(format);
    let score = proptest::sample::select(vec!["0.7140302", "1", "-3.5e-1"])
        .prop_map(|text| RawJson::try_new(text).unwrap());
    // Each format shows a document in one way only.
    let document = Just(if cohere {
        RerankDocument::Fields(RawJson::try_new(r#"{"text":"a"}"#).unwrap())
    } else {
        RerankDocument::Text("a".to_owned())
    });
    let ranked = (0..99_usize, score, of(document), members()).prop_map(
        |(index, score, document, extra)| Ranked {
            index,
            score,
            document,
            extra,
        },
    );
    let counts = (any::<u32>(), any::<bool>(), of(any::<u32>()));
    (vec(ranked, 0..4), of("[a-z]{1,4}"), counts, members())
        .prop_map(move |(results, name, (tokens, billed, units), extra)| {
            let billed = billed.then_some(Billed {
                input_tokens: tokens.into(),
                output_tokens: 0,
            });
            RerankResponse {
                origin: format,
                id: name.clone().filter(|_| cohere),
                model: name,
                results,
                usage: Some(Usage {
                    input_tokens: tokens.into(),
                    billed: billed.filter(|_| cohere),
                    ..Usage::default()
                }),
                search_units: units.map(u64::from).filter(|_| cohere),
                extra,
            }
        })
        .boxed()
}

fn of_each<T: std::fmt::Debug + 'static>(
    values: fn(RerankFormat) -> BoxedStrategy<T>,
) -> BoxedStrategy<(RerankFormat, T)> {
    proptest::sample::select(&RerankFormat::ALL[..])
        .prop_flat_map(move |format| (Just(format), values(format)))
        .boxed()
}

proptest! {
    #[test]
    fn requests_survive((format, request) in of_each(request)) {
        let (body, dropped) = send(&request, format, true).unwrap();
        prop_assert_eq!(dropped, Vec::<String>::new());
        prop_assert_eq!(rerank_codec(format).decode_request(body.as_bytes()).unwrap(), request);
    }

    #[test]
    fn answers_survive((format, response) in of_each(response)) {
        let codec = rerank_codec(format);
        let encoded = codec.encode_response(&response, &RerankReply::default());
        prop_assert_eq!(encoded.dropped, Vec::<String>::new());
        prop_assert_eq!(codec.decode_response(&encoded.body).unwrap(), response);
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(
        bytes in vec(any::<u8>(), 0..64),
        json in r#"\{("(query|documents|model|results|data|meta|usage)":[\[\]0-9{}",a]{0,6},?){0,4}\}"#,
    ) {
        for format in RerankFormat::ALL {
            for body in [&bytes[..], json.as_bytes()] {
                let _ = rerank_codec(format).decode_request(body);
                let _ = rerank_codec(format).decode_response(body);
                let _ = rerank_codec(format).decode_error(500, &http::HeaderMap::new(), body);
            }
        }
    }
}
