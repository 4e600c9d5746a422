//! Where an item was found, and what that says of its status.

use crate::json::{Object, string};

/// Where an item was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// In an answer.
    Answer,
    /// In a request: the client sends it back.
    Request,
}

/// Takes the status where it says nothing: an answer says how it stands as a whole.
pub(super) fn take_status(object: &mut Object<'_, '_>, found: Found) {
    let status = object.peek("status").and_then(string);
    if found == Found::Answer || matches!(status.as_deref(), Some("completed" | "in_progress")) {
        object.raw("status");
    }
}
