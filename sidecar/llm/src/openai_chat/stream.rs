//! Streams: chunks to events and back.

mod choice;
mod decode;
mod encode;

pub(super) use decode::Decoder;
pub(super) use encode::Encoder;
