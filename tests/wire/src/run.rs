//! Carries commands out.

use std::collections::BTreeMap;

use bytes::Bytes;
use fkm_llm::fold::fold;
use fkm_llm::{
    Capabilities, ClientError, Dialect, Encoded, Format, ProviderError, StreamFault, StreamOptions,
    Target, format, translate,
};
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::answer;
use crate::command::{Body, Command};
use crate::failure;

pub(crate) fn run(command: &Command) -> Value {
    match command {
        Command::Formats => json!({"formats": Format::ALL.map(Format::name)}),
        Command::DecodeResponse { format: name, body } => {
            match format(*name).decode_response(&body.0) {
                Ok(response) => json!({"answer": answer::of_response(&response.canonical())}),
                Err(error) => failure::of_decode(&error),
            }
        }
        Command::DecodeStream {
            format: name,
            cut,
            body,
        } => decode_stream(*name, pieces(&body.0, *cut)),
        Command::Reencode { from, to, body } => reencode(*from, *to, &body.0),
        Command::TranslateStream {
            from,
            to,
            cut,
            choices,
            body,
        } => translate_stream(*from, *to, *choices, pieces(&body.0, *cut)),
        Command::EncodeRequest { .. } => encode_request(command),
        Command::DecodeError {
            format: name,
            status,
            headers,
            body,
        } => match decode_error(*name, *status, headers, &body.0) {
            Ok(error) => show_error(&error),
            Err(error) => failure::of_command(&error),
        },
        Command::ReencodeError {
            from,
            to,
            status,
            headers,
            body,
        } => match decode_error(*from, *status, headers, &body.0) {
            Ok(error) => reencode_error(*to, &error),
            Err(error) => failure::of_command(&error),
        },
    }
}

/// In pieces of so many bytes; 0: in one.
fn pieces(body: &[u8], cut: usize) -> std::slice::Chunks<'_, u8> {
    body.chunks(if cut == 0 { body.len().max(1) } else { cut })
}

fn decode_stream<'a>(from: Format, pieces: impl Iterator<Item = &'a [u8]>) -> Value {
    let mut decoder = format(from).stream_decoder();
    let mut events = Vec::new();
    let push_all = || -> Result<(), StreamFault> {
        for piece in pieces {
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

fn reencode(from: Format, to: Format, body: &[u8]) -> Value {
    match format(from).decode_response(body) {
        Ok(response) => match format(to).encode_response(&response) {
            Ok(encoded) => show_encoded(encoded),
            Err(error) => failure::of_encode(&error),
        },
        Err(error) => failure::of_decode(&error),
    }
}

fn translate_stream<'a>(
    from: Format,
    to: Format,
    choices: u32,
    pieces: impl Iterator<Item = &'a [u8]>,
) -> Value {
    let options = StreamOptions {
        include_usage: true,
        choices,
        ..StreamOptions::default()
    };
    let mut transform = translate(from, to, &options);
    let mut out: Vec<Bytes> = Vec::new();
    let forward = || -> Result<(), StreamFault> {
        for piece in pieces {
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

fn encode_request(command: &Command) -> Value {
    let Command::EncodeRequest {
        from,
        to,
        model,
        stream,
        dialect,
        body,
    } = command
    else {
        return failure::of_command(&"not a request");
    };
    let dialect = match dialect_of(*to, dialect.as_deref()) {
        Ok(dialect) => dialect,
        Err(why) => return failure::of_command(&why),
    };
    let request = match format(*from).decode_request(&body.0) {
        Ok(request) => request,
        Err(error) => return failure::of_decode(&error),
    };
    let target = Target {
        model,
        dialect: &dialect,
        capabilities: &Capabilities::default(),
        max_output_tokens: None,
        stream: *stream,
    };
    match format(*to).encode_request(&request, &target) {
        Ok(encoded) => show_encoded(encoded),
        Err(error) => failure::of_encode(&error),
    }
}

/// A preset's dialect, or the format without any deviation.
fn dialect_of(name: Format, preset: Option<&str>) -> Result<Dialect, String> {
    let Some(preset) = preset else {
        let plain = json!({"format": name, "path": "/", "auth": "Bearer"});
        return serde_json::from_value(plain).map_err(|error| error.to_string());
    };
    let found = fkm_catalog::preset(preset).ok_or_else(|| format!("no preset {preset}"))?;
    Ok(found.dialect.clone())
}

fn decode_error(
    from: Format,
    status: u16,
    headers: &BTreeMap<String, String>,
    body: &[u8],
) -> anyhow::Result<ProviderError> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(name.parse::<HeaderName>()?, HeaderValue::from_str(value)?);
    }
    Ok(format(from).decode_error(status, &map, body))
}

fn show_error(error: &ProviderError) -> Value {
    json!({
        "status": error.status,
        "class": error.class.map(fkm_llm::FailureClass::name),
        "message": error.message,
        "kind": error.kind,
        "code": error.code,
        "retryable": error.retryable,
    })
}

fn reencode_error(to: Format, error: &ProviderError) -> Value {
    let (wire, error) = (format(to), ClientError::from(error));
    json!({
        "status": wire.error_status(&error),
        "body": Body(wire.encode_error(&error)),
        "frame": Body(wire.encode_stream_error(&error).to_vec()),
    })
}

fn show_encoded(encoded: Encoded) -> Value {
    json!({"body": Body(encoded.body), "dropped": encoded.dropped})
}
