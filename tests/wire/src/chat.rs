//! Conversations: whole answers, streams, requests.

use anyhow::Context as _;
use bytes::Bytes;
use fkm_llm::fold::fold;
use fkm_llm::{
    Auth, Capabilities, ClientError, Dialect, Format, StreamFault, StreamOptions, Target, format,
    translate,
};
use serde_json::{Value, json};

use crate::answer;
use crate::command::Body;
use crate::failure;
use crate::run::show_encoded;

pub(crate) fn decode_response(from: Format, body: &[u8]) -> Value {
    match format(from).decode_response(body) {
        Ok(response) => json!({"answer": answer::of_response(&response.canonical())}),
        Err(error) => failure::of_decode(&error),
    }
}

/// In pieces of so many bytes; 0: in one.
fn pieces(body: &[u8], cut: usize) -> std::slice::Chunks<'_, u8> {
    body.chunks(if cut == 0 { body.len().max(1) } else { cut })
}

pub(crate) fn decode_stream(from: &Dialect, body: &[u8], cut: usize) -> Value {
    let mut decoder = format(from.format).stream_decoder(from);
    let mut events = Vec::new();
    let mut push_all = || -> Result<(), StreamFault> {
        for piece in pieces(body, cut) {
            decoder.push(piece, &mut events)?;
        }
        decoder.end(&mut events)
    };
    let end = push_all();
    // An error of the provider's lies among the events, and says more than what came of it.
    match fold(events).and_then(|response| end.map(|()| response)) {
        Ok(response) => json!({"answer": answer::of_response(&response)}),
        Err(fault) => failure::of_stream(&fault),
    }
}

pub(crate) fn reencode(from: Format, to: Format, body: &[u8]) -> Value {
    match format(from).decode_response(body) {
        Ok(response) => match format(to).encode_response(&response) {
            Ok(encoded) => show_encoded(encoded),
            Err(error) => failure::of_encode(&error),
        },
        Err(error) => failure::of_decode(&error),
    }
}

pub(crate) fn translate_stream(
    from: &Dialect,
    to: Format,
    choices: u32,
    body: &[u8],
    cut: usize,
) -> Value {
    let options = StreamOptions {
        include_usage: true,
        choices,
        ..StreamOptions::default()
    };
    let mut transform = translate(from, to, &options);
    let mut out: Vec<Bytes> = Vec::new();
    let mut forward = || -> Result<(), StreamFault> {
        for piece in pieces(body, cut) {
            transform.push(Bytes::copy_from_slice(piece), &mut out)?;
        }
        transform.end(&mut out)
    };
    let Err(fault) = forward() else {
        return json!({"body": Body(out.concat())});
    };
    let error = client_error(&fault);
    out.push(format(to).encode_stream_error(&error));
    let mut result = failure::of_stream(&fault);
    result["body"] = json!(Body(out.concat()));
    result
}

/// What a client is told of a broken stream.
fn client_error(fault: &StreamFault) -> ClientError {
    match fault {
        StreamFault::Provider(error) => ClientError::from(&**error),
        other => ClientError::new(fkm_llm::ErrorKind::Upstream, other.to_string()),
    }
}

pub(crate) fn encode_request(
    from: Format,
    dialect: &Dialect,
    (model, stream): (&str, bool),
    body: &[u8],
) -> Value {
    let target = &Target {
        model,
        dialect,
        capabilities: &Capabilities::default(),
        max_output_tokens: None,
        stream,
    };
    let request = match format(from).decode_request(body) {
        Ok(request) => request,
        Err(error) => return failure::of_decode(&error),
    };
    match fkm_llm::encode_request(&request, target) {
        Ok(encoded) => show_encoded(encoded),
        Err(error) => failure::of_encode(&error),
    }
}

/// A preset's dialect, or the format without any deviation.
pub(crate) fn dialect_of(name: Format, preset: Option<&str>) -> anyhow::Result<Dialect> {
    let Some(preset) = preset else {
        return Ok(Dialect::new(name, "/", Auth::Bearer));
    };
    let found = fkm_catalog::preset(preset).with_context(|| format!("no preset {preset}"))?;
    let dialect = found.dialect.clone().filter(|one| one.format == name);
    dialect.with_context(|| format!("{preset} speaks another format"))
}
