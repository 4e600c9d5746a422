//! Errors: as the provider sends them, and as clients expect them: `{"id": …, "message": …}`, without a type or a code.

use bytes::Bytes;
use http::HeaderMap;
use serde::Serialize;
use serde_json::Value;

use crate::cohere::types;
use crate::error::{ClientError, ErrorKind, ProviderError, Said};
use crate::json::ObjectWriter;
use crate::openai_error;

/// The header with the provider's id of a request.
pub(super) const TRACE_HEADER: &str = "x-debug-trace-id";

#[derive(Debug, Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    message: &'a str,
}

/// Reads an error answer.
pub(super) fn decode(status: u16, headers: &HeaderMap, body: &[u8]) -> ProviderError {
    let mut said = match serde_json::from_slice(body) {
        Ok(value) => said(&value),
        Err(_) => Said {
            message: Some(String::from_utf8_lossy(body).into_owned()),
            ..Said::default()
        },
    };
    if said.request_id.is_none() {
        let trace = headers.get(TRACE_HEADER).and_then(|id| id.to_str().ok());
        said.request_id = trace.map(str::to_owned);
    }
    ProviderError::classify(status, headers, &said)
}

/// Reads an error inside an answer of status 200.
pub(super) fn decode_inside(text: &[u8]) -> ProviderError {
    let said = serde_json::from_slice(text).map(|value| said(&value));
    ProviderError::of(200, &said.unwrap_or_default())
}

/// Those who rank documents in this format often tell errors as OpenAI does.
fn said(body: &Value) -> Said {
    if body.get("error").is_some_and(Value::is_object) {
        return openai_error::said(body);
    }
    let text = |value: Option<&Value>| match value? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        _ => None,
    };
    let message = body.get("message").or_else(|| body.get("error"));
    Said {
        message: text(message)
            .or_else(|| text(Some(body)))
            .or_else(|| Some(message.or_else(|| body.get("detail"))?.to_string())),
        request_id: text(body.get("id")),
        ..Said::default()
    }
}

/// The error that a finish reason stands for, if it does; `message` is what was said beside it.
pub(super) fn of_finish(word: &str, message: Option<String>) -> Option<ProviderError> {
    if !types::is_fault(word) {
        return None;
    }
    let message = message.filter(|text| !text.is_empty());
    let status = if word == "TIMEOUT" { 504 } else { 500 };
    let said = Said {
        status: Some(status),
        message: message.or_else(|| Some(format!("the provider ended its answer with {word}"))),
        kind: Some(word.to_owned()),
        ..Said::default()
    };
    Some(ProviderError::of(200, &said))
}

/// A whole error body.
pub(super) fn encode(error: &ClientError) -> Vec<u8> {
    let body = Body {
        id: error.request_id.as_deref(),
        message: &error.message,
    };
    serde_json::to_vec(&body).expect("strings are always JSON")
}

/// The last frame of a stream that failed. No `[DONE]` follows.
pub(super) fn encode_frame(error: &ClientError) -> Bytes {
    let word = match error.kind {
        ErrorKind::Timeout => "TIMEOUT",
        _ => "ERROR",
    };
    let mut frame = b"event: message-end\ndata: ".to_vec();
    let mut object = ObjectWriter::new(&mut frame);
    object.value("type", "message-end");
    let mut delta = ObjectWriter::new(object.key("delta"));
    delta.value("error", &error.message);
    delta.value("finish_reason", word);
    delta.end();
    object.end();
    frame.extend(b"\n\n");
    frame.into()
}

#[cfg(test)]
mod tests;
