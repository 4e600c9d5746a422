//! Requests.

mod decode;
mod encode;
mod messages;

pub(super) use decode::decode;
pub(super) use encode::encode;

/// The members of a request that the representation has, whole or in part.
const MEMBERS: [&str; 14] = [
    "model",
    "messages",
    "system",
    "max_tokens",
    "stop_sequences",
    "stream",
    "tools",
    "tool_choice",
    "temperature",
    "top_p",
    "top_k",
    "metadata",
    "output_config",
    "n",
];
