//! Operations of one format each: pictures, sound, judgements of texts. Requests and answers go through as they are, with the
//! model's name replaced; what they used is read on the way.
//!
//! *Assumptions*: as `openai_relay`, that keys are written without escapes.

mod facts;
mod stream;

use std::ops::Range;

use bytes::Bytes;
use fkm_dialect::{MODEL_IN_PATH, RelayDialect, RelayFormat};
use http::HeaderMap;

use crate::edit::model_patch;
use crate::error::{ClientError, ProviderError, StreamFault};
use crate::form::{Form, FormError, is_form};
use crate::openai_error;
use crate::patches::Patches;
use crate::relay::Relay;
use crate::scan::{RequestScan, ScanError, scan};
use crate::stream::{Progress, StreamTransform};

/// One of these formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relayed(pub RelayFormat);

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RelayedError {
    /// It is no JSON object that can be read.
    #[error(transparent)]
    Json(#[from] ScanError),
    /// It is no form that can be read.
    #[error(transparent)]
    Form(#[from] FormError),
}

/// What an answer is, by the media type that its provider gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerKind {
    /// Server-sent events.
    Events,
    /// JSON.
    Json,
    /// Text, for people or as subtitles.
    Text,
    /// Anything else that may be passed on: sound.
    Bytes,
}

// === impl RelayedError ===

impl RelayedError {
    /// The member or field that is wrong, where it is one.
    pub fn field(&self) -> Option<&'static str> {
        match self {
            Self::Json(ScanError::WrongType { key, .. }) => Some(key),
            Self::Json(_) => None,
            Self::Form(error) => error.field(),
        }
    }
}

// === impl AnswerKind ===

impl AnswerKind {
    /// `None`: what no provider of these operations answers with (the page of some proxy, most likely).
    pub fn of(content_type: &str) -> Option<Self> {
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        let media_type = media_type.to_ascii_lowercase();
        match media_type.as_str() {
            "text/event-stream" => Some(Self::Events),
            "application/json" => Some(Self::Json),
            "text/plain" | "text/vtt" | "text/srt" | "application/x-subrip" => Some(Self::Text),
            "application/octet-stream" | "binary/octet-stream" => Some(Self::Bytes),
            sound if sound.starts_with("audio/") => Some(Self::Bytes),
            _ => None,
        }
    }
}

// === impl Relayed ===

impl Relayed {
    /// Reads of a request what routing must know.
    pub fn scan(
        self,
        content_type: &str,
        body: &[u8],
    ) -> Result<(Option<Form>, RequestScan), RelayedError> {
        if is_form(content_type) {
            let (form, found) = Form::scan(content_type, body)?;
            return Ok((Some(form), found));
        }
        let mut found = scan(body)?;
        if self.0 == RelayFormat::Speech {
            found.stream = speaks_in_events(body, &found);
        }
        Ok((None, found))
    }

    /// The request with the model's name at the provider. `form` and `scan` must be of this `body`.
    pub fn edit(
        self,
        body: &Bytes,
        form: Option<&Form>,
        scan: &RequestScan,
        model: &str,
        dialect: &RelayDialect,
    ) -> Vec<Bytes> {
        let is_in_path = dialect.path().contains(MODEL_IN_PATH);
        match form {
            Some(_) if is_in_path && scan.model.is_none() => vec![body.clone()],
            Some(form) => form.edit(body, scan, model),
            None => {
                let mut patches = Patches::default();
                let is_followed = !scan.members.is_empty();
                model_patch(scan, model, is_in_path, is_followed, &mut patches);
                patches.apply(body).0
            }
        }
    }

    /// What a whole answer says. One that is not there, is no answer of its format, or is an error under status 200 is a
    /// fault.
    pub fn facts(self, kind: AnswerKind, body: &[u8]) -> Result<Progress, StreamFault> {
        match kind {
            AnswerKind::Json => facts::read(self.0, body),
            // Silence is written as nothing.
            _ => Ok(facts::complete()),
        }
    }

    /// Watches a stream as it passes, of a request for so many pictures.
    pub fn relay(self, pictures: u32) -> Box<dyn StreamTransform> {
        let inspector = stream::EventInspector::new(self.0, pictures);
        Box::new(Relay::new(inspector))
    }

    /// Reads and classifies an answer whose status is not 2xx.
    pub fn decode_error(self, status: u16, headers: &HeaderMap, body: &[u8]) -> ProviderError {
        openai_error::decode(status, headers, body)
    }

    /// A whole error body for a client.
    pub fn encode_error(self, error: &ClientError) -> Vec<u8> {
        openai_error::encode(error)
    }

    /// The frame that ends a stream with an error.
    pub fn encode_stream_error(self, error: &ClientError) -> Bytes {
        openai_error::encode_frame(error)
    }

    /// The status under which a client expects this error.
    pub fn error_status(self, error: &ClientError) -> u16 {
        error.status.unwrap_or_else(|| error.kind.status())
    }

    /// The header that carries the provider's request id.
    pub fn request_id_header(self) -> &'static str {
        "x-request-id"
    }
}

/// Sound comes as it is, or as events where `stream_format` says so.
fn speaks_in_events(body: &[u8], scan: &RequestScan) -> bool {
    let of = |span: &Range<usize>| body.get(span.clone()).unwrap_or_default();
    let mut members = scan.members.iter();
    members.any(|one| of(&one.key) == b"\"stream_format\"" && of(&one.value) == b"\"sse\"")
}

#[cfg(test)]
mod tests;
