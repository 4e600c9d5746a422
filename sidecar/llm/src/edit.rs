//! Surgical edits of a request body that is passed through.
//!
//! *Guarantees*: the segments, put together, are the received bytes but for the edited spans; unedited bytes are slices
//! of the body, not copies.
//!
//! *Caveats*: when a client sends both `max_tokens` and `max_completion_tokens`, neither is renamed: one would appear
//! twice. The provider says what it thinks of that.

use bytes::Bytes;
use fkm_dialect::MaxTokensField;

use crate::scan::{RequestScan, StreamOptions};

/// What to change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Edits<'a> {
    /// The model name to send, when it differs.
    pub model: Option<&'a str>,
    /// Ask for the usage of a stream (`stream_options.include_usage`).
    pub include_usage: bool,
    /// The name under which the provider wants the output limit.
    pub max_tokens_field: MaxTokensField,
}

/// A replacement of one span; an insertion when the span is empty.
#[derive(Debug)]
struct Patch {
    start: usize,
    end: usize,
    text: Bytes,
}

/// The edited body, in segments. `scan` must be of this `body`.
pub fn edit(body: &Bytes, scan: &RequestScan, edits: &Edits<'_>) -> Vec<Bytes> {
    let mut patches = [
        edits.model.and_then(|model| model_patch(scan, model)),
        edits.include_usage.then(|| usage_patch(scan)).flatten(),
        max_tokens_patch(scan, edits.max_tokens_field),
    ];
    patches.sort_by_key(|patch| patch.as_ref().map(|patch| patch.start));
    let mut segments = Vec::with_capacity(7);
    let mut at = 0;
    for patch in patches.into_iter().flatten() {
        if at < patch.start {
            segments.push(body.slice(at..patch.start));
        }
        segments.push(patch.text);
        at = patch.end;
    }
    if at < body.len() {
        segments.push(body.slice(at..));
    }
    segments
}

fn model_patch(scan: &RequestScan, name: &str) -> Option<Patch> {
    let model = scan.model.as_ref().filter(|model| model.name != name)?;
    let quoted = serde_json::to_vec(name).expect("a string is always JSON");
    Some(Patch {
        start: model.span.start,
        end: model.span.end,
        text: quoted.into(),
    })
}

fn usage_patch(scan: &RequestScan) -> Option<Patch> {
    let replace = |start, end, text| {
        Some(Patch {
            start,
            end,
            text: Bytes::from_static(text),
        })
    };
    match &scan.stream_options {
        None if scan.has_members => {
            let text = b"\"stream_options\":{\"include_usage\":true},";
            replace(scan.start, scan.start, text)
        }
        None => {
            let text = b"\"stream_options\":{\"include_usage\":true}";
            replace(scan.start, scan.start, text)
        }
        Some(options) if options.include_usage => None,
        Some(StreamOptions {
            include_usage_span: Some(value),
            ..
        }) => replace(value.start, value.end, b"true"),
        Some(options) if options.object == Some(true) => {
            let at = options.span.start + 1;
            replace(at, at, b"\"include_usage\":true,")
        }
        Some(StreamOptions { span: all, .. }) => {
            replace(all.start, all.end, b"{\"include_usage\":true}")
        }
    }
}

fn max_tokens_patch(scan: &RequestScan, field: MaxTokensField) -> Option<Patch> {
    let (old, new, text): (_, _, &'static [u8]) = match field {
        MaxTokensField::AsSent => return None,
        MaxTokensField::MaxTokens => (
            &scan.max_completion_tokens_key,
            &scan.max_tokens_key,
            b"\"max_tokens\"",
        ),
        MaxTokensField::MaxCompletionTokens => (
            &scan.max_tokens_key,
            &scan.max_completion_tokens_key,
            b"\"max_completion_tokens\"",
        ),
    };
    let key = old.as_ref().filter(|_| new.is_none())?;
    Some(Patch {
        start: key.start,
        end: key.end,
        text: Bytes::from_static(text),
    })
}

#[cfg(test)]
mod tests;
