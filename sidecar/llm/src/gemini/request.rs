//! Requests.

mod config;
mod contents;
mod conversation;
mod decode;
mod encode;
mod thinking;

pub(super) use config::choices;
pub(super) use decode::decode;
pub(super) use encode::encode;

/// The members of a request that the representation has, whole or in part.
const MEMBERS: [&str; 6] = [
    "model",
    "contents",
    "systemInstruction",
    "tools",
    "toolConfig",
    "generationConfig",
];

/// Members of `generationConfig` that the representation has not, among those of the request.
const CONFIG: &str = "generationConfig.";

/// The same of `toolConfig`.
const TOOL_CONFIG: &str = "toolConfig.";
