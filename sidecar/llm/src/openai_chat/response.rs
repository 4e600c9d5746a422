//! Whole answers.

mod decode;
mod encode;

pub(super) use decode::decode;
pub(super) use encode::{encode, split};

/// The members of an answer that the representation has.
pub(super) const MEMBERS: [&str; 6] = ["id", "object", "created", "model", "choices", "usage"];

/// The members of a choice that the representation has.
pub(super) const CHOICE_MEMBERS: [&str; 3] = ["index", "message", "finish_reason"];

/// The members of an answer's message that the representation has.
pub(super) const MESSAGE_MEMBERS: [&str; 9] = [
    "role",
    "content",
    "refusal",
    "images",
    "annotations",
    "tool_calls",
    "reasoning_content",
    "reasoning",
    "reasoning_details",
];

/// Before the names of a message's unknown members, among those of its choice.
pub(super) const OF_MESSAGE: &str = "message.";
