//! The elements of an array of blocks, one after the other.

use crate::json::ObjectWriter;

/// The elements of an array that grows; what holds them writes the brackets.
#[derive(Debug, Default)]
pub(in crate::bedrock) struct Items {
    out: Vec<u8>,
    /// A text is among them.
    pub(in crate::bedrock) text: bool,
    /// A document is among them.
    pub(in crate::bedrock) document: bool,
}

// === impl Items ===

impl Items {
    /// Room for the next element.
    pub(super) fn next(&mut self) -> &mut Vec<u8> {
        if !self.out.is_empty() {
            self.out.push(b',');
        }
        &mut self.out
    }

    pub(in crate::bedrock) fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// Adds the elements of `other`.
    pub(in crate::bedrock) fn append(&mut self, other: &Self) {
        if !other.is_empty() {
            self.next().extend_from_slice(&other.out);
            self.text |= other.text;
            self.document |= other.document;
        }
    }

    /// Adds a text.
    pub(in crate::bedrock) fn text(&mut self, text: &str) {
        let mut block = ObjectWriter::new(self.next());
        block.value("text", text);
        block.end();
        self.text = true;
    }

    /// Writes the array.
    pub(in crate::bedrock) fn write(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        out.extend_from_slice(&self.out);
        out.push(b']');
    }
}
