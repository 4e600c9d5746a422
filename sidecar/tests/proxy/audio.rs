//! Sound: spoken, as bytes and as events; transcribed and translated, in every form that answers have.

use fkm_upstream::{Step, Upstream};
use http::StatusCode;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::formats::http;
use crate::harness::{Sidecar, snapshot};
use crate::images::{events, form, metrics, pair, post_form, relaying};

const SPEECH: &str = "/v1/audio/speech";
const TRANSCRIPTIONS: &str = "/v1/audio/transcriptions";

fn speech(stream_format: &str) -> String {
    let asked =
        json!({"model": "m", "input": "Hi", "voice": "alloy", "stream_format": stream_format});
    asked.to_string()
}

#[tokio::test]
async fn sound_comes_as_bytes_of_its_media_type() {
    let (a, b, sidecar) = pair().await;
    let sound: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    for media_type in [
        "audio/mpeg",
        "audio/wav; rate=1",
        "application/octet-stream",
    ] {
        a.script(vec![http("200 OK", media_type, &sound)]);
        let reply = sidecar.post(SPEECH, speech("audio")).await;
        assert_eq!((reply.status, &*reply.body), (StatusCode::OK, &*sound));
        assert_eq!(reply.header("content-type"), media_type);
        assert_eq!(a.requests().pop().unwrap().json()["model"], "m-upstream");
    }
    // No sound is no answer.
    a.script(vec![http("200 OK", "audio/mpeg", b"")]);
    b.script(vec![http("200 OK", "audio/mpeg", &sound)]);
    let reply = sidecar.post(SPEECH, speech("audio")).await;
    assert_eq!(reply.header("x-fkm-provider"), "b");
}

