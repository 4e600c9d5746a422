//! Server-sent events: where frames end, and what they say.
//!
//! *Guarantees*: frames are found however the bytes are cut, with LF, CRLF or CR; every byte is looked at once; only an
//! unfinished frame is held, up to [`MAX_FRAME_BYTES`].

mod boundary;
mod frame;
mod splitter;

pub(crate) use frame::Frame;
pub(crate) use splitter::{Boundary, Splitter, Verdict};

/// The data of the frame that ends a stream in OpenAI's family.
pub(crate) const DONE: &[u8] = b"[DONE]";

/// The largest frame that is taken. Thought signatures and images in base64 make large ones.
pub const MAX_FRAME_BYTES: usize = 16 * 1024 * 1024;
