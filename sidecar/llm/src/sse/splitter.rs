//! Cuts a stream into frames without copying those that came whole.

use bytes::{Bytes, BytesMut};

use crate::error::StreamFault;
use crate::sse::MAX_FRAME_BYTES;
use crate::sse::boundary::BlankLine;

/// What to do with a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Forward it.
    Keep,
    /// Leave it out.
    Drop,
    /// Forward this instead.
    Replace(Bytes),
}

/// Finds where a frame ends in bytes that come in pieces.
pub(crate) trait Boundary {
    /// Looks at the next bytes; gives how many of them complete the frame. Bytes after that must be given again, bytes of
    /// an unfinished frame must not. A fault for what cannot be the beginning of a frame.
    fn find(&mut self, bytes: &[u8]) -> Result<Option<usize>, StreamFault>;
}

/// Holds the unfinished frame between chunks.
#[derive(Debug)]
pub(crate) struct Splitter<B = BlankLine> {
    boundary: B,
    tail: BytesMut,
}

// === impl Splitter ===

impl Splitter {
    /// For server-sent events.
    pub(crate) fn new() -> Self {
        Self::default()
    }
}

impl<B: Default> Default for Splitter<B> {
    fn default() -> Self {
        Self {
            boundary: B::default(),
            tail: BytesMut::new(),
        }
    }
}

impl<B: Boundary> Splitter<B> {
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
            let Some(length) = self.boundary.find(chunk)? else {
                return self.hold(chunk);
            };
            self.hold(&chunk[..length])?;
            let frame = self.tail.split().freeze();
            match inspect(&frame)? {
                Verdict::Keep => out.push(frame),
                Verdict::Drop => {}
                Verdict::Replace(other) => out.push(other),
            }
            start = length;
        }
        let mut at = start;
        let found = loop {
            let length = match self.boundary.find(&chunk[at..]) {
                Ok(Some(length)) => length,
                Ok(None) => break Ok(()),
                Err(fault) => break Err(fault),
            };
            let verdict = inspect(&chunk[at..at + length]);
            if !matches!(verdict, Ok(Verdict::Keep)) {
                if start < at {
                    out.push(chunk.slice(start..at));
                }
                if let Verdict::Replace(other) = verdict? {
                    out.push(other);
                }
                start = at + length;
            }
            at += length;
        };
        if start < at {
            out.push(chunk.slice(start..at));
        }
        found?;
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
            let Some(length) = self.boundary.find(chunk)? else {
                return self.hold(chunk);
            };
            self.hold(&chunk[..length])?;
            let frame = self.tail.split();
            take(&frame)?;
            at = length;
        }
        while let Some(length) = self.boundary.find(&chunk[at..])? {
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
