//! Whole answers.

mod decode;
mod encode;

pub(super) use decode::{Head, decode, finish, is_failed, said};
pub(super) use encode::{Shown, encode, status_of_last};

/// The members of an answer that the representation has, whatever their value.
const MEMBERS: [&str; 10] = [
    "id",
    "object",
    "created_at",
    "model",
    "status",
    "error",
    "incomplete_details",
    "output",
    "usage",
    "sequence_number",
];

/// The members that every answer must have, and what they say when nobody knows.
const REQUIRED: [(&str, &str); 7] = [
    ("instructions", "null"),
    ("metadata", "{}"),
    ("parallel_tool_calls", "true"),
    ("temperature", "null"),
    ("tool_choice", "\"auto\""),
    ("tools", "[]"),
    ("top_p", "null"),
];
