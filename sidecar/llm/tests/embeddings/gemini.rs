//! `gemini.embed`, written by hand: three methods, and clients of other formats.

use fkm_llm::embedding::{EmbeddingRequest, Encoding, ReplyOptions, Shape, Task, Truncate};
use fkm_llm::{EmbeddingDialect, EmbeddingFormat};
use http::HeaderMap;

use crate::{codec, send, wanted};

const GEMINI: EmbeddingFormat = EmbeddingFormat::GeminiEmbed;
const OPENAI: EmbeddingFormat = EmbeddingFormat::OpenAiEmbeddings;

fn dialect(method: &str) -> EmbeddingDialect {
    EmbeddingDialect::new(GEMINI, format!("/models/{{model}}:{method}"))
}

fn read(body: &str) -> EmbeddingRequest {
    codec(GEMINI).decode_request(body.as_bytes()).unwrap()
}

#[test]
fn an_openai_client_of_every_method() {
    let openai = r#"{"model":"x","input":["a","b"],"encoding_format":"base64","dimensions":256,"input_type":"query","user":"u"}"#;
    let request = codec(OPENAI).decode_request(openai.as_bytes()).unwrap();
    let user = vec!["user".to_owned()];
    let batch = r#"{"requests":[{"model":"models/m","taskType":"RETRIEVAL_QUERY","outputDimensionality":256,"content":{"parts":[{"text":"a"}]}},{"model":"models/m","taskType":"RETRIEVAL_QUERY","outputDimensionality":256,"content":{"parts":[{"text":"b"}]}}]}"#;
    assert_eq!(
        send(&request, &dialect("batchEmbedContents")).unwrap(),
        (batch.to_owned(), user.clone())
    );
    let predict = r#"{"instances":[{"content":"a","task_type":"RETRIEVAL_QUERY"},{"content":"b","task_type":"RETRIEVAL_QUERY"}],"parameters":{"outputDimensionality":256}}"#;
    assert_eq!(
        send(&request, &dialect("predict")).unwrap(),
        (predict.to_owned(), user)
    );
    let error = send(&request, &dialect("embedContent")).unwrap_err();
    assert!(error.contains("send one at a time"), "{error}");
    let mut one = request;
    one.inputs.pop();
    one.user = None;
    let mut vertex = dialect("embedContent");
    vertex.config_object = true;
    let sent = r#"{"embedContentConfig":{"taskType":"RETRIEVAL_QUERY","outputDimensionality":256},"content":{"parts":[{"text":"a"}]}}"#;
    assert_eq!(send(&one, &vertex).unwrap(), (sent.to_owned(), vec![]));
    let answer = r#"{"embeddings":[{"values":[1,-2.0]},{"values":[0.1]}],"usageMetadata":{"promptTokenCount":3}}"#;
    let answer = codec(GEMINI).decode_response(answer.as_bytes()).unwrap();
    let shown = codec(OPENAI).encode_response(&answer, &wanted(Encoding::Base64));
    let shown = String::from_utf8(shown.unwrap().body).unwrap();
    assert!(
        shown.contains(r#""embedding":"AACAPwAAAMA=""#)
            && shown.contains(r#""embedding":"zczMPQ==""#),
        "{shown}"
    );
    assert!(shown.contains(r#""prompt_tokens":3"#), "{shown}");
}

#[test]
fn tokens_are_refused_and_what_is_cut_off_is_said() {
    let openai = r#"{"model":"x","input":[1,2]}"#;
    let request = codec(OPENAI).decode_request(openai.as_bytes()).unwrap();
    let error = send(&request, &dialect("batchEmbedContents")).unwrap_err();
    assert_eq!(
        error,
        "input[0] cannot be sent to a provider of format gemini.embed: it embeds texts, not tokens or parts of another format; send text"
    );
    let mut request = read(r#"{"content":{"parts":[{"text":"a"}]}}"#);
    request.truncate = Some(Truncate::End);
    assert_eq!(
        send(&request, &dialect("predict")).unwrap().0,
        r#"{"instances":[{"content":"a"}],"parameters":{"autoTruncate":true}}"#
    );
    let (_, dropped) = send(&request, &dialect("embedContent")).unwrap();
    assert_eq!(dropped, ["truncate"]);
}

#[test]
fn a_client_of_each_method_is_answered_in_its_shape() {
    for (body, shape, answer) in [
        (
            r#"{"content":{"role":"user","parts":[{"text":"a"}]},"taskType":"CLUSTERING","title":"t","output_dimensionality":2}"#,
            Shape::One,
            r#"{"embedding":{"values":[1.0]},"usageMetadata":{"promptTokenCount":1,"totalTokenCount":1}}"#,
        ),
        (
            r#"{"requests":[{"model":"models/g","content":{"parts":[{"text":"a"}]},"embedContentConfig":{"taskType":"CLUSTERING","title":"t","outputDimensionality":2}}]}"#,
            Shape::Many,
            r#"{"embeddings":[{"values":[1.0]}],"usageMetadata":{"promptTokenCount":1,"totalTokenCount":1}}"#,
        ),
        (
            r#"{"instances":[{"content":"a","task_type":"CLUSTERING","title":"t"}],"parameters":{"outputDimensionality":2}}"#,
            Shape::Predictions,
            r#"{"predictions":[{"embeddings":{"values":[1.0]}}],"usageMetadata":{"promptTokenCount":1,"totalTokenCount":1}}"#,
        ),
    ] {
        let request = read(body);
        assert_eq!(request.reply().shape, shape);
        assert_eq!(
            (request.task, request.title.as_deref(), request.dimensions),
            (Some(Task::Clustering), Some("t"), Some(2))
        );
        let openai = br#"{"data":[{"index":0,"embedding":"AACAPw=="}],"model":"m","usage":{"prompt_tokens":1}}"#;
        let came = codec(OPENAI).decode_response(openai).unwrap();
        let shown = codec(GEMINI).encode_response(&came, &request.reply());
        assert_eq!(String::from_utf8(shown.unwrap().body).unwrap(), answer);
    }
}

#[test]
fn what_cannot_be_one_request_is_refused_by_its_place() {
    let differs = r#"{"requests":[{"content":{"parts":[{"text":"a"}]}},{"content":{"parts":[{"text":"b"}]},"taskType":"CLUSTERING"}]}"#;
    let error = codec(GEMINI).decode_request(differs.as_bytes());
    assert!(error.unwrap_err().to_string().starts_with("requests[1] "));
    for body in [
        "{}",
        r#"{"requests":[]}"#,
        r#"{"instances":[{}]}"#,
        r#"{"requests":[{}]}"#,
    ] {
        let error = codec(GEMINI).decode_request(body.as_bytes());
        assert!(error.is_err(), "{body}");
    }
}

#[test]
fn several_parts_and_unknown_words_go_home() {
    let body = r#"{"taskType":"NEW_TASK","x":1.0,"content":{"parts":[{"text":"a"},{"inlineData":{"mimeType":"image/png","data":"AA"}}]}}"#;
    assert_eq!(
        send(&read(body), &dialect("embedContent")).unwrap(),
        (body.to_owned(), vec![])
    );
    assert!(send(&read(body), &EmbeddingDialect::new(OPENAI, "/embeddings")).is_err());
}

#[test]
fn predictions_count_their_tokens_and_errors_are_read() {
    let answer = r#"{"predictions":[{"embeddings":{"values":[1],"statistics":{"token_count":4,"truncated":false}}},{"embeddings":{"values":[2],"statistics":{"token_count":2.0}}}],"metadata":{"billableCharacterCount":9}}"#;
    let answer = codec(GEMINI).decode_response(answer.as_bytes()).unwrap();
    assert_eq!(answer.usage.unwrap().input_tokens, 6);
    let options = ReplyOptions {
        shape: Shape::Predictions,
        ..ReplyOptions::default()
    };
    let again = codec(GEMINI).encode_response(&answer, &options).unwrap();
    assert_eq!(codec(GEMINI).decode_response(&again.body), Ok(answer));
    let error = br#"{"error":{"code":429,"message":"slow down","status":"RESOURCE_EXHAUSTED"}}"#;
    let error = codec(GEMINI).decode_error(429, &HeaderMap::new(), error);
    assert_eq!((error.status, error.message.as_str()), (429, "slow down"));
    for body in ["", "{}", r#"{"embeddings":[]}"#, r#"{"embedding":{}}"#] {
        assert!(codec(GEMINI).decode_response(body.as_bytes()).is_err());
    }
}
