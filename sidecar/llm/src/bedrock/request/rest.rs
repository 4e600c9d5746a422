//! What a request holds beside what the representation has, or the provider takes.

use crate::bedrock::FORMAT;
use crate::error::EncodeError;
use crate::ir::{Extra, RawJson};
use crate::json::Object;

/// What is left of a member, kept under its name.
pub(super) fn keep_rest(name: &str, rest: Object<'_, '_>, kept: &mut Extra) {
    let rest = rest.into_members();
    if !rest.is_empty() {
        let text = serde_json::to_string(&rest).expect("string keys only");
        let raw = RawJson::try_new(&text).expect("just serialised");
        kept.insert(FORMAT, name, raw);
    }
}

/// Why `path` cannot be sent.
pub(super) fn unsupported(path: &str, reason: impl Into<String>) -> EncodeError {
    EncodeError::Unsupported {
        path: path.to_owned(),
        format: FORMAT,
        reason: reason.into(),
    }
}
