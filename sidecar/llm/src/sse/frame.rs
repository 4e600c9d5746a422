//! What one frame says.

use std::borrow::Cow;

use memchr::memchr2;

/// The fields of a frame that formats use.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Frame<'a> {
    /// `event:`; `None` when absent.
    pub(crate) event: Option<&'a [u8]>,
    /// `data:`; `None` when absent (comments, blank lines).
    pub(crate) data: Option<Cow<'a, [u8]>>,
}

const BOM: &[u8] = b"\xEF\xBB\xBF";

// === impl Frame ===

impl<'a> Frame<'a> {
    /// Reads a frame with or without the blank line at its end.
    pub(crate) fn parse(bytes: &'a [u8]) -> Self {
        // Only the first frame of a stream can begin with one; elsewhere no field begins with these bytes.
        let mut rest = bytes.strip_prefix(BOM).unwrap_or(bytes);
        let mut frame = Self::default();
        while !rest.is_empty() {
            let end = memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
            frame.line(&rest[..end]);
            // A CRLF reads as a line and a blank one; blank lines say nothing here.
            rest = rest.get(end + 1..).unwrap_or_default();
        }
        frame
    }

    fn line(&mut self, line: &'a [u8]) {
        if let Some(value) = value_of(line, b"data") {
            match &mut self.data {
                None => self.data = Some(Cow::Borrowed(value)),
                Some(data) => {
                    let data = data.to_mut();
                    data.push(b'\n');
                    data.extend_from_slice(value);
                }
            }
        } else if let Some(value) = value_of(line, b"event") {
            self.event = Some(value);
        }
    }
}

/// The value of a line of the field `name`, one space after the colon taken off.
fn value_of<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    match line.strip_prefix(name)? {
        [] => Some(&[]),
        [b':', b' ', value @ ..] | [b':', value @ ..] => Some(value),
        _ => None,
    }
}
