//! Finds the blank lines between frames in bytes that come in pieces.

use memchr::memchr2;

use crate::error::StreamFault;
use crate::sse::Boundary;

/// Where the reader is in its line.
#[derive(Debug)]
pub(crate) struct BlankLine {
    /// Nothing of the current line has come yet.
    at_line_start: bool,
    /// The last byte was a CR: a LF now belongs to it.
    after_cr: bool,
}

// === impl BlankLine ===

impl Default for BlankLine {
    fn default() -> Self {
        Self {
            at_line_start: true,
            after_cr: false,
        }
    }
}

impl Boundary for BlankLine {
    /// The blank line belongs to the frame. There is no fault.
    fn find(&mut self, bytes: &[u8]) -> Result<Option<usize>, StreamFault> {
        let mut at = 0;
        if self.after_cr && !bytes.is_empty() {
            self.after_cr = false;
            at = usize::from(bytes[0] == b'\n');
        }
        while at < bytes.len() {
            let Some(length) = memchr2(b'\n', b'\r', &bytes[at..]) else {
                self.at_line_start = false;
                return Ok(None);
            };
            let blank = self.at_line_start && length == 0;
            at += length + 1;
            if bytes[at - 1] == b'\r' {
                match bytes.get(at) {
                    Some(b'\n') => at += 1,
                    Some(_) => {}
                    None => self.after_cr = true,
                }
            }
            self.at_line_start = true;
            if blank {
                return Ok(Some(at));
            }
        }
        Ok(None)
    }
}
