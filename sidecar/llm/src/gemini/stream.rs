//! Streams: whole answers in pieces, each with what is new, as events (`alt=sse`) or as the elements of one array.

mod array;
mod choice;
mod decode;
mod encode;
mod partial_args;
mod plain;

pub(super) use array::{Elements, Piece};
pub(super) use decode::{Decoder, hold};
pub(super) use encode::Encoder;
