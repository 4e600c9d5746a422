//! Carries commands out.

use std::collections::BTreeMap;

use fkm_llm::{ClientError, Encoded, ProviderError};
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use serde_json::{Value, json};

use crate::chat;
use crate::codec::Codec::{self, Chat, Embedding, Rerank};
use crate::command::{Body, Command};
use crate::embedding;
use crate::failure;
use crate::rerank;

pub(crate) fn run(command: &Command) -> Value {
    carry_out(command).unwrap_or_else(|wrong| failure::of_command(&wrong))
}

/// An error where the command itself is wrong.
fn carry_out(command: &Command) -> anyhow::Result<Value> {
    let result = match command {
        Command::Formats => what_exists(),
        Command::DecodeResponse { format, body } => match *format {
            Chat(from) => chat::decode_response(from, &body.0),
            Embedding(from) => embedding::decode_response(from, &body.0),
            Rerank(from) => rerank::decode_response(from, &body.0),
        },
        Command::DecodeStream {
            format,
            cut,
            dialect,
            body,
        } => {
            let from = chat::dialect_of(*format, dialect.as_deref())?;
            chat::decode_stream(&from, &body.0, *cut)
        }
        Command::Reencode {
            from,
            to,
            base64,
            body,
        } => match (*from, *to) {
            (Chat(from), Chat(to)) => chat::reencode(from, to, &body.0),
            (Embedding(from), Embedding(to)) => embedding::reencode(from, to, *base64, &body.0),
            (Rerank(from), Rerank(to)) => rerank::reencode(from, to, &body.0),
            _ => anyhow::bail!("formats of different operations"),
        },
        Command::TranslateStream {
            from,
            to,
            cut,
            choices,
            dialect,
            body,
        } => {
            let from = chat::dialect_of(*from, dialect.as_deref())?;
            chat::translate_stream(&from, *to, *choices, &body.0, *cut)
        }
        Command::EncodeRequest {
            from,
            to,
            model,
            stream,
            dialect,
            body,
        } => match (*from, *to) {
            (Chat(from), Chat(to)) => {
                let to = chat::dialect_of(to, dialect.as_deref())?;
                chat::encode_request(from, &to, (model, *stream), &body.0)
            }
            (Embedding(from), Embedding(to)) => {
                let to = embedding::dialect_of(to, dialect.as_deref())?;
                embedding::encode_request(from, &to, model, &body.0)
            }
            (Rerank(from), Rerank(to)) => {
                let to = rerank::dialect_of(to, dialect.as_deref())?;
                rerank::encode_request(from, &to, model, &body.0)
            }
            _ => anyhow::bail!("formats of different operations"),
        },
        Command::Cost(answered) => answered.cost()?,
        Command::DecodeError {
            format,
            status,
            headers,
            body,
        } => show_error(&format.decode_error(*status, &header_map(headers)?, &body.0)),
        Command::ReencodeError {
            from,
            to,
            status,
            headers,
            body,
        } => {
            let error = from.decode_error(*status, &header_map(headers)?, &body.0);
            told(*to, &ClientError::from(&error))
        }
    };
    Ok(result)
}

fn what_exists() -> Value {
    let presets: BTreeMap<&str, &str> = fkm_catalog::preset_names()
        .filter_map(|name| {
            Some((
                name,
                fkm_catalog::preset(name)?.dialect.as_ref()?.format.name(),
            ))
        })
        .collect();
    json!({"formats": Codec::names(), "presets": presets})
}

fn header_map(headers: &BTreeMap<String, String>) -> anyhow::Result<HeaderMap> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(name.parse::<HeaderName>()?, HeaderValue::from_str(value)?);
    }
    Ok(map)
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

/// What a client is told.
fn told(to: Codec, error: &ClientError) -> Value {
    json!({
        "status": to.error_status(error),
        "body": Body(to.encode_error(error)),
        "frame": to.encode_stream_error(error).map(Body),
    })
}

pub(crate) fn show_encoded(encoded: Encoded) -> Value {
    json!({"body": Body(encoded.body), "dropped": encoded.dropped})
}
