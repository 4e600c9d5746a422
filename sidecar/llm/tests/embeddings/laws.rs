//! What every format keeps: requests, answers, and vectors by way of the other encoding.

use fkm_llm::EmbeddingFormat;
use fkm_llm::embedding::{
    Embedding, EmbeddingInput, EmbeddingRequest, EmbeddingResponse, Encoding, Members, Task, Vector,
};
use fkm_llm::ir::{Billed, RawJson, Usage};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};
use proptest::{prop_assert_eq, proptest};

use crate::{codec, dialect, send, wanted};

/// What a format can say beside texts; the rest it drops or refuses.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one independent ability"
)]
struct Home {
    tokens: bool,
    opaque: bool,
    user: bool,
    tasks: &'static [Task],
    base64: bool,
    /// What the vectors are for must be said.
    task_needed: bool,
    /// An answer names its model, and each of its vectors may have unknown members.
    named: bool,
    /// Tells what is paid for.
    billed: bool,
}

fn home(format: EmbeddingFormat) -> Home {
    match format {
        EmbeddingFormat::OpenAiEmbeddings => Home {
            tokens: true,
            opaque: true,
            user: true,
            tasks: &[Task::Query, Task::Document],
            base64: true,
            task_needed: false,
            named: true,
            billed: false,
        },
        EmbeddingFormat::CohereEmbed => Home {
            tokens: false,
            opaque: true,
            user: false,
            tasks: &[
                Task::Query,
                Task::Document,
                Task::Classification,
                Task::Clustering,
            ],
            base64: true,
            task_needed: true,
            named: false,
            billed: true,
        },
        EmbeddingFormat::GeminiEmbed => Home {
            tokens: false,
            opaque: true,
            user: false,
            tasks: &[
                Task::Query,
                Task::Document,
                Task::Similarity,
                Task::Classification,
                Task::Clustering,
                Task::QuestionAnswering,
                Task::FactVerification,
                Task::CodeQuery,
            ],
            base64: false,
            task_needed: false,
            named: false,
            billed: false,
        },
    }
}

fn members() -> BoxedStrategy<Members> {
    let value = prop_oneof![
        Just(RawJson::try_new("1.0000000000000000000000001").unwrap()),
        Just(RawJson::try_new(r#"{"b": 1e0, "a": [null]}"#).unwrap()),
        ".{0,5}".prop_map(|text| RawJson::string(&text)),
    ];
    proptest::collection::btree_map("x_[a-z]{1,4}", value, 0..3).boxed()
}

fn input(home: &Home) -> BoxedStrategy<EmbeddingInput> {
    let text = ".{0,12}".prop_map(EmbeddingInput::Text).boxed();
    let tokens = vec(any::<u64>(), 1..5).prop_map(EmbeddingInput::Tokens);
    let opaque = Just(r#"{"image": "data:image/png;base64,AA=="}"#)
        .prop_map(|text| EmbeddingInput::Opaque(RawJson::try_new(text).unwrap()));
    match (home.tokens, home.opaque) {
        (true, true) => prop_oneof![3 => text, 1 => tokens, 1 => opaque].boxed(),
        (true, false) => prop_oneof![3 => text, 1 => tokens].boxed(),
        (false, true) => prop_oneof![3 => text, 1 => opaque].boxed(),
        (false, false) => text,
    }
}

fn request(format: EmbeddingFormat) -> BoxedStrategy<EmbeddingRequest> {
    let can = home(format);
    let base64 = can.base64;
    let user = can.user;
    let task_needed = can.task_needed;
    (
        vec(input(&can), 1..4),
        any::<bool>(),
        of(any::<u64>()),
        of(proptest::sample::select(can.tasks)),
        of("[a-z]{1,5}"),
        members(),
    )
        .prop_map(move |(inputs, packed, dimensions, task, name, extra)| {
            let mut request = EmbeddingRequest::new(format, "m", inputs);
            if packed && base64 {
                request.encoding = Encoding::Base64;
            }
            request.dimensions = dimensions;
            request.task = task.or_else(|| task_needed.then_some(Task::Document));
            request.user = name.filter(|_| user);
            request.extra = extra;
            request
        })
        .boxed()
}

fn floats() -> BoxedStrategy<Vector> {
    vec(any::<f32>(), 0..9)
        .prop_map(|mut values| {
            values.retain(|value| value.is_finite());
            Vector::from_values(&values).unwrap()
        })
        .boxed()
}

fn response(format: EmbeddingFormat) -> BoxedStrategy<EmbeddingResponse> {
    let Home { named, billed, .. } = home(format);
    let embedding = (floats(), members()).prop_map(move |(vector, extra)| Embedding {
        vector,
        extra: if named { extra } else { Members::new() },
    });
    (vec(embedding, 1..4), any::<u32>(), members())
        .prop_map(move |(embeddings, tokens, extra)| EmbeddingResponse {
            origin: format,
            model: named.then(|| "m".to_owned()),
            embeddings,
            usage: Some(Usage {
                input_tokens: tokens.into(),
                billed: billed.then_some(Billed {
                    input_tokens: tokens.into(),
                    output_tokens: 0,
                }),
                ..Usage::default()
            }),
            extra,
        })
        .boxed()
}

proptest! {
    #[test]
    fn requests_survive((format, request) in proptest::sample::select(&EmbeddingFormat::ALL[..])
        .prop_flat_map(|format| (Just(format), request(format))))
    {
        let mut dialect = dialect(format);
        dialect.input_type = true;
        let (body, dropped) = send(&request, &dialect).unwrap();
        prop_assert_eq!(dropped, Vec::<String>::new());
        prop_assert_eq!(codec(format).decode_request(body.as_bytes()).unwrap(), request);
    }

    #[test]
    fn answers_survive((format, response) in proptest::sample::select(&EmbeddingFormat::ALL[..])
        .prop_flat_map(|format| (Just(format), response(format))))
    {
        let codec = codec(format);
        let again = |response: &EmbeddingResponse, encoding| {
            let encoded = codec.encode_response(response, &wanted(encoding)).unwrap();
            assert_eq!(encoded.dropped, Vec::<String>::new());
            codec.decode_response(&encoded.body).unwrap()
        };
        prop_assert_eq!(&again(&response, Encoding::Float), &response);
        if home(format).base64 {
            let packed = again(&response, Encoding::Base64);
            prop_assert_eq!(&again(&packed, Encoding::Base64), &packed);
            prop_assert_eq!(&again(&packed, Encoding::Float), &response);
        }
    }

    #[test]
    fn arbitrary_bytes_do_not_panic(bytes in vec(any::<u8>(), 0..64), json in r#"\{("(input|data|model)":[\[\]0-9",a]{0,6},?){0,3}\}"#) {
        for format in EmbeddingFormat::ALL {
            for body in [&bytes[..], json.as_bytes()] {
                let _ = codec(format).decode_request(body);
                let _ = codec(format).decode_response(body);
                let _ = codec(format).decode_error(500, &http::HeaderMap::new(), body);
            }
        }
    }
}
