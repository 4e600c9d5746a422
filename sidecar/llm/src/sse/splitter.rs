//! Cuts a stream into frames without copying those that came whole.

use bytes::{Bytes, BytesMut};

use crate::error::StreamFault;
use crate::sse::MAX_FRAME_BYTES;
use crate::sse::boundary::Boundary;

/// What to do with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Forward it.
    Keep,
    /// Leave it out.
    Drop,
}

/// Holds the unfinished frame between chunks.
#[derive(Debug)]
pub(crate) struct Splitter {
    boundary: Boundary,
    tail: BytesMut,
}

// === impl Splitter ===

impl Splitter {
    pub(crate) fn new() -> Self {
        Self {
            boundary: Boundary::new(),
            tail: BytesMut::new(),
        }
    }

    /// Shows each complete frame to `inspect` and puts those to keep in `out`: neighbours within one chunk as one slice
    /// of it. The frames before a fault are in `out` when it is returned.
    pub(crate) fn relay(
        &mut self,
        chunk: &Bytes,
        out: &mut Vec<Bytes>,
        mut inspect: impl FnMut(&[u8]) -> Result<Verdict, StreamFault>,
    ) -> Result<(), StreamFault> {
        let mut start = 0;
        if !self.tail.is_empty() {
            let Some(length) = self.boundary.find(chunk) else {
                return self.hold(chunk);
            };
            self.hold(&chunk[..length])?;
            let frame = self.tail.split().freeze();
            if inspect(&frame)? == Verdict::Keep {
                out.push(frame);
            }
            start = length;
        }
        let mut at = start;
        while let Some(length) = self.boundary.find(&chunk[at..]) {
            let verdict = inspect(&chunk[at..at + length]);
            if !matches!(verdict, Ok(Verdict::Keep)) {
                if start < at {
                    out.push(chunk.slice(start..at));
                }
                verdict?;
                start = at + length;
            }
            at += length;
        }
        if start < at {
            out.push(chunk.slice(start..at));
        }
        self.hold(&chunk[at..])
    }

    /// Shows each complete frame to `take`.
    pub(crate) fn split(
        &mut self,
        chunk: &[u8],
        mut take: impl FnMut(&[u8]) -> Result<(), StreamFault>,
    ) -> Result<(), StreamFault> {
        let mut at = 0;
        if !self.tail.is_empty() {
            let Some(length) = self.boundary.find(chunk) else {
                return self.hold(chunk);
            };
            self.hold(&chunk[..length])?;
            let frame = self.tail.split();
            take(&frame)?;
            at = length;
        }
        while let Some(length) = self.boundary.find(&chunk[at..]) {
            take(&chunk[at..at + length])?;
            at += length;
        }
        self.hold(&chunk[at..])
    }

    /// What is left when the stream has ended: a frame without its blank line, or part of one.
    pub(crate) fn take_tail(&mut self) -> Bytes {
        self.tail.split().freeze()
    }

    fn hold(&mut self, bytes: &[u8]) -> Result<(), StreamFault> {
        if self.tail.len() + bytes.len() > MAX_FRAME_BYTES {
            return Err(StreamFault::TooLarge {
                limit: MAX_FRAME_BYTES,
            });
        }
        self.tail.extend_from_slice(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
