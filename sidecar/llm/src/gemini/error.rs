//! Errors: `google.rpc.Status`, both ways.
//!
//! `{"error": {"code": 429, "message": …, "status": "RESOURCE_EXHAUSTED", "details": […]}}`, in an array where the stream is
//! one. There is no `Retry-After`: the wait is a detail of type `google.rpc.RetryInfo`.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use serde::Serialize;
use serde_json::{Value, json};

use crate::error::{ClientError, ErrorKind, ProviderError, RetryAfter, Said};

#[derive(Debug, Serialize)]
struct Body<'a> {
    error: Detail<'a>,
}

/// `google.rpc.Status`.
#[derive(Debug, Serialize)]
struct Detail<'a> {
    code: u16,
    message: &'a str,
    status: &'static str,
    details: Vec<Value>,
}

/// Reads an error answer.
pub(super) fn decode(status: u16, headers: &HeaderMap, body: &[u8]) -> ProviderError {
    let value: Value = match serde_json::from_slice(body) {
        Ok(value) => value,
        Err(_) => {
            let said = Said {
                message: Some(String::from_utf8_lossy(body).into_owned()),
                ..Said::default()
            };
            return ProviderError::classify(status, headers, &said);
        }
    };
    let said = said(&value);
    let mut error = ProviderError::classify(exact(status, &said), headers, &said);
    error.retry_after = error.retry_after.or_else(|| retry_info(&value));
    error
}

/// The error that an answer of status 200, or a piece of one, is; `None` when it is none.
pub(super) fn inside(text: &[u8]) -> Option<ProviderError> {
    // Most answers are none; what is looked at twice is short.
    memchr::memmem::find(text, b"\"error\"")?;
    let value: Value = serde_json::from_slice(text).ok()?;
    first(&value)
        .get("error")
        .filter(|error| !error.is_null())?;
    let mut said = said(&value);
    said.status = Some(exact(said.status.unwrap_or(500), &said));
    let mut error = ProviderError::of(200, &said);
    error.retry_after = retry_info(&value);
    Some(error)
}

/// The body, or the first of a list of them.
fn first(body: &Value) -> &Value {
    match body {
        Value::Array(list) => list.first().unwrap_or(&Value::Null),
        body => body,
    }
}

fn status_of(body: &Value) -> &Value {
    let body = first(body);
    body.get("error").unwrap_or(body)
}

fn said(body: &Value) -> Said {
    let error = status_of(body);
    let text = |name: &str| Some(error.get(name)?.as_str()?.to_owned());
    let kind = text("status");
    let code = error.get("code").and_then(Value::as_u64);
    let code = code.and_then(|code| u16::try_from(code).ok());
    let detail = |kind: &str, pointer: &str| {
        let found = details(body, kind)?.pointer(pointer)?;
        Some(found.as_str()?.to_owned())
    };
    Said {
        status: code
            .filter(|code| (400..600).contains(code))
            .or_else(|| kind.as_deref().and_then(http_status)),
        message: text("message").or_else(|| error.as_str().map(str::to_owned)),
        code: detail("ErrorInfo", "/reason"),
        param: detail("BadRequest", "/fieldViolations/0/field"),
        request_id: detail("RequestInfo", "/requestId"),
        kind,
    }
}

/// The first detail of a type of `google.rpc`.
fn details<'a>(body: &'a Value, kind: &str) -> Option<&'a Value> {
    let list = status_of(body).get("details")?.as_array()?;
    list.iter().find(|detail| {
        let of = detail.get("@type").and_then(Value::as_str);
        of.is_some_and(|of| of.rsplit('.').next() == Some(kind))
    })
}

/// `"34.4s"` of `retryDelay`.
fn retry_info(body: &Value) -> Option<RetryAfter> {
    let text = details(body, "RetryInfo")?.get("retryDelay")?.as_str()?;
    let seconds: f64 = text.strip_suffix('s')?.parse().ok()?;
    let delay = Duration::try_from_secs_f64(seconds).ok()?;
    Some(RetryAfter::In(delay))
}

/// The status that an error stands for. AI Studio answers 400 to a key that it does not know, and to an account that may not
/// use it (<https://ai.google.dev/gemini-api/docs/troubleshooting>).
fn exact(status: u16, said: &Said) -> u16 {
    let message = said.message.as_deref().unwrap_or_default();
    let key = matches!(
        said.code.as_deref(),
        Some("API_KEY_INVALID" | "API_KEY_EXPIRED" | "API_KEY_NOT_FOUND")
    ) || message.starts_with("API key not valid")
        || message.starts_with("API key expired");
    let account = said.kind.as_deref() == Some("FAILED_PRECONDITION")
        && (message.contains("billing") || message.contains("location is not supported"));
    match status {
        400 if key => 401,
        400 if account => 403,
        status => status,
    }
}

/// The HTTP status of a word of `google.rpc.Code`.
fn http_status(word: &str) -> Option<u16> {
    Some(match word {
        "INVALID_ARGUMENT" | "FAILED_PRECONDITION" | "OUT_OF_RANGE" => 400,
        "UNAUTHENTICATED" => 401,
        "PERMISSION_DENIED" => 403,
        "NOT_FOUND" => 404,
        "ABORTED" | "ALREADY_EXISTS" => 409,
        "RESOURCE_EXHAUSTED" => 429,
        "CANCELLED" => 499,
        "UNKNOWN" | "INTERNAL" | "DATA_LOSS" => 500,
        "UNIMPLEMENTED" => 501,
        "UNAVAILABLE" => 503,
        "DEADLINE_EXCEEDED" => 504,
        _ => return None,
    })
}

/// A whole error body.
pub(super) fn encode(error: &ClientError) -> Vec<u8> {
    let mut details = vec![json!({
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": error.code(),
    })];
    if let Some(field) = &error.param {
        details.push(json!({
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": [{"field": field, "description": error.message}],
        }));
    }
    if let Some(id) = &error.request_id {
        details.push(json!({
            "@type": "type.googleapis.com/google.rpc.RequestInfo",
            "requestId": id,
        }));
    }
    let body = Body {
        error: Detail {
            code: error.status.unwrap_or_else(|| error.kind.status()),
            message: &error.message,
            status: word(error.kind),
            details,
        },
    };
    serde_json::to_vec(&body).expect("strings are always JSON")
}

/// The last frame of a stream that failed.
pub(super) fn encode_frame(error: &ClientError) -> Bytes {
    let mut frame = b"data: ".to_vec();
    frame.extend(encode(error));
    frame.extend(b"\n\n");
    frame.into()
}

fn word(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidRequest | ErrorKind::PayloadTooLarge => "INVALID_ARGUMENT",
        ErrorKind::Unauthenticated => "UNAUTHENTICATED",
        ErrorKind::Forbidden => "PERMISSION_DENIED",
        ErrorKind::NotFound => "NOT_FOUND",
        ErrorKind::MethodNotAllowed => "UNIMPLEMENTED",
        ErrorKind::RateLimited => "RESOURCE_EXHAUSTED",
        ErrorKind::Upstream | ErrorKind::Overloaded => "UNAVAILABLE",
        ErrorKind::Timeout => "DEADLINE_EXCEEDED",
        ErrorKind::Internal => "INTERNAL",
    }
}

#[cfg(test)]
mod tests;
