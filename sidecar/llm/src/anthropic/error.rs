//! Errors: as the provider sends them, and as clients expect them.

use bytes::Bytes;
use http::HeaderMap;
use serde::Serialize;
use serde_json::Value;

use crate::error::{ClientError, ErrorKind, Family, Further, Members, ProviderError, Said};

#[derive(Debug, Serialize)]
struct Body<'a> {
    r#type: &'static str,
    error: Detail<'a>,
    request_id: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Detail<'a> {
    r#type: &'static str,
    message: &'a str,
    details: More<'a>,
    #[serde(flatten)]
    further: Members<'a>,
}

#[derive(Debug, Serialize)]
struct More<'a> {
    error_code: &'a str,
}

/// Reads an error answer.
pub(super) fn decode(status: u16, headers: &HeaderMap, body: &[u8]) -> ProviderError {
    let said = match serde_json::from_slice(body) {
        Ok(value) => said(&value),
        Err(_) => Said {
            message: Some(String::from_utf8_lossy(body).into_owned()),
            ..Said::default()
        },
    };
    ProviderError::classify(status, headers, &said).with_further(further(body))
}

/// Reads an error inside an answer of status 200.
pub(super) fn decode_inside(text: &[u8]) -> ProviderError {
    let said = serde_json::from_slice(text).map(|value| said(&value));
    ProviderError::of(200, &said.unwrap_or_default()).with_further(further(text))
}

/// What else the error of a body says.
fn further(body: &[u8]) -> Option<Further> {
    Further::read(Family::Anthropic, body, &["type", "message", "details"])
}

fn said(body: &Value) -> Said {
    let error = body.get("error").unwrap_or(body);
    let text = |value: Option<&Value>| Some(value?.as_str()?.to_owned());
    Said {
        status: None,
        message: text(error.get("message")).or_else(|| text(Some(error))),
        // Of a body without `error`, the type would be that of the body.
        kind: text(body.get("error").and_then(|error| error.get("type"))),
        code: text(
            error
                .get("details")
                .and_then(|details| details.get("error_code")),
        ),
        param: None,
        request_id: text(body.get("request_id")),
    }
}

/// A whole error body.
pub(super) fn encode(error: &ClientError) -> Vec<u8> {
    let body = Body {
        r#type: "error",
        error: Detail {
            r#type: type_word(error.kind),
            message: &error.message,
            details: More {
                error_code: error.code(),
            },
            further: Further::members(error.further.as_deref(), Family::Anthropic),
        },
        request_id: error.request_id.as_deref(),
    };
    serde_json::to_vec(&body).expect("strings are always JSON")
}

/// The last frame of a stream that failed.
pub(super) fn encode_frame(error: &ClientError) -> Bytes {
    let mut frame = b"event: error\ndata: ".to_vec();
    frame.extend(encode(error));
    frame.extend(b"\n\n");
    frame.into()
}

/// Clients of this format know 529.
pub(super) fn status(error: &ClientError) -> u16 {
    match (error.status, error.kind) {
        (Some(status), _) => status,
        (None, ErrorKind::Overloaded) => 529,
        (None, kind) => kind.status(),
    }
}

fn type_word(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidRequest | ErrorKind::MethodNotAllowed => "invalid_request_error",
        ErrorKind::Unauthenticated => "authentication_error",
        ErrorKind::Forbidden => "permission_error",
        ErrorKind::NotFound => "not_found_error",
        ErrorKind::PayloadTooLarge => "request_too_large",
        ErrorKind::RateLimited => "rate_limit_error",
        ErrorKind::Overloaded => "overloaded_error",
        ErrorKind::Timeout => "timeout_error",
        ErrorKind::Upstream | ErrorKind::Internal => "api_error",
    }
}

#[cfg(test)]
mod tests;
