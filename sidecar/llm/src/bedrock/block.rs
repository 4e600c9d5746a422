//! Content blocks, both ways. A block is an object of one member, whose name says what it is.

mod decode;
mod encode;
mod items;

pub(super) use decode::{
    Said, decode_inputs, decode_output, decode_outputs, decode_said, decode_system,
};
pub(super) use encode::{BlockWriter, Direction, drawn};
pub(super) use items::Items;

/// Of a text that the service's guardrails look at: what is said about it.
const GUARD: &str = "guardContent";

/// Of a text that a tool gave as JSON.
const JSON: &str = "json";

const TEXT_MEMBERS: [&str; 5] = ["text", "content", "citations", GUARD, JSON];
const MEDIA_MEMBERS: [&str; 3] = ["format", "source", "name"];
const THOUGHT_MEMBERS: [&str; 4] = ["text", "signature", "redactedContent", "reasoningText"];
const CALL_MEMBERS: [&str; 3] = ["toolUseId", "name", "input"];
const RESULT_MEMBERS: [&str; 3] = ["toolUseId", "content", "status"];
