//! Carries commands out.

use std::collections::BTreeMap;

use anyhow::Context as _;
use bytes::Bytes;
use fkm_llm::fold::fold;
use fkm_llm::{
    Auth, Capabilities, ClientError, Dialect, EmbeddingFormat, Encoded, Format, ProviderError,
    StreamFault, StreamOptions, Target, format, translate,
};
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::answer;
use crate::command::{Body, Command};
use crate::cost::Answered;
use crate::failure;

pub(crate) fn run(command: &Command) -> Value {
    carry_out(command).unwrap_or_else(|wrong| failure::of_command(&wrong))
}

/// An error where the command itself is wrong.
fn carry_out(command: &Command) -> Result<Value, anyhow::Error> {
    let result = match command {
        Command::Formats => what_exists(),
        Command::DecodeResponse { format: name, body } => {
            match format(*name).decode_response(&body.0) {
                Ok(response) => json!({"answer": answer::of_response(&response.canonical())}),
                Err(error) => failure::of_decode(&error),
            }
        }
        Command::DecodeStream {
            format: name,
            cut,
            dialect,
            body,
        } => decode_stream(
            &dialect_of(*name, dialect.as_deref())?,
            pieces(&body.0, *cut),
        ),
        Command::Reencode { from, to, body } => reencode(*from, *to, &body.0),
        Command::TranslateStream {
            from,
            to,
            cut,
            choices,
            dialect,
            body,
        } => {
            let from = dialect_of(*from, dialect.as_deref())?;
            translate_stream(&from, *to, *choices, pieces(&body.0, *cut))
        }
        Command::EncodeRequest {
            from,
            to,
            model,
            stream,
            dialect,
            body,
        } => {
            let target = Target {
                model,
                dialect: &dialect_of(*to, dialect.as_deref())?,
                capabilities: &Capabilities::default(),
                max_output_tokens: None,
                stream: *stream,
            };
            encode_request(*from, &target, &body.0)
        }
        Command::Cost {
            format,
            provider,
            model,
            tier,
            stream,
            dialect,
            body,
        } => Answered {
            format,
            provider,
            model,
            tier: *tier,
            is_stream: *stream,
            dialect: dialect.as_deref(),
            body,
        }
        .cost()?,
        Command::DecodeError {
            format: name,
            status,
            headers,
            body,
        } => show_error(&decode_error(*name, *status, headers, &body.0)?),
        Command::ReencodeError {
            from,
            to,
            status,
            headers,
            body,
        } => reencode_error(*to, &decode_error(*from, *status, headers, &body.0)?),
    };
    Ok(result)
}

fn what_exists() -> Value {
    let presets: BTreeMap<&str, &str> = fkm_catalog::preset_names()
        .filter_map(|name| Some((name, fkm_catalog::preset(name)?.dialect.format.name())))
        .collect();
    json!({
        "formats": Format::ALL.map(Format::name),
        "embeddings": EmbeddingFormat::ALL.map(EmbeddingFormat::name),
        "presets": presets,
    })
}

/// In pieces of so many bytes; 0: in one.
fn pieces(body: &[u8], cut: usize) -> std::slice::Chunks<'_, u8> {
    body.chunks(if cut == 0 { body.len().max(1) } else { cut })
}

fn decode_stream<'a>(from: &Dialect, pieces: impl Iterator<Item = &'a [u8]>) -> Value {
    let mut decoder = format(from.format).stream_decoder(from);
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
    from: &Dialect,
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

fn encode_request(from: Format, target: &Target<'_>, body: &[u8]) -> Value {
    let request = match format(from).decode_request(body) {
        Ok(request) => request,
        Err(error) => return failure::of_decode(&error),
    };
    match format(target.dialect.format).encode_request(&request, target) {
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
    anyhow::ensure!(
        found.dialect.format == name,
        "{preset} speaks another format"
    );
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
