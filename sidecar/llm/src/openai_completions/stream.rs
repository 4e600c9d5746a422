//! Streams of chunks.

mod decode;
mod encode;
mod logprobs;

pub(super) use decode::decoder;
pub(super) use encode::Encoder;
