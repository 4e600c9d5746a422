//! Streams: events of the wire to events and back.

mod block;
mod decode;
mod encode;
mod plain;

pub(super) use decode::decoder;
pub(super) use encode::Encoder;
