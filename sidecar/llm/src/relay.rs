//! Pass-through of a stream: what is the same for every format. What frames mean is the format's [`Inspector`].

use bytes::Bytes;
use fkm_dialect::Format;
use serde::de::IgnoredAny;

use crate::error::StreamFault;
use crate::sse::{DONE, Frame, Splitter, Verdict};
use crate::stream::{Progress, StreamTransform};

/// Looks at frames as they pass.
pub(crate) trait Inspector: Send {
    /// Looks at one frame, with its blank line.
    fn inspect(&mut self, frame: &[u8]) -> Result<Verdict, StreamFault>;

    /// What to add so that a finished stream is complete for the client; empty when nothing is missing.
    fn missing(&self) -> &'static [u8];

    fn progress(&self) -> &Progress;
}

/// Forwards what it receives and shows each frame to its inspector.
pub(crate) struct Relay<I> {
    splitter: Splitter,
    inspector: I,
}

/// Whether a frame that has nothing to tell is JSON at least. What no client can read must not get out: the error that is told
/// instead can be read.
pub(crate) fn check_readable(data: &[u8], format: Format) -> Result<(), StreamFault> {
    match serde_json::from_slice::<IgnoredAny>(data) {
        Ok(_) => Ok(()),
        // The text of the error may quote the answer; its place does not.
        Err(error) => Err(StreamFault::Malformed {
            detail: format!(
                "not JSON in a stream of {format} at column {}",
                error.column()
            ),
        }),
    }
}

// === impl Relay ===

impl<I: Inspector> Relay<I> {
    pub(crate) fn new(inspector: I) -> Self {
        Self {
            splitter: Splitter::new(),
            inspector,
        }
    }

    /// The last frame may lack its blank line. What is only part of a frame is left out.
    fn end_tail(&mut self, out: &mut Vec<Bytes>) -> Result<(), StreamFault> {
        let tail = self.splitter.take_tail();
        if &*tail == b"\n" {
            // The end of a CRLF that was cut.
            out.push(tail);
            return Ok(());
        }
        let Some(data) = Frame::parse(&tail).data else {
            return Ok(());
        };
        let whole = &*data == DONE || serde_json::from_slice::<IgnoredAny>(&data).is_ok();
        drop(data);
        let frame = match whole.then(|| self.inspector.inspect(&tail)).transpose()? {
            Some(Verdict::Keep) => tail,
            Some(Verdict::Replace(other)) => other,
            Some(Verdict::Drop) | None => return Ok(()),
        };
        // Two ends of line are right after an unfinished line, and harmless after a finished one.
        out.extend([frame, Bytes::from_static(b"\n\n")]);
        Ok(())
    }
}

impl<I: Inspector> StreamTransform for Relay<I> {
    fn push(&mut self, chunk: Bytes, out: &mut Vec<Bytes>) -> Result<(), StreamFault> {
        let inspector = &mut self.inspector;
        self.splitter
            .relay(&chunk, out, |frame| inspector.inspect(frame))
    }

    fn end(&mut self, out: &mut Vec<Bytes>) -> Result<(), StreamFault> {
        self.end_tail(out)?;
        if !self.inspector.progress().finished {
            return Err(StreamFault::Incomplete);
        }
        let missing = self.inspector.missing();
        if !missing.is_empty() {
            out.push(Bytes::from_static(missing));
        }
        Ok(())
    }

    fn progress(&self) -> &Progress {
        self.inspector.progress()
    }
}
