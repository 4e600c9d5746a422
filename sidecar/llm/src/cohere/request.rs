//! Requests.

mod decode;
mod encode;
mod messages;
mod thinking;

pub(super) use decode::decode;
pub(super) use encode::encode;

/// The members of a request that the representation has, whatever their value.
const MEMBERS: [&str; 13] = [
    "model",
    "messages",
    "tools",
    "tool_choice",
    "temperature",
    "p",
    "k",
    "frequency_penalty",
    "presence_penalty",
    "seed",
    "max_tokens",
    "stop_sequences",
    "stream",
];
