//! Errors: as the service sends them, and as its clients expect them.
//!
//! The service names an error in the header `x-amzn-errortype`, or in the name of an exception frame; its statuses are those of
//! its own model.

use bytes::Bytes;
use http::HeaderMap;
use serde::Serialize;
use serde_json::Value;

use crate::bedrock::frame::{self, Frame, Kind};
use crate::error::{ClientError, ErrorKind, ProviderError, Said};

/// `code` and `__type` are where SDKs look when the header is missing.
#[derive(Debug, Serialize)]
struct Body<'a> {
    message: &'a str,
    code: &'static str,
    #[serde(rename = "__type")]
    kind: &'static str,
}

/// Reads an error answer.
pub(super) fn decode(status: u16, headers: &HeaderMap, body: &[u8]) -> ProviderError {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let mut said = match serde_json::from_slice(body) {
        Ok(value) => said(&value),
        Err(_) => Said {
            message: Some(String::from_utf8_lossy(body).into_owned()),
            ..Said::default()
        },
    };
    if let Some(kind) = header("x-amzn-errortype") {
        said.kind = Some(bare(kind).to_owned());
    }
    said.request_id = header("x-amzn-requestid").map(str::to_owned);
    let named = said.kind.as_deref().and_then(status_of);
    ProviderError::classify(named.unwrap_or(status), headers, &said)
}

/// Reads an error inside an answer of status 200.
pub(super) fn decode_inside(body: &[u8]) -> ProviderError {
    let said = serde_json::from_slice(body).map(|value| said(&value));
    let said = said.unwrap_or_default();
    let status = said.kind.as_deref().and_then(status_of);
    ProviderError::of(status.unwrap_or(500), &said)
}

/// The error that a frame is; `None` for an event.
pub(super) fn decode_frame(frame: &Frame<'_>) -> Option<ProviderError> {
    let mut said = Said::default();
    let mut original = None;
    match frame.kind() {
        Kind::Event(_) | Kind::Unknown => return None,
        Kind::Exception(name) => {
            let body: Value = serde_json::from_slice(frame.payload()).unwrap_or_default();
            original = original_status(&body);
            said.message = text(body.get("originalMessage")).filter(|text| !text.is_empty());
            said.message = text(body.get("message")).or(said.message);
            said.kind = Some(name.to_owned());
        }
        Kind::Error { code, message } => {
            said.kind = Some(code.to_owned());
            said.message = Some(message.to_owned());
        }
    }
    let named = said.kind.as_deref().and_then(status_of);
    said.code = code(&said);
    Some(ProviderError::of(original.or(named).unwrap_or(500), &said))
}

/// The error that a stop reason is: the model wrote what cannot be read.
pub(super) fn of_stop(word: &str) -> Box<ProviderError> {
    let said = Said {
        message: Some(format!("the model's output could not be read ({word})")),
        kind: Some(word.to_owned()),
        ..Said::default()
    };
    Box::new(ProviderError::of(502, &said))
}

/// The status of the model behind the service, where it is an error's.
fn original_status(body: &Value) -> Option<u16> {
    let status = body.get("originalStatusCode")?.as_u64()?;
    let status = u16::try_from(status).ok()?;
    (400..600).contains(&status).then_some(status)
}

fn said(body: &Value) -> Said {
    let kind = text(body.get("__type")).or_else(|| text(body.get("code")));
    let mut said = Said {
        message: text(body.get("message")).or_else(|| text(body.get("Message"))),
        kind: kind.map(|kind| bare(&kind).to_owned()),
        ..Said::default()
    };
    said.code = code(&said);
    said
}

/// The service calls a model that it does not know an invalid request.
fn code(said: &Said) -> Option<String> {
    let message = said.message.as_deref()?;
    let unknown = message.contains("model identifier is invalid");
    unknown.then(|| "model_not_found".to_owned())
}

fn text(value: Option<&Value>) -> Option<String> {
    Some(value?.as_str()?.to_owned())
}

/// `ThrottlingException` of `com.amazonaws#ThrottlingException:http://…`.
fn bare(kind: &str) -> &str {
    let kind = kind.split(':').next().unwrap_or_default();
    kind.rsplit('#').next().unwrap_or_default()
}

/// The status of an error by its name, in answers and (begun small) in frames.
fn status_of(kind: &str) -> Option<u16> {
    let is = |name: &str| kind.eq_ignore_ascii_case(name);
    let names = [
        ("ValidationException", 400),
        ("AccessDeniedException", 403),
        ("ExpiredTokenException", 403),
        ("IncompleteSignatureException", 403),
        ("InvalidSignatureException", 403),
        ("MissingAuthenticationTokenException", 403),
        ("UnrecognizedClientException", 403),
        ("ResourceNotFoundException", 404),
        ("ModelTimeoutException", 408),
        ("ModelErrorException", 424),
        ("ModelStreamErrorException", 424),
        ("ModelNotReadyException", 429),
        ("ServiceQuotaExceededException", 429),
        ("ThrottlingException", 429),
        ("InternalServerException", 500),
        ("InternalFailure", 500),
        ("ServiceUnavailableException", 503),
    ];
    names
        .into_iter()
        .find(|(name, _)| is(name))
        .map(|(_, status)| status)
}

/// A whole error body.
pub(super) fn encode(error: &ClientError) -> Vec<u8> {
    let kind = type_word(error.kind);
    let body = Body {
        message: &error.message,
        code: kind,
        kind,
    };
    serde_json::to_vec(&body).expect("strings are always JSON")
}

/// The last frame of a stream that failed. The service's model knows five.
pub(super) fn encode_frame(error: &ClientError) -> Bytes {
    let name = match error.kind {
        ErrorKind::InvalidRequest
        | ErrorKind::Unauthenticated
        | ErrorKind::Forbidden
        | ErrorKind::NotFound
        | ErrorKind::MethodNotAllowed
        | ErrorKind::PayloadTooLarge => "validationException",
        ErrorKind::RateLimited => "throttlingException",
        ErrorKind::Overloaded => "serviceUnavailableException",
        ErrorKind::Upstream => "modelStreamErrorException",
        ErrorKind::Timeout | ErrorKind::Internal => "internalServerException",
    };
    let payload = serde_json::json!({"message": error.message});
    frame::exception(name, payload.to_string().as_bytes())
}

/// Who calls without being known is told 403 here.
pub(super) fn status(error: &ClientError) -> u16 {
    match (error.status, error.kind) {
        (Some(status), _) => status,
        (None, ErrorKind::Unauthenticated) => 403,
        (None, kind) => kind.status(),
    }
}

fn type_word(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidRequest | ErrorKind::MethodNotAllowed | ErrorKind::PayloadTooLarge => {
            "ValidationException"
        }
        ErrorKind::Unauthenticated => "UnrecognizedClientException",
        ErrorKind::Forbidden => "AccessDeniedException",
        ErrorKind::NotFound => "ResourceNotFoundException",
        ErrorKind::RateLimited => "ThrottlingException",
        ErrorKind::Overloaded => "ServiceUnavailableException",
        ErrorKind::Timeout => "ModelTimeoutException",
        ErrorKind::Upstream | ErrorKind::Internal => "InternalServerException",
    }
}

#[cfg(test)]
mod tests;
