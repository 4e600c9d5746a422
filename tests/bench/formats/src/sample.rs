//! What is measured: one conversation and one answer, written in every format by the formats themselves.

use anyhow::{Context as _, Result};
use bytes::Bytes;
use fkm_dialect::{Auth, Dialect, Format};
use fkm_llm::fold::fold;
use fkm_llm::ir::{
    BlockStart, Delta, Event, Extra, FinishReason, FunctionTool, InputPart, Message, OutputPart,
    RawJson, Request, Response, Start, Text, Tool, ToolCall, ToolResult, Usage,
};
use fkm_llm::{Capabilities, StreamOptions, Target, encode_request, format};

/// A line of text as it is in real conversations.
const LINE: &str =
    "The log says \"retry budget exhausted\" twice — once a replica. Für die Auswertung: 200 ms?\n";

/// A piece of a stream: about five tokens.
const PIECE: &str = "and then it says that ";

/// What the pieces of a stream are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Thought,
    /// The arguments of a call.
    Arguments,
}

/// A provider of the format without peculiarities.
pub(crate) fn dialect(format: Format) -> Dialect {
    Dialect::new(format, "/x", Auth::Bearer)
}

fn user(text: String) -> Message {
    Message::User {
        parts: vec![InputPart::Text(Text::plain(text))],
        extra: Extra::default(),
    }
}

/// A conversation with a tool loop, with `bytes` bytes of text in the user's last turn.
fn conversation(bytes: usize) -> Request {
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

/// The same in turns of one line, as many as make `bytes` bytes.
fn turns(bytes: usize) -> Request {
    let mut request = prompt(0);
    let answer = || Message::Assistant {
        parts: vec![OutputPart::Text(Text::plain("Yes."))],
        extra: Extra::default(),
    };
    for _ in 0..bytes.div_ceil(LINE.len()) {
        request.messages.push(user(LINE.to_owned()));
        request.messages.push(answer());
    }
    request.messages.push(user(LINE.to_owned()));
    request
}

/// A request, and what a client of `home` sends for it.
pub(crate) fn request(home: Format, bytes: usize) -> Result<(Request, Vec<u8>)> {
    sent(home, [conversation(bytes), prompt(bytes)])
}

/// The same with text alone.
pub(crate) fn plain_request(home: Format, bytes: usize) -> Result<Vec<u8>> {
    Ok(sent(home, [prompt(bytes)])?.1)
}

/// The same with many turns; `None` where the format knows none.
pub(crate) fn long_request(home: Format, bytes: usize) -> Option<Vec<u8>> {
    Some(sent(home, [turns(bytes)]).ok()?.1)
}

/// The first of them that the format can say.
fn sent<const N: usize>(home: Format, requests: [Request; N]) -> Result<(Request, Vec<u8>)> {
    let dialect = dialect(home);
    let capabilities = Capabilities::default();
    let target = target(&dialect, &capabilities);
    let mut sent = requests.into_iter().filter_map(|request| {
        let body = encode_request(&request, &target).ok()?.body;
        Some((request, body))
    });
    sent.next().with_context(|| home.to_string())
}

/// For a stream of model `m`.
pub(crate) fn target<'a>(dialect: &'a Dialect, capabilities: &'a Capabilities) -> Target<'a> {
    Target {
        model: "m",
        dialect,
        capabilities,
        max_output_tokens: None,
        stream: true,
    }
}

/// The events of an answer of pieces of one kind.
fn events(kind: Kind, pieces: impl IntoIterator<Item = String>) -> Vec<Event> {
    let block = |start| Event::BlockStart {
        choice: 0,
        block: 0,
        start,
    };
    let extra = Extra::default();
    let start = match kind {
        Kind::Text => BlockStart::Text { extra },
        Kind::Thought => BlockStart::Reasoning { extra },
        Kind::Arguments => BlockStart::ToolCall {
            id: "call_1".to_owned(),
            name: "get_weather".to_owned(),
            state: None,
            extra,
        },
    };
    let delta = match kind {
        Kind::Text => Delta::Text,
        Kind::Thought => Delta::Reasoning,
        Kind::Arguments => Delta::Arguments,
    };
    let mut events = vec![
        Event::Start(Start {
            id: Some("answer-1".to_owned()),
            model: Some("m".to_owned()),
            ..Start::default()
        }),
        block(start),
    ];
    events.extend(pieces.into_iter().map(|piece| Event::Delta {
        choice: 0,
        block: 0,
        delta: delta(piece),
    }));
    events.extend([
        Event::BlockStop {
            choice: 0,
            block: 0,
        },
        Event::Usage(Usage {
            input_tokens: 900,
            output_tokens: 2000,
            ..Usage::default()
        }),
        Event::Stop {
            choice: 0,
            reason: match kind {
                Kind::Arguments => FinishReason::ToolCalls,
                Kind::Text | Kind::Thought => FinishReason::Stop,
            },
            extra: Extra::default(),
        },
    ]);
    events
}

/// So many pieces; those of arguments make one object.
fn pieces(kind: Kind, count: usize) -> Vec<String> {
    match kind {
        Kind::Text | Kind::Thought => vec![PIECE.to_owned(); count],
        Kind::Arguments => {
            let begin = std::iter::once("{\"city\":\"".to_owned());
            let end = std::iter::once("\"}".to_owned());
            let pieces = std::iter::repeat_n(PIECE.to_owned(), count.saturating_sub(2));
            begin.chain(pieces).chain(end).collect()
        }
    }
}

/// A stream of so many pieces as a provider of `home` sends it, one frame a piece.
pub(crate) fn stream(home: Format, kind: Kind, count: usize) -> Vec<Bytes> {
    written(home, events(kind, pieces(kind, count)))
}

/// A stream whose only piece is as long as so many, as a provider of `home` sends it.
pub(crate) fn large_event(home: Format, count: usize) -> Vec<Bytes> {
    written(home, events(Kind::Text, [PIECE.repeat(count)]))
}

fn written(home: Format, events: Vec<Event>) -> Vec<Bytes> {
    let mut out = Vec::new();
    let options = StreamOptions {
        include_usage: true,
        ..StreamOptions::default()
    };
    let mut encoder = format(home).stream_encoder(&options);
    for event in events {
        encoder.push(&event, &mut out);
    }
    encoder.end(&mut out);
    out
}

/// A whole answer of so many pieces, and what a provider of `home` sends for it.
pub(crate) fn answer(home: Format, count: usize) -> Result<(Response, Vec<u8>)> {
    let response = fold(events(Kind::Text, pieces(Kind::Text, count)))?;
    let encoded = format(home).encode_response(&response);
    let body = encoded.with_context(|| home.to_string())?.body;
    Ok((response, body))
}
