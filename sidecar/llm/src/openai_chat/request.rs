//! Requests.

mod assistant;
mod decode;
mod encode;
mod tool;
mod tool_result;

pub(super) use decode::decode;
pub(super) use encode::encode;

/// The members of a request that the representation has, whatever their value.
const MEMBERS: [&str; 18] = [
    "model",
    "messages",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "temperature",
    "top_p",
    "frequency_penalty",
    "presence_penalty",
    "seed",
    "max_tokens",
    "max_completion_tokens",
    "stop",
    "response_format",
    "n",
    "stream",
    "stream_options",
    "user",
];

/// The members of an assistant's message that the representation has.
const ASSISTANT_MEMBERS: [&str; 7] = [
    "role",
    "content",
    "refusal",
    "tool_calls",
    "reasoning_content",
    "reasoning",
    "reasoning_details",
];

/// The members of a tool's message that the representation has.
const TOOL_MESSAGE_MEMBERS: [&str; 4] =
    ["role", "content", "tool_call_id", tool_result::OF_FUNCTION];
