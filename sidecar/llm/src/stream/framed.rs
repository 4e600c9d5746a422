//! Decodes server-sent events: what is the same for every format. What frames mean is the format's [`Reader`].

use crate::error::{DecodeError, StreamFault};
use crate::ir::Event;
use crate::sse::{Frame, Splitter};
use crate::stream::StreamDecoder;

/// Reads the frames of one stream.
pub(crate) trait Reader: Send {
    /// Takes a frame: its `event`, and its `data`, which is not empty.
    fn frame(
        &mut self,
        event: Option<&[u8]>,
        data: &[u8],
        out: &mut Vec<Event>,
    ) -> Result<(), StreamFault>;

    /// Whether the format's own mark of the end has come: nothing of worth can follow.
    fn ended(&self) -> bool;

    /// `Ok` when the answer is complete.
    fn complete(&self) -> Result<(), StreamFault>;
}

/// Finds the frames and shows each to its reader.
pub(crate) struct Framed<R> {
    splitter: Splitter,
    reader: R,
}

// === impl Framed ===

impl<R: Reader> Framed<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self {
            splitter: Splitter::new(),
            reader,
        }
    }
}

impl<R: Reader> StreamDecoder for Framed<R> {
    fn push(&mut self, chunk: &[u8], out: &mut Vec<Event>) -> Result<(), StreamFault> {
        let reader = &mut self.reader;
        self.splitter.split(chunk, |frame| show(reader, frame, out))
    }

    fn ended(&self) -> bool {
        self.reader.ended()
    }

    fn end(&mut self, out: &mut Vec<Event>) -> Result<(), StreamFault> {
        let tail = self.splitter.take_tail();
        // The last frame may lack its blank line; what cannot be read is only part of one.
        match show(&mut self.reader, &tail, out) {
            Ok(()) | Err(StreamFault::Malformed { .. }) => {}
            Err(fault) => return Err(fault),
        }
        self.reader.complete()
    }
}

/// Comments and blank lines say nothing.
fn show(reader: &mut impl Reader, frame: &[u8], out: &mut Vec<Event>) -> Result<(), StreamFault> {
    let frame = Frame::parse(frame);
    match frame.data {
        Some(data) if !data.is_empty() => reader.frame(frame.event, &data, out),
        _ => Ok(()),
    }
}

/// A frame that cannot be read.
pub(crate) fn malformed(error: &DecodeError) -> StreamFault {
    StreamFault::Malformed {
        detail: error.to_string(),
    }
}
