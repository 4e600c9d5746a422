//! `openai.embeddings`, written by hand.

use fkm_llm::embedding::{EmbeddingInput, EmbeddingRequest, Encoding, Task, Truncate, Vector};
use fkm_llm::ir::RawJson;
use fkm_llm::{ClientError, DecodeError, EmbeddingFormat, ErrorKind};
use http::HeaderMap;

use crate::{codec, dialect, send, wanted};

const OPENAI: EmbeddingFormat = EmbeddingFormat::OpenAiEmbeddings;

fn read(body: &str) -> Result<EmbeddingRequest, DecodeError> {
    codec(OPENAI).decode_request(body.as_bytes())
}

fn sent(body: &str) -> (String, Vec<String>) {
    send(&read(body).unwrap(), &dialect(OPENAI)).unwrap()
}

#[test]
fn every_shape_of_input() {
    let text = |text: &str| EmbeddingInput::Text(text.to_owned());
    let image = RawJson::try_new(r#"{"image": "https://x/y.png"}"#).unwrap();
    for (input, inputs) in [
        (r#""a""#, vec![text("a")]),
        (r#"["a","b"]"#, vec![text("a"), text("b")]),
        ("[1,2]", vec![EmbeddingInput::Tokens(vec![1, 2])]),
        (
            "[[1],[2,3]]",
            vec![
                EmbeddingInput::Tokens(vec![1]),
                EmbeddingInput::Tokens(vec![2, 3]),
            ],
        ),
        (
            r#"["a",{"image": "https://x/y.png"}]"#,
            vec![text("a"), EmbeddingInput::Opaque(image)],
        ),
    ] {
        let body = format!(r#"{{"model":"m","input":{input}}}"#);
        assert_eq!(read(&body).unwrap().inputs, inputs, "{input}");
        assert_eq!(
            read(&sent(&body).0).unwrap().inputs,
            inputs,
            "{input} again"
        );
    }
}

#[test]
fn what_is_no_input_is_refused_by_its_place() {
    for (input, path) in [
        ("null", "input"),
        ("[]", "input"),
        ("1", "input"),
        ("[1,\"a\"]", "input"),
        ("[-1]", "input[0]"),
        ("[\"a\",1]", "input[1]"),
        ("[[]]", "input[0]"),
    ] {
        let body = format!(r#"{{"model":"m","input":{input}}}"#);
        let error = read(&body).unwrap_err().to_string();
        let expected = format!("{path} ");
        assert!(error.starts_with(&expected), "{input}: {error}");
    }
    let error = read(r#"{"model":"m","input":"a","encoding_format":"int8"}"#).unwrap_err();
    assert_eq!(error.to_string(), "encoding_format must be float or base64");
}

#[test]
fn a_request_as_it_is_sent() {
    let body = r#"{"model":"x","input":"a","encoding_format":"base64","dimensions":256,"user":"u","later":{"a":1.0}}"#;
    let expected = r#"{"model":"m","input":["a"],"encoding_format":"base64","dimensions":256,"user":"u","later":{"a":1.0}}"#;
    assert_eq!(sent(body), (expected.to_owned(), vec![]));
    // Lists need not be asked for.
    let body = r#"{"model":"x","input":"a","encoding_format":"float"}"#;
    assert_eq!(sent(body).0, r#"{"model":"m","input":["a"]}"#);
}

#[test]
fn a_provider_departs_by_its_record() {
    let request = read(r#"{"model":"x","input":"a","encoding_format":"base64","dimensions":256,"input_type":"search_query"}"#).unwrap();
    assert_eq!(request.task, Some(Task::Query));
    assert_eq!(send(&request, &dialect(OPENAI)).unwrap().1, ["input_type"]);
    let voyage = serde_json::json!({"format": "openai.embeddings", "path": "/embeddings", "base64": false,
        "inputType": true, "dimensionsField": "output_dimension"});
    let voyage = serde_json::from_value(voyage).unwrap();
    let expected = r#"{"model":"m","input":["a"],"output_dimension":256,"input_type":"query"}"#;
    assert_eq!(
        send(&request, &voyage).unwrap(),
        (expected.to_owned(), vec![])
    );
}

#[test]
fn what_others_can_say_is_reported() {
    let mut request = read(r#"{"model":"x","input":"a"}"#).unwrap();
    request.title = Some("t".to_owned());
    request.truncate = Some(Truncate::End);
    request.task = Some(Task::Clustering);
    let (body, dropped) = send(&request, &dialect(OPENAI)).unwrap();
    assert_eq!(body, r#"{"model":"m","input":["a"]}"#);
    assert_eq!(dropped, ["input_type", "title", "truncate"]);
}

#[test]
fn an_answer_as_the_client_asked_for_it() {
    let lists = r#"{"object":"list","data":[
        {"object":"embedding","index":1,"embedding":[0.1]},
        {"object":"embedding","index":0,"embedding":[1.0, -2.0]}],
        "model":"m","usage":{"prompt_tokens":3,"total_tokens":3},"id":"e1"}"#;
    let packed = r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":"AACAPwAAAMA="},{"object":"embedding","index":1,"embedding":"zczMPQ=="}],"model":"m","usage":{"prompt_tokens":3,"total_tokens":3},"id":"e1"}"#;
    let answer = codec(OPENAI).decode_response(lists.as_bytes()).unwrap();
    assert_eq!(answer.usage.unwrap().input_tokens, 3);
    assert_eq!(answer.embeddings[0].vector.values(), Ok(vec![1.0, -2.0]));
    let base64 = codec(OPENAI)
        .encode_response(&answer, &wanted(Encoding::Base64))
        .unwrap();
    assert_eq!(String::from_utf8(base64.body).unwrap(), packed);
    let answer = codec(OPENAI).decode_response(packed.as_bytes()).unwrap();
    assert_eq!(
        answer.embeddings[1].vector,
        Vector::Base64("zczMPQ==".to_owned())
    );
    let floats = codec(OPENAI)
        .encode_response(&answer, &wanted(Encoding::Float))
        .unwrap();
    let expected = packed
        .replace("\"AACAPwAAAMA=\"", "[1.0,-2.0]")
        .replace("\"zczMPQ==\"", "[0.1]");
    assert_eq!(String::from_utf8(floats.body).unwrap(), expected);
}

#[test]
fn a_vector_that_cannot_be_what_was_asked_is_refused() {
    let answer = r#"{"data":[{"embedding":"AACAfw=="}],"model":"m","usage":{"total_tokens":7}}"#;
    let answer = codec(OPENAI).decode_response(answer.as_bytes()).unwrap();
    assert_eq!(answer.usage.unwrap().input_tokens, 7);
    let error = codec(OPENAI)
        .encode_response(&answer, &wanted(Encoding::Float))
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "data[0].embedding is invalid: the vector holds what is no finite 32-bit number"
    );
}

#[test]
fn errors() {
    let inside = br#"{"error":{"message":"busy","type":"server_error"}}"#;
    let error = codec(OPENAI).decode_response(inside).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the provider answered with an error: busy"
    );
    let error = codec(OPENAI).decode_error(
        400,
        &HeaderMap::new(),
        br#"{"detail":"Model x is not supported."}"#,
    );
    assert_eq!(error.message, "Model x is not supported.");
    let shown = codec(OPENAI).encode_error(&ClientError::new(ErrorKind::NotFound, "no"));
    assert_eq!(
        String::from_utf8(shown).unwrap(),
        r#"{"error":{"message":"no","type":"invalid_request_error","param":null,"code":"model_not_found"}}"#
    );
    for body in [
        "",
        "[]",
        "{}",
        r#"{"data":[]}"#,
        r#"{"data":[{"index":0}]}"#,
    ] {
        assert!(codec(OPENAI).decode_response(body.as_bytes()).is_err());
    }
}
