//! Streams: events of the wire to events and back.

mod decode;
mod encode;

pub(super) use decode::decoder;
pub(super) use encode::Encoder;
