//! Recorded traffic of real providers, where it is at hand: every stream decodes, however it is cut, and is passed through
//! byte for byte; every cut before its finish reason is an error; whole answers and requests survive decode and encode.
//!
//! The recordings are not part of the repository. Where they are missing, this says so and checks nothing.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

#[path = "support/recordings.rs"]
mod recordings;

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use bytes::Bytes;
use fkm_llm::fold::fold;
use fkm_llm::ir::{Choice, Event, FinishReason, OutputPart};
use fkm_llm::{
    Capabilities, Dialect, Format, MaxTokensField, RelayOptions, StreamFault, StreamOptions,
    Target, decode_stream, format, translate,
};
use serde_json::Value;

use crate::recordings::{exchanges, fixtures, say};

/// One recorded exchange.
struct Recorded {
    name: String,
    format: Format,
    status: u64,
    request: Vec<u8>,
    body: Vec<u8>,
}

/// What was checked.
#[derive(Debug, Default)]
struct Counts(BTreeMap<&'static str, usize>);

/// Streams that the provider itself broke off or ended with an error, or never finished.
const BROKEN: usize = 4;

fn load(folder: &Path) -> Vec<Recorded> {
    exchanges(folder).iter().filter_map(recorded).collect()
}

fn recorded(value: &Value) -> Option<Recorded> {
    let path = value["path"].as_str()?;
    let format = if path.ends_with("chat/completions") {
        Format::OpenAiChat
    } else if path.ends_with("/completions") {
        Format::OpenAiCompletions
    } else if path.ends_with("/responses") && value["method"] == "POST" {
        Format::OpenAiResponses
    } else if path.ends_with("/v1/messages") {
        Format::AnthropicMessages
    } else if path.ends_with("/converse") || path.ends_with("/converse-stream") {
        Format::BedrockConverse
    } else if path.ends_with("/v2/chat") {
        Format::CohereChat
    } else if path.ends_with(":generateContent") || path.ends_with(":streamGenerateContent") {
        Format::GeminiGenerateContent
    } else {
        return None;
    };
    let name = format!("{} {}", value["key"].as_str()?, value["i"]);
    Some(Recorded {
        name,
        format,
        status: value["status"].as_u64()?,
        request: value["req"].to_string().into_bytes(),
        body: body(value)?,
    })
}

/// Text as it is, bytes in base64.
fn body(value: &Value) -> Option<Vec<u8>> {
    if let Some(text) = value["body"].as_str() {
        return Some(text.as_bytes().to_vec());
    }
    let encoded = value["body_b64"].as_str()?;
    base64::engine::general_purpose::STANDARD
        .decode(encoded)
        .ok()
}

// === impl Recorded ===

impl Recorded {
    fn is_stream(&self) -> bool {
        if self.format == Format::BedrockConverse {
            return self.status == 200 && !self.is_answer();
        }
        self.status == 200
            && ["data:", "event:", ":", "["]
                .iter()
                .any(|start| self.body.starts_with(start.as_bytes()))
    }

    fn is_answer(&self) -> bool {
        self.status == 200 && self.body.trim_ascii_start().starts_with(b"{")
    }
}

// === impl Counts ===

impl Counts {
    fn add(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    fn at_least(&self, what: &str, floor: usize) {
        let found = self.0.get(what).copied().unwrap_or_default();
        assert!(found >= floor, "{what}: {found}, expected at least {floor}");
    }
}

/// Decodes a stream in pieces of `size` bytes; every event and how it ended.
fn decode_cut(from: Format, bytes: &[u8], size: usize) -> (Vec<Event>, Result<(), StreamFault>) {
    let mut decoder = format(from).stream_decoder(&dialect(from));
    let mut events = Vec::new();
    for piece in bytes.chunks(size) {
        if let Err(fault) = decoder.push(piece, &mut events) {
            return (events, Err(fault));
        }
    }
    let end = decoder.end(&mut events);
    (events, end)
}

/// Passes a stream through in pieces of `size` bytes; what came out and how it ended.
fn relay_cut(from: Format, bytes: &[u8], size: usize) -> (Vec<u8>, Result<(), StreamFault>) {
    let mut relay = format(from).relay(&RelayOptions::default());
    let mut out = Vec::new();
    let mut end = Ok(());
    for piece in bytes.chunks(size) {
        end = relay.push(Bytes::copy_from_slice(piece), &mut out);
        if end.is_err() {
            break;
        }
    }
    if end.is_ok() {
        end = relay.end(&mut out);
    }
    (out.concat(), end)
}

/// Where each frame of a stream ends.
fn frame_ends(format: Format, bytes: &[u8]) -> Vec<usize> {
    let mut ends = Vec::new();
    if format == Format::BedrockConverse {
        // Each frame begins with its length.
        let mut at = 0;
        while let Some((length, _)) = bytes[at..].split_first_chunk() {
            at += u32::from_be_bytes(*length) as usize;
            ends.push(at);
        }
        return ends;
    }
    for (at, pair) in bytes.windows(2).enumerate() {
        let crlf = bytes[..at + 2].ends_with(b"\r\n\r\n");
        if pair == b"\n\n" || crlf {
            ends.push(at + 2);
        }
    }
    if bytes.starts_with(b"[") {
        // One array: its last element, and its end.
        ends.extend([bytes.trim_ascii_end().len() - 1, bytes.len()]);
    }
    ends
}

fn has_error(events: &[Event]) -> bool {
    events.iter().any(|event| matches!(event, Event::Error(_)))
}

#[test]
fn streams() {
    let Some(folder) = fixtures() else { return };
    let mut counts = Counts::default();
    let mut broken = Vec::new();
    for stream in load(&folder).iter().filter(|recorded| recorded.is_stream()) {
        let whole = decode_cut(stream.format, &stream.body, stream.body.len());
        for size in [1, 7] {
            let cut = decode_cut(stream.format, &stream.body, size);
            assert_eq!(cut, whole, "{} in pieces of {size}", stream.name);
            counts.add("streams cut");
        }
        let (events, end) = whole;
        for size in [1, 7, 4096, stream.body.len()] {
            let (out, relayed) = relay_cut(stream.format, &stream.body, size);
            assert!(
                stream.body.starts_with(&out) || out.starts_with(&stream.body),
                "{}: relayed bytes differ",
                stream.name
            );
            let ok = end.is_ok() && !has_error(&events);
            assert_eq!(relayed.is_ok(), ok, "{}: {relayed:?}", stream.name);
            if ok {
                assert!(out.starts_with(&stream.body), "{}: bytes lost", stream.name);
            }
        }
        if end.is_err() || has_error(&events) {
            broken.push(format!("{}: {end:?}", stream.name));
            continue;
        }
        let answer = fold(events).unwrap();
        let usage_may_lack = matches!(
            stream.format,
            Format::OpenAiChat | Format::OpenAiCompletions
        );
        assert!(answer.usage.is_some() || usage_may_lack);
        counts.add(stream.format.name());
        cuts(stream, &mut counts);
        for to in Format::ALL {
            if to != stream.format {
                translated(stream, to, &mut counts);
            }
        }
    }
    say(&format!(
        "recorded streams: {:?}, broken {broken:#?}",
        counts.0
    ));
    assert!(broken.len() <= BROKEN, "{broken:#?}");
    counts.at_least("openai.chat", 95);
    counts.at_least("openai.completions", 6);
    counts.at_least("openai.responses", 40);
    counts.at_least("anthropic.messages", 30);
    counts.at_least("bedrock.converse", 10);
    counts.at_least("cohere.chat", 7);
    counts.at_least("gemini.generate_content", 25);
    counts.at_least("cuts", 5000);
}

/// The stream ended at every frame: an error before the finish reason, complete after it, in every way to read it.
fn cuts(stream: &Recorded, counts: &mut Counts) {
    let mut complete = false;
    for end in std::iter::once(0).chain(frame_ends(stream.format, &stream.body)) {
        let part = &stream.body[..end];
        let (events, decoded) = decode_cut(stream.format, part, 4096);
        let stopped = events
            .iter()
            .any(|event| matches!(event, Event::Stop { .. }));
        assert_eq!(decoded.is_ok(), stopped, "{} at {end}", stream.name);
        let (_, relayed) = relay_cut(stream.format, part, 4096);
        assert_eq!(relayed, decoded, "{} at {end}", stream.name);
        assert!(!complete || stopped, "{}: finished, then not", stream.name);
        complete = stopped;
        counts.add("cuts");
    }
    assert!(complete, "{} never finishes", stream.name);
}

/// The choice as a client without tools can see it.
fn without_calls(choice: &mut Choice) {
    let calls = |part: &OutputPart| matches!(part, OutputPart::ToolCall(_));
    choice.parts.retain(|part| !calls(part));
    if choice.finish_reason == FinishReason::ToolCalls {
        choice.finish_reason = FinishReason::Stop;
    }
}

/// The stream translated to another format means the same there.
fn translated(stream: &Recorded, to: Format, counts: &mut Counts) {
    let options = StreamOptions {
        include_usage: true,
        ..StreamOptions::default()
    };
    let mut transform = translate(&dialect(stream.format), to, &options);
    let mut out = Vec::new();
    transform
        .push(Bytes::copy_from_slice(&stream.body), &mut out)
        .unwrap();
    transform.end(&mut out).unwrap();
    let ours = fold(decode_stream(to, &out.concat()).unwrap()).unwrap();
    let mut theirs = fold(decode_stream(stream.format, &stream.body).unwrap()).unwrap();
    if to == Format::OpenAiCompletions {
        without_calls(&mut theirs.choices[0]);
    }
    let text = |answer: &fkm_llm::ir::Response| answer.choices[0].text();
    assert_eq!(text(&ours), text(&theirs), "{}", stream.name);
    let calls = |answer: &fkm_llm::ir::Response| -> Vec<(String, String, String)> {
        let parts = answer.choices[0].parts.iter();
        parts
            .filter_map(|part| match part {
                OutputPart::ToolCall(call) => {
                    // An event holds one line: white space between tokens may change.
                    let arguments = call.arguments.replace(['\n', '\r'], " ");
                    Some((call.id.clone(), call.name.clone(), arguments))
                }
                _ => None,
            })
            .collect()
    };
    assert_eq!(calls(&ours), calls(&theirs), "{}", stream.name);
    if let Some(mut usage) = theirs.usage {
        // What is paid for is told by one format only.
        usage.billed = None;
        // So is how it was served, each in its own words.
        usage.tier = ours.usage.and_then(|usage| usage.tier);
        if matches!(to, Format::BedrockConverse | Format::CohereChat) {
            // They have no place for them.
            usage.reasoning_tokens = 0;
        }
        if matches!(to, Format::CohereChat | Format::GeminiGenerateContent) {
            usage.cache_write_tokens = 0;
            usage.cache_write_1h_tokens = 0;
        }
        assert_eq!(ours.usage, Some(usage), "{}", stream.name);
    }
    assert_eq!(
        ours.choices[0].finish_reason.name(),
        match theirs.choices[0].finish_reason.name() {
            "pause" => "stop",
            "content_filter" if to == Format::CohereChat => "stop",
            name => name,
        },
        "{}",
        stream.name
    );
    counts.add("translated");
}

#[test]
fn whole_answers() {
    let Some(folder) = fixtures() else { return };
    let mut counts = Counts::default();
    let mut failed = Vec::new();
    for answer in load(&folder).iter().filter(|recorded| recorded.is_answer()) {
        let wire = format(answer.format);
        let (decoded, facts) = (
            wire.decode_response(&answer.body),
            wire.response_facts(&answer.body),
        );
        let (Ok(decoded), Ok(facts)) = (&decoded, &facts) else {
            failed.push(format!("{}: {decoded:?} {facts:?}", answer.name));
            continue;
        };
        assert_eq!(facts.usage, decoded.usage, "{}", answer.name);
        assert_eq!(
            facts.finish_reasons.len(),
            decoded.choices.len(),
            "{}",
            answer.name
        );
        counts.add(answer.format.name());
        let encoded = wire.encode_response(decoded).unwrap();
        if encoded.dropped.is_empty() {
            let again = wire.decode_response(&encoded.body).unwrap();
            assert_eq!(&again, decoded, "{}", answer.name);
            counts.add("survived");
        }
        for end in (0..answer.body.trim_ascii_end().len()).step_by(997) {
            let cut = wire.response_facts(&answer.body[..end]);
            assert!(cut.is_err(), "{} cut at {end}", answer.name);
        }
    }
    say(&format!(
        "recorded answers: {:?}, failed {failed:#?}",
        counts.0
    ));
    assert!(failed.len() <= 10, "{failed:#?}");
    counts.at_least("openai.chat", 350);
    counts.at_least("openai.completions", 40);
    counts.at_least("openai.responses", 160);
    counts.at_least("anthropic.messages", 180);
    counts.at_least("bedrock.converse", 121);
    counts.at_least("cohere.chat", 13);
    counts.at_least("gemini.generate_content", 230);
    counts.at_least("survived", 450);
}

#[test]
fn requests() {
    let Some(folder) = fixtures() else { return };
    let mut counts = Counts::default();
    let mut failed = Vec::new();
    let mut refused: BTreeMap<String, usize> = BTreeMap::new();
    for recorded in load(&folder)
        .iter()
        .filter(|recorded| recorded.status == 200)
    {
        let wire = format(recorded.format);
        let request = match wire.decode_request(&recorded.request) {
            Ok(request) => request,
            Err(error) => {
                failed.push(format!("{}: {error}", recorded.name));
                continue;
            }
        };
        for to in Format::ALL {
            let dialect = dialect(to);
            let capabilities = Capabilities {
                // Its models differ; these recordings are of those that do.
                cache_breakpoints: to == Format::BedrockConverse,
                ..Capabilities::default()
            };
            let target = Target {
                model: &request.model,
                dialect: &dialect,
                capabilities: &capabilities,
                max_output_tokens: None,
                stream: request.stream,
            };
            match format(to).encode_request(&request, &target) {
                Ok(encoded) if to == recorded.format && encoded.dropped.is_empty() => {
                    let mut again = wire.decode_request(&encoded.body).unwrap();
                    // Follows the target.
                    again.include_usage = request.include_usage;
                    assert_eq!(again, request, "{}", recorded.name);
                    counts.add("survived");
                }
                Ok(encoded) if to == recorded.format && encoded.dropped == ["messages.system"] => {
                    counts.add("moved");
                }
                Ok(encoded)
                    if to == recorded.format
                        && encoded.dropped == ["tool_call.thought_signature"] =>
                {
                    counts.add("said to be unsigned");
                }
                Ok(encoded) if to == recorded.format => {
                    failed.push(format!("{}: dropped {:?}", recorded.name, encoded.dropped));
                }
                Ok(_) => counts.add("translated"),
                Err(error) if to == recorded.format => {
                    failed.push(format!("{}: {error}", recorded.name));
                }
                Err(error) => {
                    *refused.entry(error.to_string()).or_default() += 1;
                    counts.add("not translatable");
                }
            }
        }
        counts.add(recorded.format.name());
    }
    say(&format!(
        "recorded requests: {:?}, refused {refused:#?}, failed {failed:#?}",
        counts.0
    ));
    assert!(failed.len() <= 10, "{failed:#?}");
    counts.at_least("survived", 700);
    counts.at_least("translated", 600);
}

fn dialect(format: Format) -> Dialect {
    let name = serde_json::json!({"format": format, "path": "/x", "auth": "Bearer"});
    let mut dialect: Dialect = serde_json::from_value(name).unwrap();
    dialect.max_tokens_field = MaxTokensField::AsSent;
    dialect
}
