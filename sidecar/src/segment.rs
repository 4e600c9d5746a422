//! One segment of a path: a name, unescaped and escaped.

use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The longest name of a model or id that a path may hold, in bytes.
const MAX_MODEL_BYTES: usize = 512;

/// The name of a model or an id in a path: unescaped, not empty, UTF-8.
pub(crate) fn name(escaped: &str) -> Option<Arc<str>> {
    let name = percent_decode_str(escaped).decode_utf8().ok()?;
    (!name.is_empty() && name.len() <= MAX_MODEL_BYTES).then(|| Arc::from(&*name))
}

/// Whether a text stays one segment of a path: dots alone, however they are escaped, mean another path (RFC 3986, 5.2.4).
pub(crate) fn is_segment(text: &str) -> bool {
    !matches!(text, "." | "..")
}

/// A text as one segment of a path.
pub(crate) fn escaped(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// All but what may stand in one segment of a path as it is (RFC 3986, `unreserved`).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
