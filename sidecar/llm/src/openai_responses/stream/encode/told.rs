//! What has been told of an answer, and the events that tell it.

use bytes::Bytes;

use crate::ir::{Image, Opaque};
use crate::json::{ObjectWriter, Report};
use crate::openai_responses::ids::Mint;
use crate::openai_responses::{FORMAT, drawn, reasoning};

/// What has been told of an answer.
#[derive(Default)]
pub(super) struct Told {
    /// The number of the next event.
    pub(super) number: u64,
    /// The complete items, with commas between them.
    pub(super) items: Vec<u8>,
    /// How many they are: the number of the next item.
    count: usize,
    pub(super) mint: Mint,
}

// === impl Told ===

impl Told {
    /// One event of the wire.
    pub(super) fn frame(
        &mut self,
        kind: &str,
        members: impl FnOnce(&mut ObjectWriter<'_>),
    ) -> Bytes {
        let mut frame = Vec::with_capacity(256);
        frame.extend_from_slice(b"event: ");
        frame.extend_from_slice(kind.as_bytes());
        frame.extend_from_slice(b"\ndata: ");
        let data = frame.len();
        let mut object = ObjectWriter::new(&mut frame);
        object.value("type", kind);
        object.value("sequence_number", &self.number);
        members(&mut object);
        object.end();
        self.number += 1;
        // Between the members of what is kept as it is, an end of line may stand; in an event it cannot.
        for byte in &mut frame[data..] {
            if matches!(byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
        frame.extend_from_slice(b"\n\n");
        frame.into()
    }

    /// An item begins; `item` writes it as it is now.
    pub(super) fn added(&mut self, item: impl FnOnce(&mut Vec<u8>), out: &mut Vec<Bytes>) {
        let index = self.count;
        out.push(self.frame("response.output_item.added", |object| {
            object.value("output_index", &index);
            item(object.key("item"));
        }));
    }

    /// The item is complete.
    pub(super) fn done(&mut self, item: &[u8], out: &mut Vec<Bytes>) {
        let index = self.count;
        out.push(self.frame("response.output_item.done", |object| {
            object.value("output_index", &index);
            object.key("item").extend_from_slice(item);
        }));
        if self.count > 0 {
            self.items.push(b',');
        }
        self.items.extend_from_slice(item);
        self.count += 1;
    }

    /// An event about the open item.
    pub(super) fn about(
        &mut self,
        kind: &str,
        id: &str,
        members: impl FnOnce(&mut ObjectWriter<'_>),
        out: &mut Vec<Bytes>,
    ) {
        let index = self.count;
        out.push(self.frame(kind, |object| {
            object.value("item_id", id);
            object.value("output_index", &index);
            members(object);
        }));
    }

    /// The id of the next item, where it has none of its own.
    pub(super) fn id(&self, kind: &str) -> String {
        self.mint.id(kind, self.count)
    }

    /// An image that the model drew; nothing for one elsewhere.
    pub(super) fn drawn(&mut self, image: &Image, out: &mut Vec<Bytes>) {
        let Some(here) = drawn::here(image) else {
            return;
        };
        let minted = self.id("ig");
        self.added(|out| drawn::write_begun(out, image, &minted), out);
        let mut item = Vec::new();
        // Streams have no place to say what was dropped.
        drawn::write(&mut item, image, here, &minted, &mut Report::default());
        self.done(&item, out);
    }

    /// Thinking that only its provider can read.
    pub(super) fn hidden(&mut self, state: &Opaque, out: &mut Vec<Bytes>) {
        let mut item = Vec::new();
        match reasoning::Own::new(state) {
            Some(own) => own.write(&mut item, None, &mut Report::default()),
            None => {
                let sealed = (state.origin != FORMAT).then(|| state.wrap(FORMAT));
                reasoning::write_item(&mut item, &self.id("rs"), None, sealed.as_deref());
            }
        }
        self.added(|out| out.extend_from_slice(&item), out);
        self.done(&item, out);
    }
}
