//! What is measured: one conversation and one answer, written in every format by the formats themselves.

use anyhow::{Context as _, Result};
use bytes::Bytes;
use fkm_dialect::{Auth, Dialect, Format};
use fkm_llm::fold::fold;
use fkm_llm::ir::{
    BlockStart, Delta, Event, Extra, FinishReason, FunctionTool, InputPart, Message, OutputPart,
    RawJson, Request, Start, Text, Tool, ToolCall, ToolResult, Usage,
};
use fkm_llm::{Capabilities, StreamOptions, Target, encode_request, format};

/// A line of text as it is in real conversations.
const LINE: &str =
    "The log says \"retry budget exhausted\" twice — once a replica. Für die Auswertung: 200 ms?\n";

/// A piece of a stream: about five tokens.
const PIECE: &str = "and then it says that ";

/// A provider of the format without peculiarities.
pub(crate) fn dialect(format: Format) -> Dialect {
    Dialect::new(format, "/x", Auth::Bearer)
}

/// A conversation with a tool loop, with `bytes` bytes of text in the user's last turn.
fn conversation(bytes: usize) -> Request {
    let user = |text: String| Message::User {
        parts: vec![InputPart::Text(Text::plain(text))],
        extra: Extra::default(),
    };
    let schema = r#"{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}"#;
    let call = ToolCall {
        id: "call_1".to_owned(),
        name: "get_weather".to_owned(),
        arguments: r#"{"city":"Oslo"}"#.to_owned(),
        ..ToolCall::default()
    };
    let result = ToolResult {
        call_id: "call_1".to_owned(),
        parts: vec![InputPart::Text(Text::plain("12 degrees"))],
        ..ToolResult::default()
    };
    Request {
        model: "m".to_owned(),
        system: vec![Text::plain("Answer in short sentences.")],
        messages: vec![
            user("How warm is it in Oslo?".to_owned()),
            Message::Assistant {
                parts: vec![OutputPart::ToolCall(call)],
                extra: Extra::default(),
            },
            Message::Tool {
                results: vec![result],
                extra: Extra::default(),
            },
            user(LINE.repeat(bytes.div_ceil(LINE.len()))),
        ],
        tools: vec![Tool::Function(FunctionTool {
            name: "get_weather".to_owned(),
            description: Some("Tells the weather.".to_owned()),
            parameters: RawJson::try_new(schema).ok(),
            ..FunctionTool::default()
        })],
        max_output_tokens: Some(512),
        stream: true,
        ..Request::default()
    }
}

/// Text alone, for formats that can say no more.
fn prompt(bytes: usize) -> Request {
    let mut request = conversation(bytes);
    request.messages.drain(..3);
    request.system.clear();
    request.tools.clear();
    request
}

/// A request as a client of `home` sends it.
pub(crate) fn request(home: Format, bytes: usize) -> Result<Vec<u8>> {
    let dialect = dialect(home);
    let target = Target {
        model: "m",
        dialect: &dialect,
        capabilities: &Capabilities::default(),
        max_output_tokens: None,
        stream: true,
    };
    let encoded = encode_request(&conversation(bytes), &target)
        .or_else(|_| encode_request(&prompt(bytes), &target));
    Ok(encoded.with_context(|| home.to_string())?.body)
}

/// The events of an answer of `pieces` pieces of text.
fn events(pieces: usize) -> Vec<Event> {
    let block = |start| Event::BlockStart {
        choice: 0,
        block: 0,
        start,
    };
    let mut events = vec![
        Event::Start(Start {
            id: Some("answer-1".to_owned()),
            model: Some("m".to_owned()),
            ..Start::default()
        }),
        block(BlockStart::Text {
            extra: Extra::default(),
        }),
    ];
    events.extend((0..pieces).map(|_| Event::Delta {
        choice: 0,
        block: 0,
        delta: Delta::Text(PIECE.to_owned()),
    }));
    events.extend([
        Event::BlockStop {
            choice: 0,
            block: 0,
        },
        Event::Usage(Usage {
            input_tokens: 900,
            output_tokens: 5 * pieces as u64,
            ..Usage::default()
        }),
        Event::Stop {
            choice: 0,
            reason: FinishReason::Stop,
            extra: Extra::default(),
        },
    ]);
    events
}

/// A stream of `pieces` pieces as a provider of `home` sends it, one frame a piece.
pub(crate) fn stream(home: Format, pieces: usize) -> Vec<Bytes> {
    let mut out = Vec::new();
    let options = StreamOptions {
        include_usage: true,
        ..StreamOptions::default()
    };
    let mut encoder = format(home).stream_encoder(&options);
    for event in events(pieces) {
        encoder.push(&event, &mut out);
    }
    encoder.end(&mut out);
    out
}

/// A whole answer of `pieces` pieces as a provider of `home` sends it.
pub(crate) fn answer(home: Format, pieces: usize) -> Result<Vec<u8>> {
    let response = fold(events(pieces))?;
    let encoded = format(home).encode_response(&response);
    Ok(encoded.with_context(|| home.to_string())?.body)
}
