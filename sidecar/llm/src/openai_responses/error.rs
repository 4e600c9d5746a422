//! Errors inside an answer: in an event, in an answer that failed. Those in a body of their own are OpenAI's as everywhere.

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use crate::error::{ClientError, ErrorKind, ProviderError, Said};
use crate::openai_error::{self, Detail};

/// The event that ends a stream. The specification has the error's members in the event itself; the provider's own servers
/// have them in `error`, and the official clients look there.
#[derive(Debug, Serialize)]
struct ErrorEvent<'a> {
    r#type: &'static str,
    code: &'a str,
    message: &'a str,
    param: Option<&'a str>,
    sequence_number: u32,
    error: Detail<'a>,
}

/// After every number that the stream has used: who writes this event does not know them.
const LAST_NUMBER: u32 = i32::MAX.cast_unsigned();

/// Reads an error inside an answer of status 200: an event, or an answer that failed.
pub(super) fn decode_inside(text: &[u8]) -> ProviderError {
    let said = serde_json::from_slice(text).map(|value| said(&value));
    ProviderError::of(200, &said.unwrap_or_default()).with_further(openai_error::further(text))
}

/// `{"response": {"error": {…}}}`, `{"type": "error", "message": …}`, and what others of the family send.
fn said(body: &Value) -> Said {
    let answer = body.get("response").unwrap_or(body);
    let mut said = openai_error::said(answer);
    if answer.get("error").is_none_or(Value::is_null) {
        // The type of an event is none of an error.
        said.kind = None;
    }
    said.status = said.status.or_else(|| status_of(said.code.as_deref()?));
    said
}

/// The status that a code stands for: those of `ResponseErrorCode` that are the client's own fault.
fn status_of(code: &str) -> Option<u16> {
    match code {
        "invalid_prompt"
        | "bio_policy"
        | "data_residency_mismatch"
        | "invalid_image"
        | "invalid_image_format"
        | "invalid_base64_image"
        | "invalid_image_url"
        | "image_too_large"
        | "image_too_small"
        | "image_parse_error"
        | "image_content_policy_violation"
        | "invalid_image_mode"
        | "image_file_too_large"
        | "unsupported_image_media_type"
        | "empty_image_file"
        | "failed_to_download_image"
        | "image_file_not_found"
        | "context_length_exceeded" => Some(400),
        "vector_store_timeout" => Some(504),
        _ => None,
    }
}

/// The last frame of a stream that failed.
pub(super) fn encode_frame(error: &ClientError) -> Bytes {
    let event = ErrorEvent {
        r#type: "error",
        code: error.code(),
        message: &error.message,
        param: error.param.as_deref(),
        sequence_number: LAST_NUMBER,
        error: Detail::new(error),
    };
    let mut frame = b"event: error\ndata: ".to_vec();
    serde_json::to_writer(&mut frame, &event).expect("strings are always JSON");
    frame.extend_from_slice(b"\n\n");
    frame.into()
}

/// The code of an answer that failed: a word of `ResponseErrorCode`.
pub(super) fn code_word(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::RateLimited => "rate_limit_exceeded",
        ErrorKind::InvalidRequest | ErrorKind::PayloadTooLarge => "invalid_prompt",
        _ => "server_error",
    }
}

#[cfg(test)]
mod tests;
