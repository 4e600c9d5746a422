//! Streams: chunks to events and back.

mod choice;
mod decode;
mod encode;
mod plain;

pub(super) use decode::Decoder;
pub(super) use encode::Encoder;
