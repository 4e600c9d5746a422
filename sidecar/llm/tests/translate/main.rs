//! Golden cases of translation, written by hand: requests, answers, streams, and state that goes around.
#![expect(clippy::unwrap_used, reason = "helpers of tests fail like tests")]

mod answers;
mod bedrock;
mod client_forms;
mod cohere;
mod completions;
mod drawn;
mod functions;
mod gemini;
mod links;
mod media;
mod requests;
mod responses;
mod state;
mod streams;
mod thinking;
mod tiers;
mod tool_results;
mod tools;

use fkm_llm::ir::Request;
use fkm_llm::{
    Capabilities, Dialect, EncodeError, Encoded, Format, Target, encode_request, format,
};
use serde_json::{Value, json};

const OPENAI: Format = Format::OpenAiChat;
const ANTHROPIC: Format = Format::AnthropicMessages;
const BEDROCK: Format = Format::BedrockConverse;
const GEMINI: Format = Format::GeminiGenerateContent;

fn dialect(format: Format) -> Dialect {
    serde_json::from_value(json!({"format": format, "path": "/x", "auth": "Bearer"})).unwrap()
}

fn decode(from: Format, request: &Value) -> Request {
    format(from)
        .decode_request(request.to_string().as_bytes())
        .unwrap()
}

/// As a model that can do what `capabilities` says gets it.
fn encode_as(
    to: Format,
    capabilities: &Capabilities,
    request: &Request,
) -> Result<Encoded, EncodeError> {
    let dialect = dialect(to);
    let target = Target {
        model: "upstream-model",
        dialect: &dialect,
        capabilities,
        max_output_tokens: None,
        stream: request.stream,
    };
    encode_request(request, &target)
}

fn encode(to: Format, request: &Request) -> Result<Encoded, EncodeError> {
    encode_as(to, &Capabilities::default(), request)
}

/// The body that such a model gets, and what was dropped.
fn encode_for(to: Format, capabilities: &Capabilities, request: &Request) -> (Value, Vec<String>) {
    let encoded = encode_as(to, capabilities, request).unwrap();
    (
        serde_json::from_slice(&encoded.body).unwrap(),
        encoded.dropped,
    )
}

/// A request of one format as the other's, and what was dropped.
fn request(from: Format, to: Format, request: &Value) -> (Value, Vec<String>) {
    let encoded = encode(to, &decode(from, request)).unwrap();
    (
        serde_json::from_slice(&encoded.body).unwrap(),
        encoded.dropped,
    )
}

/// An answer of one format as the other's, and what was dropped.
fn answer(from: Format, to: Format, answer: &Value) -> (Value, Vec<String>) {
    let decoded = format(from)
        .decode_response(answer.to_string().as_bytes())
        .unwrap();
    let encoded = format(to).encode_response(&decoded).unwrap();
    (
        serde_json::from_slice(&encoded.body).unwrap(),
        encoded.dropped,
    )
}
