//! Documents and sound in the words that a provider of the family has of its own, both ways.

use bytes::Bytes;
use fkm_llm::{
    Capabilities, Dialect, Documents, Edits, EncodeError, Encoded, Format, Sound, Target, edit,
    encode_request, scan,
};
use serde_json::{Value, json};

use crate::{ANTHROPIC, GEMINI, OPENAI, decode, dialect, encode, request};

/// One that wants documents and sound in Mistral's words.
fn own_words() -> Dialect {
    Dialect {
        documents: Documents::DocumentUrl,
        sound: Sound::Base64,
        ..dialect(OPENAI)
    }
}

fn asking(part: &Value) -> Value {
    json!({"model": "upstream-model", "messages": [{"role": "user", "content": [part]}]})
}

/// As it is passed through: the text of the part, and what was dropped.
fn passed(dialect: &Dialect, part: &str) -> (String, Vec<String>) {
    let (before, after) = (
        r#"{"model":"m","messages":[{"role":"user","content":["#,
        "]}]}",
    );
    let body = Bytes::from(format!("{before}{part}{after}"));
    let edits = Edits {
        model: None,
        include_usage: false,
        dialect,
    };
    let edited = edit(&body, &scan(&body).unwrap(), &edits);
    let text = String::from_utf8(edited.segments.concat()).unwrap();
    let part = text.strip_prefix(before).unwrap().strip_suffix(after);
    (part.unwrap().to_owned(), edited.dropped)
}

fn translated(
    from: Format,
    dialect: &Dialect,
    request: &Value,
) -> Result<(Value, Encoded), EncodeError> {
    let capabilities = Capabilities::default();
    let target = Target {
        model: "upstream-model",
        dialect,
        capabilities: &capabilities,
        max_output_tokens: None,
        stream: false,
    };
    let encoded = encode_request(&decode(from, request), &target)?;
    let body: Value = serde_json::from_slice(&encoded.body).unwrap();
    Ok((body["messages"][0]["content"].clone(), encoded))
}

#[test]
fn what_is_passed_through_says_it_in_the_providers_words() {
    let file = r#"{"type": "file", "file": {"filename": "a\".pdf", "file_data": "data:application/pdf;base64,AA"}}"#;
    let turned = r#"{ "cache":1, "file":{"file_data":"data:text/plain;base64,AA" , "filename":"n"} ,"type":"file"}"#;
    let sound = r#"{"type":"input_audio","input_audio":{ "format":"wav", "data":"AA=="}, "x":1}"#;
    let kept = r#"{"type":"file","file":{"file_id":"f-1"}}"#;
    let named = r#"{"type":"file","file":{"file_id":"f-1","filename":"n"}}"#;
    for (part, expected) in [
        (
            file,
            r#"{"type": "document_url", "document_url":"data:application/pdf;base64,AA","document_name":"a\".pdf"}"#,
        ),
        (
            turned,
            r#"{ "cache":1, "document_url":"data:text/plain;base64,AA","document_name":"n" ,"type":"document_url"}"#,
        ),
        (
            sound,
            r#"{"type":"input_audio","input_audio":"AA==", "x":1}"#,
        ),
        (kept, r#"{"type":"file","file_id":"f-1"}"#),
        (named, r#"{"type":"file","file_id":"f-1"}"#),
    ] {
        let (sent, dropped) = passed(&own_words(), part);
        assert_eq!(sent, expected);
        let lost: &[&str] = if part == named {
            &["file.filename"]
        } else {
            &[]
        };
        assert_eq!(dropped, lost);
        assert_eq!(
            passed(&dialect(OPENAI), part).0,
            part,
            "nothing is said of it"
        );
    }
}

#[test]
fn what_is_already_in_the_providers_words_or_unknown_stays() {
    for part in [
        r#"{"type":"document_url","document_url":"https://host/a.pdf"}"#,
        r#"{"type":"input_audio","input_audio":"UklGRg=="}"#,
        r#"{"type":"file","file_id":"f-1"}"#,
        r#"{"type":"file","file":{"file_data":"AA","filename":"n"}}"#,
        r#"{"type":"file","file":[]}"#,
        r#"{"type":"input_audio","input_audio":{"data":7}}"#,
        r#"{"type":"file"}"#,
    ] {
        assert_eq!(passed(&own_words(), part), (part.to_owned(), vec![]));
    }
}

#[test]
fn what_is_translated_says_it_in_the_providers_words() {
    let source = |source: Value| json!({"type": "document", "title": "n", "source": source});
    let here = json!({"type": "base64", "media_type": "application/pdf", "data": "AA"});
    let there = json!({"type": "url", "url": "https://host/a.pdf"});
    let content = json!([source(here), source(there)]);
    let asked =
        json!({"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": content}]});
    let (content, encoded) = translated(ANTHROPIC, &own_words(), &asked).unwrap();
    assert_eq!(
        content,
        json!([
            {"type": "document_url", "document_url": "data:application/pdf;base64,AA", "document_name": "n"},
            {"type": "document_url", "document_url": "https://host/a.pdf", "document_name": "n"},
        ])
    );
    assert_eq!(encoded.dropped, [] as [&str; 0]);
    let refused = translated(ANTHROPIC, &dialect(OPENAI), &asked).unwrap_err();
    assert!(refused.to_string().contains("at an address"), "{refused}");

    let inline = json!({"inlineData": {"mimeType": "audio/mp3", "data": "SUQz"}});
    let asked = json!({"contents": [{"role": "user", "parts": [inline]}]});
    let mut decoded = decode(GEMINI, &asked);
    decoded.model = "m".to_owned();
    let asked = encode(OPENAI, &decoded).unwrap();
    let asked: Value = serde_json::from_slice(&asked.body).unwrap();
    let (content, _) = translated(OPENAI, &own_words(), &asked).unwrap();
    assert_eq!(
        content,
        json!([{"type": "input_audio", "input_audio": "SUQz"}])
    );
}

