//! Frames of `application/vnd.amazon.eventstream`: where they end, what they say, how they are written.
//!
//! A frame is its length (u32, big-endian), the length of its headers (u32), the CRC-32 of these eight bytes, headers, payload,
//! and the CRC-32 of all before
//! (<https://smithy.io/2.0/aws/amazon-eventstream.html>). Headers and both sums are read and written by
//! `aws-smithy-eventstream`; here is what it leaves open: no frame is larger than [`MAX_FRAME_BYTES`], a length that does not fit
//! its sum is found before anything is waited for, and a payload is read where it lies.

use aws_smithy_eventstream::frame::{read_message_from, write_message_to};
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use bytes::Bytes;

use crate::error::StreamFault;
use crate::sse::{Boundary, MAX_FRAME_BYTES, Splitter};

/// Cuts a stream into frames.
pub(super) type FrameSplitter = Splitter<Length>;

/// Both lengths and their sum.
const PRELUDE_BYTES: usize = 12;

/// The prelude and the sum at the end.
const LEAST_BYTES: usize = PRELUDE_BYTES + 4;

/// Finds the end of a frame by its length.
#[derive(Debug, Default)]
pub(super) struct Length {
    prelude: [u8; PRELUDE_BYTES],
    /// How much of the prelude has come.
    known: usize,
    /// What is missing after it.
    left: usize,
}

/// One frame.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    message: Message,
    payload: &'a [u8],
}

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind<'a> {
    /// A part of the answer, by its name.
    Event(&'a str),
    /// An error that the service's model knows, by its name.
    Exception(&'a str),
    /// Another error.
    Error { code: &'a str, message: &'a str },
    /// Nothing that is known.
    Unknown,
}

// === impl Length ===

impl Boundary for Length {
    fn find(&mut self, bytes: &[u8]) -> Result<Option<usize>, StreamFault> {
        let mut at = 0;
        if self.known < PRELUDE_BYTES {
            at = bytes.len().min(PRELUDE_BYTES - self.known);
            self.prelude[self.known..self.known + at].copy_from_slice(&bytes[..at]);
            self.known += at;
            if self.known < PRELUDE_BYTES {
                return Ok(None);
            }
            self.left = self.rest()?;
        }
        let come = bytes.len() - at;
        if come < self.left {
            self.left -= come;
            return Ok(None);
        }
        let end = at + self.left;
        *self = Self::default();
        Ok(Some(end))
    }
}

impl Length {
    /// The bytes after the prelude.
    fn rest(&self) -> Result<usize, StreamFault> {
        let number = |at| number(&self.prelude, at);
        if crc32fast::hash(&self.prelude[..8]) != number(8) {
            return Err(malformed("the length of a frame does not fit its checksum"));
        }
        let all = number(0) as usize;
        if all > MAX_FRAME_BYTES {
            return Err(StreamFault::TooLarge {
                limit: MAX_FRAME_BYTES,
            });
        }
        if all < LEAST_BYTES || number(4) as usize > all - LEAST_BYTES {
            return Err(malformed("the lengths of a frame contradict each other"));
        }
        Ok(all - PRELUDE_BYTES)
    }
}

/// The number at `at`.
fn number(prelude: &[u8; PRELUDE_BYTES], at: usize) -> u32 {
    u32::from_be_bytes([0, 1, 2, 3].map(|offset| prelude[at + offset]))
}

fn malformed(detail: &str) -> StreamFault {
    StreamFault::Malformed {
        detail: detail.to_owned(),
    }
}

// === impl Frame ===

impl<'a> Frame<'a> {
    /// Reads a whole frame.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, StreamFault> {
        let message = read_message_from(bytes)
            .map_err(|error| malformed(&format!("not a frame: {error}")))?;
        // before its sum
        let end = bytes.len() - 4;
        let payload = &bytes[end - message.payload().len()..end];
        Ok(Self { message, payload })
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.message.headers().iter();
        let header = headers.find(|header| header.name().as_str() == name)?;
        match header.value() {
            HeaderValue::String(text) => Some(text.as_str()),
            _ => None,
        }
    }

    pub(super) fn kind(&self) -> Kind<'_> {
        let header = |name| self.header(name).unwrap_or_default();
        match self.header(":message-type") {
            Some("event") => Kind::Event(header(":event-type")),
            Some("exception") => Kind::Exception(header(":exception-type")),
            Some("error") => Kind::Error {
                code: header(":error-code"),
                message: header(":error-message"),
            },
            _ => Kind::Unknown,
        }
    }

    pub(super) fn payload(&self) -> &'a [u8] {
        self.payload
    }
}

/// Writes an event with the JSON that `payload` writes.
pub(super) fn event(name: &'static str, payload: impl FnOnce(&mut Vec<u8>)) -> Bytes {
    write((":event-type", name), "event", payload)
}

/// Writes an exception with this JSON.
pub(super) fn exception(name: &'static str, payload: &[u8]) -> Bytes {
    let payload = |out: &mut Vec<u8>| out.extend_from_slice(payload);
    write((":exception-type", name), "exception", payload)
}

fn write(
    (key, name): (&'static str, &'static str),
    kind: &'static str,
    payload: impl FnOnce(&mut Vec<u8>),
) -> Bytes {
    let mut json = Vec::with_capacity(256);
    payload(&mut json);
    let header = |key: &'static str, value: &'static str| {
        Header::new(key, HeaderValue::String(value.into()))
    };
    let message = Message::new(json)
        .add_header(header(key, name))
        .add_header(header(":content-type", "application/json"))
        .add_header(header(":message-type", kind));
    let mut out = Vec::with_capacity(message.payload().len() + 128);
    write_message_to(&message, &mut out).expect("our own headers, and answers far below 4 GiB");
    out.into()
}

#[cfg(test)]
mod tests;
