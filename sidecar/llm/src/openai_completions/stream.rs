//! Streams of chunks.

mod decode;
mod encode;
mod logprobs;

pub(super) use decode::Decoder;
pub(super) use encode::Encoder;
