use fkm_dialect::FailureClass;

use super::*;
use crate::ir::Usage;
use crate::stream::Measured;

const IMAGES: Relayed = Relayed(RelayFormat::Images);
const SPEECH: Relayed = Relayed(RelayFormat::Speech);
const TRANSCRIPTIONS: Relayed = Relayed(RelayFormat::Transcriptions);

fn json(relayed: Relayed, body: &str) -> Result<Progress, StreamFault> {
    relayed.facts(AnswerKind::Json, body.as_bytes())
}

/// All that passes, cut after every byte, and how it ends.
fn stream(relayed: Relayed, pictures: u32, text: &str) -> (String, Result<Progress, StreamFault>) {
    let mut transform = relayed.relay(pictures);
    let mut out = Vec::new();
    for byte in text.as_bytes() {
        let piece = Bytes::copy_from_slice(&[*byte]);
        if let Err(fault) = transform.push(piece, &mut out) {
            return (String::from_utf8(out.concat()).unwrap(), Err(fault));
        }
    }
    let ended = transform.end(&mut out);
    let passed = String::from_utf8(out.concat()).unwrap();
    (passed, ended.map(|()| transform.progress().clone()))
}

#[test]
fn the_model_is_replaced_or_added_in_json() {
    let dialect = RelayDialect::usual(RelayFormat::Images);
    for (body, expected) in [
        (
            r#"{"prompt":"a","model":"m","odd":1e999}"#,
            r#"{"prompt":"a","model":"up","odd":1e999}"#,
        ),
        (r#"{"prompt":"a"}"#, r#"{"model":"up","prompt":"a"}"#),
        ("{}", r#"{"model":"up"}"#),
    ] {
        let body = Bytes::from(body);
        let (form, scan) = IMAGES.scan("application/json", &body).unwrap();
        let edited = IMAGES.edit(&body, form.as_ref(), &scan, "up", &dialect);
        assert_eq!(edited.concat(), expected.as_bytes());
    }
}

#[test]
fn speech_streams_where_its_format_says_so() {
    for (body, expected) in [
        (r#"{"model":"m","stream_format":"sse"}"#, true),
        (r#"{"model":"m","stream_format":"audio"}"#, false),
        (r#"{"model":"m"}"#, false),
    ] {
        let (_, scan) = SPEECH.scan("application/json", body.as_bytes()).unwrap();
        assert_eq!(scan.stream, expected, "{body}");
    }
}

#[test]
fn answers_tell_what_they_used() {
    let pictures = r#"{"created":1,"data":[{"b64_json":"aa"},{"url":"u"}],"usage":{"input_tokens":5,"output_tokens":272,
        "total_tokens":277,"input_tokens_details":{"text_tokens":5,"image_tokens":0}}}"#;
    let read = json(IMAGES, pictures).unwrap();
    assert_eq!(read.measured.images, 2);
    let usage = read.accounted_usage().unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens), (5, 272));

    let tokens = r#"{"text":"Hi","usage":{"type":"tokens","input_tokens":14,"output_tokens":4,"total_tokens":18,
        "input_token_details":{"text_tokens":2,"audio_tokens":12}}}"#;
    let expected = Usage {
        input_tokens: 14,
        input_audio_tokens: 12,
        output_tokens: 4,
        ..Usage::default()
    };
    assert_eq!(json(TRANSCRIPTIONS, tokens).unwrap().usage, Some(expected));

    for told in [
        r#"{"text":"","usage":{"type":"duration","seconds":8.5}}"#,
        r#"{"text":"","duration":8.5}"#,
        r#"{"text":"","duration":"8.5"}"#,
        r#"{"text":"","usage":{"prompt_audio_seconds":8.5}}"#,
    ] {
        let read = json(TRANSCRIPTIONS, told).unwrap();
        let expected = Measured {
            images: 0,
            audio_millis: 8500,
        };
        assert_eq!((read.usage, read.measured), (None, expected), "{told}");
    }
}

