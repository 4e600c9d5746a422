//! Requests.

mod decode;
mod encode;
mod items;

pub(super) use decode::decode;
pub(super) use encode::encode;

/// The members of a request that the representation has, or that are written apart.
const MEMBERS: [&str; 16] = [
    "model",
    "input",
    "instructions",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "temperature",
    "top_p",
    "max_output_tokens",
    "text",
    "reasoning",
    "stream",
    "stream_options",
    "user",
    "store",
    "include",
];

/// What a provider of this format holds, or does on its own: a request to another one cannot do without.
const NEEDED: [&str; 3] = ["previous_response_id", "conversation", "prompt"];

/// Before the names of the members of `text` and of `reasoning`, among those of the request.
const OF_TEXT: &str = "text.";
const OF_REASONING: &str = "reasoning.";

/// What makes a provider show the state of its thoughts, so that they can be sent back without being stored.
const SEALED: &str = r#"["reasoning.encrypted_content"]"#;
