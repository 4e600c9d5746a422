//! Content blocks, both ways.

mod decode;
mod encode;

pub(super) use decode::{decode_input, decode_output, decode_texts, is_kind};
pub(super) use encode::{Direction, encode_input, encode_output, encode_texts};

const TEXT_MEMBERS: [&str; 3] = ["type", "text", "citations"];
const IMAGE_MEMBERS: [&str; 2] = ["type", "source"];
const FILE_MEMBERS: [&str; 3] = ["type", "source", "title"];
const THINKING_MEMBERS: [&str; 4] = ["type", "thinking", "signature", "data"];
const TOOL_USE_MEMBERS: [&str; 4] = ["type", "id", "name", "input"];
