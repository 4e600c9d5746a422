//! Finds the elements of one JSON array in bytes that come in pieces; every byte is looked at once.

use memchr::memchr2;

use crate::error::StreamFault;

/// Where the reader is.
#[derive(Debug, Default)]
pub(in crate::gemini) struct Elements {
    /// The brackets of the array and of the element that are open.
    depth: usize,
    in_string: bool,
    /// The last byte was a backslash in a string.
    escaped: bool,
    closed: bool,
}

/// What ends at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gemini) enum Piece {
    /// An element, with what separates it from the one before.
    Element,
    /// The array.
    End,
}

// === impl Elements ===

impl Elements {
    /// Looks at the next bytes; gives how many of them complete a piece. Bytes after that must be given again, bytes of an
    /// unfinished piece must not.
    pub(in crate::gemini) fn find(
        &mut self,
        bytes: &[u8],
    ) -> Result<Option<(usize, Piece)>, StreamFault> {
        let mut at = 0;
        while at < bytes.len() {
            if self.in_string {
                at += self.skip_string(&bytes[at..]);
                continue;
            }
            let byte = bytes[at];
            at += 1;
            match byte {
                b'"' if self.depth > 1 => self.in_string = true,
                b'{' | b'[' if !self.closed => self.depth += 1,
                b'}' | b']' if self.depth > 0 => {
                    self.depth -= 1;
                    match self.depth {
                        1 => return Ok(Some((at, Piece::Element))),
                        0 => {
                            self.closed = true;
                            return Ok(Some((at, Piece::End)));
                        }
                        _ => {}
                    }
                }
                _ if self.depth > 1 => {}
                b' ' | b'\t' | b'\r' | b'\n' => {}
                b',' if self.depth == 1 => {}
                _ => {
                    return Err(StreamFault::Malformed {
                        detail: "not an array of objects".to_owned(),
                    });
                }
            }
        }
        Ok(None)
    }

    /// How many bytes belong to the open string, its end included.
    fn skip_string(&mut self, bytes: &[u8]) -> usize {
        if self.escaped {
            self.escaped = false;
            return 1;
        }
        match memchr2(b'"', b'\\', bytes) {
            None => bytes.len(),
            Some(at) => {
                self.in_string = bytes[at] == b'\\';
                self.escaped = self.in_string;
                at + 1
            }
        }
    }

    /// Whether the array has ended.
    pub(in crate::gemini) fn closed(&self) -> bool {
        self.closed
    }

    /// The element without what separates it from the one before.
    pub(in crate::gemini) fn element(piece: &[u8]) -> &[u8] {
        let start = memchr::memchr(b'{', piece).unwrap_or_default();
        &piece[start..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elements(text: &str, size: usize) -> Result<(Vec<String>, bool), StreamFault> {
        let mut elements = Elements::default();
        let mut found = Vec::new();
        let mut held = Vec::new();
        for chunk in text.as_bytes().chunks(size) {
            let mut rest = chunk;
            while let Some((length, piece)) = elements.find(rest)? {
                held.extend_from_slice(&rest[..length]);
                if piece == Piece::Element {
                    let element = Elements::element(&held).to_vec();
                    found.push(String::from_utf8(element).unwrap());
                }
                held.clear();
                rest = &rest[length..];
            }
            held.extend_from_slice(rest);
        }
        Ok((found, elements.closed()))
    }

    #[test]
    fn elements_are_found_however_they_are_cut() {
        let text = "[{\"a\":\"]}\\\"\\\\\"}\n,\r\n{\"b\":[{},[\"{\"]]} ]\n";
        let expected = ["{\"a\":\"]}\\\"\\\\\"}", "{\"b\":[{},[\"{\"]]}"].map(str::to_owned);
        for size in [1, 2, 3, 7, 100] {
            let (found, closed) = elements(text, size).unwrap();
            assert_eq!(found, expected);
            assert!(closed);
        }
        assert_eq!(elements("[]", 1), Ok((vec![], true)));
        assert_eq!(elements("[{}", 9), Ok((vec!["{}".to_owned()], false)));
    }

    #[test]
    fn what_is_no_array_of_objects_is_refused() {
        for text in ["[1]", "[\"a\"]", "[{}]x", "[{}]]", "[}"] {
            let read = elements(text, 1);
            assert!(
                read.is_err() || read == Ok((vec![], true)),
                "{text}: {read:?}"
            );
        }
    }
}
