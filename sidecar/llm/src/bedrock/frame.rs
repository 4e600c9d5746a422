//! Frames of `application/vnd.amazon.eventstream`: where they end, what they say, how they are written.
//!
//! A frame is its length (u32, big-endian), the length of its headers (u32), the CRC-32 of these eight bytes, headers, payload,
//! and the CRC-32 of all before
//! (<https://smithy.io/2.0/aws/amazon-eventstream.html>). A header is its name (its length as u8 before it), the type of its value
//! (u8), and the value.
//!
//! Frames are read where they lie and written in one piece: `aws-smithy-eventstream`, which the tests hold this against, copies
//! every header, eight allocations an event. No frame is larger than [`MAX_FRAME_BYTES`], and a length that does not fit its sum is
//! found before anything is waited for.

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
    kind: Kind<'a>,
    payload: &'a [u8],
}

/// The headers that tell what a frame is; empty where there is none.
#[derive(Default)]
struct Headers<'a> {
    message_type: &'a str,
    event_type: &'a str,
    exception_type: &'a str,
    error_code: &'a str,
    error_message: &'a str,
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
        let Some((before, sum)) = bytes.split_last_chunk::<4>() else {
            return Err(malformed("a frame without its checksum"));
        };
        if crc32fast::hash(before) != u32::from_be_bytes(*sum) {
            return Err(malformed("a frame does not fit its checksum"));
        }
        let Some((prelude, rest)) = before.split_first_chunk::<PRELUDE_BYTES>() else {
            return Err(malformed("a frame without its lengths"));
        };
        let Some((headers, payload)) = rest.split_at_checked(number(prelude, 4) as usize) else {
            return Err(malformed("the lengths of a frame contradict each other"));
        };
        let kind = Headers::read(headers)
            .ok_or_else(|| malformed("the headers of a frame cannot be read"))?
            .kind();
        Ok(Self { kind, payload })
    }

    pub(super) fn kind(&self) -> Kind<'a> {
        self.kind
    }

    pub(super) fn payload(&self) -> &'a [u8] {
        self.payload
    }
}

// === impl Headers ===

impl<'a> Headers<'a> {
    /// Reads all headers; `None` when they are not whole.
    fn read(mut bytes: &'a [u8]) -> Option<Self> {
        let mut headers = Self::default();
        while let Some((length, rest)) = bytes.split_first() {
            let (name, rest) = rest.split_at_checked(usize::from(*length))?;
            let (kind, rest) = rest.split_first()?;
            let (value, rest) = value(*kind, rest)?;
            bytes = rest;
            let text = std::str::from_utf8(value).ok();
            match name {
                _ if *kind != STRING => {}
                b":message-type" => headers.message_type = text?,
                b":event-type" => headers.event_type = text?,
                b":exception-type" => headers.exception_type = text?,
                b":error-code" => headers.error_code = text?,
                b":error-message" => headers.error_message = text?,
                _ => {}
            }
        }
        Some(headers)
    }

    fn kind(self) -> Kind<'a> {
        match self.message_type {
            "event" => Kind::Event(self.event_type),
            "exception" => Kind::Exception(self.exception_type),
            "error" => Kind::Error {
                code: self.error_code,
                message: self.error_message,
            },
            _ => Kind::Unknown,
        }
    }
}

/// The type of a text.
const STRING: u8 = 7;

/// A header's value, and what follows it.
fn value(kind: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = match kind {
        // True, false.
        0 | 1 => 0,
        // Whole numbers of 8, 16, 32 and 64 bits; a time.
        2 => 1,
        3 => 2,
        4 => 4,
        5 | 8 => 8,
        // A UUID.
        9 => 16,
        // Bytes, a text.
        6 | STRING => {
            let (length, rest) = bytes.split_first_chunk::<2>()?;
            return rest.split_at_checked(usize::from(u16::from_be_bytes(*length)));
        }
        _ => return None,
    };
    bytes.split_at_checked(length)
}

/// Writes an event with the JSON that `payload` writes.
pub(super) fn event(name: &str, payload: impl FnOnce(&mut Vec<u8>)) -> Bytes {
    write((":event-type", name), "event", payload)
}

/// Writes an exception with this JSON.
pub(super) fn exception(name: &str, payload: &[u8]) -> Bytes {
    let payload = |out: &mut Vec<u8>| out.extend_from_slice(payload);
    write((":exception-type", name), "exception", payload)
}

fn write((key, name): (&str, &str), kind: &str, payload: impl FnOnce(&mut Vec<u8>)) -> Bytes {
    let mut out = Vec::with_capacity(256);
    out.extend_from_slice(&[0; PRELUDE_BYTES]);
    for (key, value) in [
        (key, name),
        (":content-type", "application/json"),
        (":message-type", kind),
    ] {
        out.push(u8::try_from(key.len()).expect("our own names"));
        out.extend_from_slice(key.as_bytes());
        out.push(STRING);
        let length = u16::try_from(value.len()).expect("our own names");
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(value.as_bytes());
    }
    let headers = out.len() - PRELUDE_BYTES;
    payload(&mut out);
    let lengths = [out.len() + 4, headers].map(|length| {
        let length = u32::try_from(length).expect("answers are far smaller");
        length.to_be_bytes()
    });
    out[..4].copy_from_slice(&lengths[0]);
    out[4..8].copy_from_slice(&lengths[1]);
    let sum = crc32fast::hash(&out[..8]);
    out[8..PRELUDE_BYTES].copy_from_slice(&sum.to_be_bytes());
    let sum = crc32fast::hash(&out);
    out.extend_from_slice(&sum.to_be_bytes());
    out.into()
}

#[cfg(test)]
mod tests;
