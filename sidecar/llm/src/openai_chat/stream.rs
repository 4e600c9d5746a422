//! Streams: chunks to events and back.

mod choice;
mod decode;
mod encode;
mod logprobs;
mod plain;

pub(super) use decode::decoder;
pub(super) use encode::Encoder;