/// The raw bytes of an answer, and whether HTTP says that it is whole.
async fn read_raw(sidecar: &Sidecar, body: &str) -> (Vec<u8>, bool) {
    let mut socket = TcpStream::connect(sidecar.address()).await.unwrap();
    let head = format!(
        "POST {SPEECH} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    let _ = socket.read_to_end(&mut read).await;
    let whole = read.ends_with(b"0\r\n\r\n");
    (read, whole)
}

#[tokio::test]
async fn sound_that_breaks_off_never_ends_clean() {
    let (a, _b, sidecar) = pair().await;
    let head = "HTTP/1.1 200 OK\r\ncontent-type: audio/mpeg\r\ncontent-length: 1000\r\n\r\nsound";
    a.script(vec![Step::Raw(head.into())]);
    let (read, whole) = read_raw(&sidecar, &speech("audio")).await;
    let text = String::from_utf8_lossy(&read);
    assert!(
        text.starts_with("HTTP/1.1 200") && text.contains("sound"),
        "{text}"
    );
    assert!(!whole, "{text}");
    let metrics = metrics(&sidecar).await;
    assert!(
        metrics.contains(r#"outcome="BrokenStream"} 1"#),
        "{metrics}"
    );
    // The same, whole: what is looked for is there.
    a.script(vec![http("200 OK", "audio/mpeg", b"sound")]);
    assert!(read_raw(&sidecar, &speech("audio")).await.1);
}

#[tokio::test]
async fn sound_comes_as_events_where_it_is_asked_for_so() {
    let (a, _b, sidecar) = pair().await;
    let delta = "data: {\"type\":\"speech.audio.delta\",\"audio\":\"AA==\"}\n\n";
    let done = "data: {\"type\":\"speech.audio.done\",\"usage\":{\"input_tokens\":2,\"output_tokens\":31}}\n\n";
    let whole = format!("{delta}{done}");
    a.script(vec![events(&whole, false)]);
    let reply = sidecar.post(SPEECH, speech("sse")).await;
    assert_eq!(reply.body, whole);
    let metrics = metrics(&sidecar).await;
    assert!(metrics.contains(r#"token_type="output"} 31"#), "{metrics}");
    a.script(vec![events(delta, true)]);
    let reply = sidecar.post(SPEECH, speech("sse")).await;
    let text = String::from_utf8(reply.body.to_vec()).unwrap();
    assert!(text.contains("provider_broken_answer"), "{text}");
}

fn recording(fields: &[(&str, &[u8])]) -> bytes::Bytes {
    let file: (&str, &[u8]) = ("name=\"file\"; filename=\"a.wav\"", b"RIFF\r\n--XyY\0");
    form(&[&[file, ("name=\"model\"", b"alias")], fields].concat())
}

#[tokio::test]
async fn transcripts_come_in_every_form() {
    let (a, _b, sidecar) = pair().await;
    let answers = [
        (
            "application/json",
            r#"{"text":"Hi","usage":{"type":"duration","seconds":2}}"#,
        ),
        (
            "application/json",
            r#"{"text":"Hi","duration":1.5,"segments":[]}"#,
        ),
        ("text/plain; charset=utf-8", "Hi\n"),
        ("text/plain", ""),
        ("text/vtt", "WEBVTT\n\n"),
    ];
    for path in [TRANSCRIPTIONS, "/v1/audio/translations"] {
        for (media_type, answer) in answers {
            a.script(vec![http("200 OK", media_type, answer.as_bytes())]);
            let reply = post_form(&sidecar, path, recording(&[])).await;
            assert_eq!(
                (reply.status, &*reply.body),
                (StatusCode::OK, answer.as_bytes())
            );
            assert_eq!(reply.header("content-type"), media_type);
            assert_eq!(a.requests().pop().unwrap().path, path);
        }
    }
    let sent = a.requests().pop().unwrap().body;
    assert_eq!(
        sent,
        String::from_utf8(recording(&[]).to_vec())
            .unwrap()
            .replace("alias", "m-upstream")
    );
    let metrics = metrics(&sidecar).await;
    let seconds = r#"fkm_transcribed_seconds_total{provider="a",model="m-upstream"} 7.0"#;
    assert!(metrics.contains(seconds), "{metrics}");
}

#[tokio::test]
async fn transcripts_stream_where_the_form_says_so() {
    let (a, b, sidecar) = pair().await;
    let delta = "data: {\"type\":\"transcript.text.delta\",\"delta\":\"Hi\"}\n\n";
    let done = "data: {\"type\":\"transcript.text.done\",\"text\":\"Hi\",\"usage\":{\"type\":\"tokens\",\"input_tokens\":14,\"output_tokens\":45,\"input_token_details\":{\"audio_tokens\":14}}}\n\n";
    let whole = format!("{delta}{done}");
    let asked = || recording(&[("name=\"stream\"", b"true")]);
    a.script(vec![events(&whole, false)]);
    let reply = post_form(&sidecar, TRANSCRIPTIONS, asked()).await;
    assert_eq!(reply.body, whole);
    let metrics = metrics(&sidecar).await;
    assert!(metrics.contains(r#"token_type="output"} 45"#), "{metrics}");
    // `whisper-1` knows no streams, and answers all the same.
    a.script(vec![http(
        "200 OK",
        "application/json",
        br#"{"text":"Hi"}"#,
    )]);
    let reply = post_form(&sidecar, TRANSCRIPTIONS, asked()).await;
    assert_eq!(reply.json(), json!({"text": "Hi"}));
    assert_eq!(reply.header("content-type"), "application/json");
    // An error before the first word is the next provider's turn.
    let error = "event: error\ndata: {\"error\":{\"message\":\"busy\",\"code\":503}}\n\n";
    a.script(vec![events(error, false)]);
    b.script(vec![events(&whole, false)]);
    let reply = post_form(&sidecar, TRANSCRIPTIONS, asked()).await;
    assert_eq!(
        (reply.header("x-fkm-provider"), &*reply.body),
        ("b", whole.as_bytes())
    );
}

#[tokio::test]
async fn texts_are_judged() {
    let (a, _b, sidecar) = pair().await;
    let answer = json!({"id": "modr-1", "model": "m-upstream", "results": [{"flagged": false}]});
    a.script(vec![http(
        "200 OK",
        "application/json",
        answer.to_string().as_bytes(),
    )]);
    let body = json!({"model": "m", "input": ["a"]}).to_string();
    let reply = sidecar.post("/v1/moderations", body).await;
    assert_eq!(reply.json(), answer);
}

#[tokio::test]
async fn tokens_of_sound_cost_what_the_price_says() {
    let upstream = Upstream::start().await.unwrap();
    let mut provider = relaying("a", &upstream.base_url(), 0);
    let rates = json!({"input": 2_500_000_000_u64, "inputAudio": 6_000_000_000_u64, "output": 10_000_000_000_u64});
    provider["models"]["m"]["price"] = json!({"default": [rates]});
    let sidecar = Sidecar::start(&snapshot(&[provider])).await;
    let used: Value = json!({"type": "tokens", "input_tokens": 14, "output_tokens": 45, "input_token_details": {"audio_tokens": 12, "text_tokens": 2}});
    let answer = json!({"text": "Hi", "usage": used}).to_string();
    upstream.script(vec![http("200 OK", "application/json", answer.as_bytes())]);
    let reply = post_form(&sidecar, TRANSCRIPTIONS, recording(&[])).await;
    assert_eq!(reply.status, StatusCode::OK);
    // 2 · 2.5 + 12 · 6 + 45 · 10 millionths of a dollar
    let metrics = metrics(&sidecar).await;
    assert!(
        metrics.contains(r#"fkm_cost_nano_usd_total{provider="a",model="m-upstream"} 527000"#),
        "{metrics}"
    );
}
