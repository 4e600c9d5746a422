//! Recorded streams: pass-through and translation see the same amount written, and wherever a stream breaks off, what is
//! accounted is marked as an estimate.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

#[path = "support/recordings.rs"]
mod recordings;

use bytes::Bytes;
use fkm_llm::{
    Auth, Dialect, Format, Progress, RelayOptions, StreamOptions, StreamTransform, format,
    translate,
};

use crate::recordings::{exchanges, fixtures, say};

/// Streams with parts that only their origin understands: what is in them is counted where it passes only.
const APART: usize = 9;

fn format_of(path: &str) -> Option<Format> {
    match path.rsplit('/').next()? {
        "completions" if path.ends_with("chat/completions") => Some(Format::OpenAiChat),
        "completions" => Some(Format::OpenAiCompletions),
        "messages" => Some(Format::AnthropicMessages),
        "responses" => Some(Format::OpenAiResponses),
        "chat" => Some(Format::CohereChat),
        _ => None,
    }
}

/// What is seen of a stream, and whether it was complete.
fn seen(mut transform: Box<dyn StreamTransform>, body: &[u8]) -> (Progress, bool) {
    let mut out = Vec::new();
    let pushed = transform.push(Bytes::copy_from_slice(body), &mut out);
    let complete = pushed.and_then(|()| transform.end(&mut out)).is_ok();
    (transform.progress().clone(), complete)
}

fn relayed(from: Format, body: &[u8]) -> (Progress, bool) {
    seen(format(from).relay(&RelayOptions::default()), body)
}

fn translated(from: Format, body: &[u8]) -> (Progress, bool) {
    let dialect = Dialect::new(from, "/", Auth::Bearer);
    let to = match from {
        Format::OpenAiChat => Format::AnthropicMessages,
        _ => Format::OpenAiChat,
    };
    seen(translate(&dialect, to, &StreamOptions::default()), body)
}

#[test]
fn streams_are_accounted_for_wherever_they_end() {
    let Some(folder) = fixtures() else { return };
    let (mut streams, mut without_usage) = (0, 0);
    let mut apart = Vec::new();
    for exchange in exchanges(&folder) {
        let Some(from) = exchange["path"].as_str().and_then(format_of) else {
            continue;
        };
        let body = exchange["body"].as_str().unwrap_or_default();
        let is_stream = body.starts_with("data:") || body.starts_with("event:");
        if !is_stream || exchange["status"] != 200 {
            continue;
        }
        let name = exchange["key"].as_str().unwrap();
        let (passed, complete) = relayed(from, body.as_bytes());
        let (read, _) = translated(from, body.as_bytes());
        if !complete {
            continue;
        }
        streams += 1;
        // Escapes stand for more or less than they are counted as.
        let off = passed.written_bytes.abs_diff(read.written_bytes);
        if off * 20 > read.written_bytes + 40 {
            let (passed, read) = (passed.written_bytes, read.written_bytes);
            apart.push(format!("{name}: {passed} passed, {read} read"));
        }
        let whole = passed.accounted_usage().unwrap();
        assert_eq!(whole.estimated, passed.usage.is_none(), "{name}");
        without_usage += usize::from(whole.estimated);
        let half = &body.as_bytes()[..body.len() / 2];
        for (progress, complete) in [relayed(from, half), translated(from, half)] {
            let accounted = progress.accounted_usage();
            let marked = accounted.is_none_or(|usage| usage.estimated);
            assert!(complete || marked, "{name}: {progress:?}");
            if progress.written_bytes > 0 {
                assert!(accounted.unwrap().output_tokens > 0, "{name}");
            }
        }
    }
    say(&format!(
        "accounted streams: {streams}, estimated because no usage came: {without_usage}"
    ));
    assert!(apart.len() <= APART, "{apart:#?}");
    assert!(
        streams >= 190 && without_usage >= 60,
        "{streams} {without_usage}"
    );
}
