//! Errors of OpenAI and its family, the same for all its operations: the shapes in which providers send them, and the one
//! in which clients expect them.

use bytes::Bytes;
use http::HeaderMap;
use serde::Serialize;
use serde_json::Value;

use crate::error::{ClientError, ErrorKind, Family, Further, Members, ProviderError, Said};
use crate::json::{ObjectWriter, write_array};

/// How clients find an error in its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// In `error`.
    Nested,
    /// At the top level, beside `"object": "error"`; faults of a request besides in a list (Mistral).
    Flat,
    /// As a text alone, in `detail` (Voyage).
    Text,
}

/// All four members are always there: clients read them without asking.
#[derive(Debug, Serialize)]
pub(crate) struct Detail<'a> {
    message: &'a str,
    r#type: &'static str,
    param: Option<&'a str>,
    code: &'a str,
    /// Of the provider's error, where that was one of the family.
    #[serde(flatten)]
    further: Members<'a>,
}

// === impl Detail ===

impl<'a> Detail<'a> {
    /// The error as clients find it in `error`.
    pub(crate) fn new(error: &'a ClientError) -> Self {
        Self {
            message: &error.message,
            r#type: type_word(error.kind),
            param: error.param.as_deref(),
            code: error.code(),
            further: Further::members(error.further.as_deref(), Family::OpenAi),
        }
    }
}

/// Reads an error answer.
pub(crate) fn decode(status: u16, headers: &HeaderMap, body: &[u8]) -> ProviderError {
    let said = match serde_json::from_slice(body) {
        Ok(value) => said(&value),
        Err(_) => Said {
            message: Some(String::from_utf8_lossy(body).into_owned()),
            ..Said::default()
        },
    };
    ProviderError::classify(status, headers, &said).with_further(further(body))
}

/// Reads an error inside an answer of status 200: the text of its `error` member, or of the whole frame.
pub(crate) fn decode_inside(text: &[u8]) -> ProviderError {
    let said = serde_json::from_slice(text).map(|value| said(&value));
    ProviderError::of(200, &said.unwrap_or_default()).with_further(further(text))
}

/// What else the error of a body says.
pub(crate) fn further(body: &[u8]) -> Option<Further> {
    Further::read(Family::OpenAi, body, &["message", "type", "param", "code"])
}

/// `{"error": {…}}`, `{"error": "…"}`, `[{"error": …}]`, `{"message": …}`, `{"detail": …}`, `{"errors": […]}`, or the inner
/// object itself.
pub(crate) fn said(body: &Value) -> Said {
    let body = match body {
        Value::Array(list) => list.first().unwrap_or(&Value::Null),
        body => body,
    };
    let first = body.get("errors").and_then(|errors| errors.get(0));
    let error = match body.get("error") {
        Some(Value::Null) | None => first.unwrap_or(body),
        Some(error) => error,
    };
    let text = |name: &str| match error.get(name)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let status = ["code", "status_code", "status"]
        .into_iter()
        .filter_map(|name| error.get(name).or_else(|| body.get(name))?.as_u64())
        .find_map(|code| {
            u16::try_from(code)
                .ok()
                .filter(|code| (400..600).contains(code))
        });
    let nested = error.get("message").filter(|message| !message.is_string());
    let details = nested.and_then(|message| message.get("detail"));
    let details = details.or_else(|| error.get("detail"));
    let listed = details.and_then(listed);
    let other = || Some(nested.or(details)?.to_string());
    Said {
        status,
        message: error
            .as_str()
            .map(str::to_owned)
            .or_else(|| text("message"))
            .or(listed)
            .or_else(|| details.and_then(Value::as_str).map(str::to_owned))
            .or_else(other),
        kind: text("type"),
        code: text("code"),
        param: text("param"),
        request_id: None,
    }
}

/// Faults by their places, as `FastAPI` lists them: `[{"loc": ["body", "user"], "msg": "…"}]` is `user: …`.
fn listed(details: &Value) -> Option<String> {
    let fault = |detail: &Value| {
        let message = detail.get("msg")?.as_str()?;
        let place: Vec<String> = detail
            .get("loc")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|part| {
                part.as_str()
                    .map_or_else(|| part.to_string(), str::to_owned)
            })
            .skip_while(|part| part == "body")
            .collect();
        Some(match place.is_empty() {
            true => message.to_owned(),
            false => format!("{}: {message}", place.join(".")),
        })
    };
    let faults: Option<Vec<String>> = details.as_array()?.iter().map(fault).collect();
    faults
        .filter(|faults| !faults.is_empty())
        .map(|faults| faults.join("; "))
}

/// A whole error body.
pub(crate) fn encode(error: &ClientError) -> Vec<u8> {
    encode_as(error, Body::Nested)
}

/// The same, in the form that the client reads.
pub(crate) fn encode_as(error: &ClientError, form: Body) -> Vec<u8> {
    let mut body = Vec::with_capacity(256);
    let mut object = ObjectWriter::new(&mut body);
    match form {
        Body::Nested => object.value("error", &Detail::new(error)),
        Body::Flat => write_flat(&mut object, error),
        Body::Text => object.value("detail", &error.message),
    }
    object.end();
    body
}

/// Mistral's clients read the faults of a request (status 422) as `FastAPI` lists them.
fn write_flat(object: &mut ObjectWriter<'_>, error: &ClientError) {
    let detail = Detail::new(error);
    object.value("object", "error");
    object.value("message", detail.message);
    object.value("type", detail.r#type);
    object.value("param", &detail.param);
    object.value("code", detail.code);
    if error.status == Some(422) {
        let place: Vec<&str> = std::iter::once("body").chain(detail.param).collect();
        write_array(object.key("detail"), [place], |out, place| {
            let mut fault = ObjectWriter::new(out);
            fault.value("loc", &place);
            fault.value("msg", detail.message);
            fault.value("type", "value_error");
            fault.end();
        });
    }
}

/// The last frame of a stream that failed. No `[DONE]` follows: clients would take the answer for complete.
pub(crate) fn encode_frame(error: &ClientError) -> Bytes {
    encode_frame_as(error, Body::Nested)
}

/// The same, in the form that the client reads.
pub(crate) fn encode_frame_as(error: &ClientError, form: Body) -> Bytes {
    let mut frame = b"data: ".to_vec();
    frame.extend(encode_as(error, form));
    frame.extend(b"\n\n");
    frame.into()
}

fn type_word(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidRequest
        | ErrorKind::NotFound
        | ErrorKind::MethodNotAllowed
        | ErrorKind::PayloadTooLarge => "invalid_request_error",
        ErrorKind::Unauthenticated => "authentication_error",
        ErrorKind::Forbidden => "permission_error",
        ErrorKind::RateLimited => "rate_limit_error",
        ErrorKind::Timeout => "timeout_error",
        ErrorKind::Upstream | ErrorKind::Overloaded | ErrorKind::Internal => "server_error",
    }
}

#[cfg(test)]
mod tests;