#[test]
fn a_client_may_speak_the_providers_words() {
    let document =
        json!({"type": "document_url", "document_url": "https://host/a.pdf", "document_name": "n"});
    let (body, dropped) = request(OPENAI, ANTHROPIC, &asking(&document));
    assert_eq!(
        body["messages"][0]["content"][0],
        json!({"type": "document", "source": {"type": "url", "url": "https://host/a.pdf"}, "title": "n"})
    );
    assert_eq!(dropped, [] as [&str; 0]);

    let here = json!({"type": "document_url", "document_url": "data:application/pdf;base64,AA", "document_name": null});
    let (body, _) = request(OPENAI, OPENAI, &asking(&here));
    assert_eq!(
        body["messages"][0]["content"][0],
        json!({"type": "file", "file": {"file_data": "data:application/pdf;base64,AA"}})
    );

    let image = json!({"type": "image_url", "image_url": "https://host/a.png"});
    let (body, _) = request(OPENAI, ANTHROPIC, &asking(&image));
    assert_eq!(
        body["messages"][0]["content"][0]["source"],
        json!({"type": "url", "url": "https://host/a.png"})
    );
}

#[test]
fn sound_without_its_type_is_known_by_its_beginning() {
    for (data, media_type) in [
        ("UklGRiQAAABXQVZF", "audio/wav"),
        ("SUQzBAAAAAAA", "audio/mp3"),
        ("//uQxAAAAAAA", "audio/mp3"),
        ("ZkxhQwAAACI=", "audio/flac"),
        ("T2dnUwACAAAA", "audio/ogg"),
        ("GkXfo59ChoEB", "audio/webm"),
        ("AAAAHGZ0eXBNNEEg", "audio/mp4"),
    ] {
        let part = json!({"type": "input_audio", "input_audio": data});
        let (body, _) = request(OPENAI, GEMINI, &asking(&part));
        assert_eq!(
            body["contents"][0]["parts"][0],
            json!({"inlineData": {"mimeType": media_type, "data": data}})
        );
        let (content, _) = translated(OPENAI, &own_words(), &asking(&part)).unwrap();
        assert_eq!(content, json!([part]), "and back as it was");
    }
}

#[test]
fn sound_that_does_not_say_what_it_is_stays_where_it_came_from() {
    let part = json!({"type": "input_audio", "input_audio": "https://host/a.wav"});
    let (content, _) = translated(OPENAI, &own_words(), &asking(&part)).unwrap();
    assert_eq!(content, json!([part]));
    let refused = encode(GEMINI, &decode(OPENAI, &asking(&part))).unwrap_err();
    assert!(refused.to_string().contains("input_audio"), "{refused}");
}