#[test]
fn what_is_no_answer_is_a_fault() {
    for (relayed, body) in [
        (IMAGES, r#"{"created":1,"data":[]}"#),
        (IMAGES, "{}"),
        (TRANSCRIPTIONS, r#"{"tex"#),
        (Relayed(RelayFormat::Moderations), "{}"),
    ] {
        assert_eq!(json(relayed, body), Err(StreamFault::Incomplete), "{body}");
    }
    let error = json(IMAGES, r#"{"error":{"message":"No.","code":429}}"#).unwrap_err();
    let StreamFault::Provider(error) = error else {
        unreachable!("{error}");
    };
    assert_eq!(error.class, Some(FailureClass::RateLimited));
    let odd = json(IMAGES, "[");
    assert_eq!(odd, Err(StreamFault::Incomplete));
}

#[test]
fn media_types_that_nobody_answers_with_are_none() {
    for (media_type, kind) in [
        ("text/event-stream; charset=utf-8", Some(AnswerKind::Events)),
        ("application/json", Some(AnswerKind::Json)),
        ("text/plain; charset=utf-8", Some(AnswerKind::Text)),
        ("audio/mpeg", Some(AnswerKind::Bytes)),
        ("Application/Octet-Stream", Some(AnswerKind::Bytes)),
        ("text/html", None),
        ("", None),
    ] {
        assert_eq!(AnswerKind::of(media_type), kind, "{media_type}");
    }
}

#[test]
fn streams_end_with_their_last_event() {
    let partial = "event: image_generation.partial_image\ndata: {\"type\":\"image_generation.partial_image\",\"b64_json\":\"a\"}\n\n";
    let completed = "event: image_generation.completed\ndata: {\"type\":\"image_generation.completed\",\"b64_json\":\"b\",\
        \"usage\":{\"input_tokens\":3,\"output_tokens\":4,\"total_tokens\":7}}\n\n";
    let text = format!("{partial}{completed}");
    let (passed, read) = stream(IMAGES, 1, &text);
    assert_eq!(passed, text);
    let read = read.unwrap();
    assert_eq!(read.measured.images, 1);
    assert_eq!(read.usage.unwrap().output_tokens, 4);
    assert_eq!(stream(IMAGES, 1, partial).1, Err(StreamFault::Incomplete));
    assert_eq!(stream(IMAGES, 2, &text).1, Err(StreamFault::Incomplete));

    let words = "data: {\"type\":\"transcript.text.delta\",\"delta\":\"Hi\"}\n\n";
    let done = "data: {\"type\":\"transcript.text.done\",\"text\":\"Hi\",\"usage\":{\"type\":\"duration\",\"seconds\":2}}\n\n";
    let read = stream(TRANSCRIPTIONS, 1, &format!("{words}{done}"))
        .1
        .unwrap();
    assert_eq!(read.measured.audio_millis, 2000);
    assert_eq!(
        stream(TRANSCRIPTIONS, 1, words).1,
        Err(StreamFault::Incomplete)
    );

    let sound = "data: {\"type\":\"speech.audio.delta\",\"audio\":\"AA==\"}\n\n";
    let done = "data: {\"type\":\"speech.audio.done\",\"usage\":{\"input_tokens\":1,\"output_tokens\":9}}\n\n";
    let read = stream(SPEECH, 1, &format!("{sound}{done}")).1.unwrap();
    assert_eq!(read.usage.unwrap().output_audio_tokens, 9);

    let chunk = "data: {\"object\":\"transcription.chunk\",\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\n\n";
    let read = stream(TRANSCRIPTIONS, 1, &format!("{chunk}data: [DONE]\n\n"));
    assert!(read.1.is_ok());
    assert_eq!(
        stream(TRANSCRIPTIONS, 1, "data: [DONE]\n\n").1,
        Err(StreamFault::Incomplete)
    );
}

#[test]
fn an_error_in_a_stream_is_one() {
    for text in [
        "event: error\ndata: {\"type\":\"error\",\"error\":{\"message\":\"No.\"}}\n\n",
        "data: {\"type\":\"error\",\"message\":\"No.\"}\n\n",
        "data: {\"error\":{\"message\":\"No.\"}}\n\n",
    ] {
        let (passed, read) = stream(IMAGES, 1, text);
        assert!(matches!(read, Err(StreamFault::Provider(_))), "{text}");
        assert_eq!(passed, "");
    }
}
