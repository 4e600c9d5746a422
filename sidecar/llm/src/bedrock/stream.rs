//! Streams: frames to events and back.

mod block;
mod decode;
mod encode;
mod plain;

pub(super) use decode::Decoder;
pub(super) use encode::Encoder;

/// Blocks that are told in two steps: the name, and the member that comes in pieces.
const IN_PIECES: [(&str, &str); 3] = [
    ("toolUse", "input"),
    ("toolResult", "content"),
    ("image", "source"),
];
