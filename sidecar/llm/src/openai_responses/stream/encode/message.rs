//! A message of a stream that is being written: its pieces, one after the other.

use bytes::Bytes;

use crate::ir::{Delta, Extra};
use crate::json::ObjectWriter;
use crate::openai_responses::output::{begin_message, end_message, write_refusal, write_text};
use crate::openai_responses::stream::encode::told::Told;
use crate::openai_responses::{ids, types};

/// The item of a message.
pub(super) struct Message {
    id: String,
    extra: Extra,
    /// The complete pieces, with commas between them.
    pieces: Vec<u8>,
    /// How many they are: the number of the next piece.
    count: usize,
    open: Option<Piece>,
}

/// A piece of a message.
struct Piece {
    refuses: bool,
    text: String,
    extra: Extra,
    /// Sources, with commas between them, and how many they are.
    sources: Vec<u8>,
    source_count: usize,
}

// === impl Message ===

impl Message {
    /// Begins the item.
    pub(super) fn new(extra: &Extra, told: &mut Told, out: &mut Vec<Bytes>) -> Self {
        let own = ids::text(extra, "item.id");
        let message = Self {
            id: own.unwrap_or_else(|| told.id("msg")),
            extra: extra.clone(),
            pieces: Vec::new(),
            count: 0,
            open: None,
        };
        told.added(|out| message.write(out, "in_progress"), out);
        message
    }

    pub(super) fn write(&self, out: &mut Vec<u8>, status: &str) {
        let mut object = ObjectWriter::new(out);
        begin_message(&mut object, &self.extra, self.id.clone());
        let content = object.key("content");
        content.push(b'[');
        content.extend_from_slice(&self.pieces);
        content.push(b']');
        end_message(object, &self.extra, status);
    }

    pub(super) fn begin_text(&mut self, extra: &Extra, told: &mut Told, out: &mut Vec<Bytes>) {
        self.begin(false, extra.clone(), told, out);
    }

    pub(super) fn begin_refusal(&mut self, told: &mut Told, out: &mut Vec<Bytes>) {
        self.begin(true, Extra::default(), told, out);
    }

    fn begin(&mut self, refuses: bool, extra: Extra, told: &mut Told, out: &mut Vec<Bytes>) {
        self.end_piece(told, out);
        let piece = Piece {
            refuses,
            text: String::new(),
            extra,
            sources: Vec::new(),
            source_count: 0,
        };
        let mut part = Vec::new();
        piece.write(&mut part);
        self.about("response.content_part.added", told, part_of(&part), out);
        self.open = Some(piece);
    }

    /// A piece that is kept as it is.
    pub(super) fn other(&mut self, raw: &[u8], told: &mut Told, out: &mut Vec<Bytes>) {
        self.end_piece(told, out);
        self.about("response.content_part.added", told, part_of(raw), out);
        self.complete(raw, told, out);
    }

    /// An event about the piece that is open.
    fn about(
        &self,
        kind: &str,
        told: &mut Told,
        members: impl FnOnce(&mut ObjectWriter<'_>),
        out: &mut Vec<Bytes>,
    ) {
        let index = self.count;
        let members = |object: &mut ObjectWriter<'_>| {
            object.value("content_index", &index);
            members(object);
        };
        told.about(kind, &self.id, members, out);
    }

    pub(super) fn delta(&mut self, delta: &Delta, told: &mut Told, out: &mut Vec<Bytes>) {
        let Some(mut piece) = self.open.take() else {
            return;
        };
        match delta {
            Delta::Text(text) if !text.is_empty() => {
                piece.text.push_str(text);
                let members = |object: &mut ObjectWriter<'_>| {
                    object.value("delta", text);
                    object.value("logprobs", &[(); 0]);
                };
                self.about("response.output_text.delta", told, members, out);
            }
            Delta::Refusal(text) if !text.is_empty() => {
                piece.text.push_str(text);
                let members = |object: &mut ObjectWriter<'_>| object.value("delta", text);
                self.about("response.refusal.delta", told, members, out);
            }
            Delta::Citation(citation) => {
                let mut raw = Vec::new();
                if types::write_citation(&mut raw, citation, piece.text.chars().count()) {
                    let index = piece.source_count;
                    piece.source(&raw);
                    let kind = "response.output_text.annotation.added";
                    let members = |object: &mut ObjectWriter<'_>| {
                        object.value("annotation_index", &index);
                        object.key("annotation").extend_from_slice(&raw);
                    };
                    self.about(kind, told, members, out);
                }
            }
            _ => {}
        }
        self.open = Some(piece);
    }

    pub(super) fn end_piece(&mut self, told: &mut Told, out: &mut Vec<Bytes>) {
        let Some(piece) = self.open.take() else {
            return;
        };
        let members = |object: &mut ObjectWriter<'_>| {
            if piece.refuses {
                object.value("refusal", &piece.text);
            } else {
                object.value("text", &piece.text);
                object.value("logprobs", &[(); 0]);
            }
        };
        let kind = if piece.refuses {
            "response.refusal.done"
        } else {
            "response.output_text.done"
        };
        self.about(kind, told, members, out);
        let mut part = Vec::new();
        piece.write(&mut part);
        self.complete(&part, told, out);
    }

    fn complete(&mut self, part: &[u8], told: &mut Told, out: &mut Vec<Bytes>) {
        self.about("response.content_part.done", told, part_of(part), out);
        if self.count > 0 {
            self.pieces.push(b',');
        }
        self.pieces.extend_from_slice(part);
        self.count += 1;
    }
}

fn part_of(part: &[u8]) -> impl FnOnce(&mut ObjectWriter<'_>) {
    |object| object.key("part").extend_from_slice(part)
}

// === impl Piece ===

impl Piece {
    fn write(&self, out: &mut Vec<u8>) {
        if self.refuses {
            write_refusal(out, &self.text);
        } else {
            write_text(out, &self.text, &self.sources, &self.extra);
        }
    }

    fn source(&mut self, raw: &[u8]) {
        if self.source_count > 0 {
            self.sources.push(b',');
        }
        self.sources.extend_from_slice(raw);
        self.source_count += 1;
    }
}
