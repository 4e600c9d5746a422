//! Parts of a content, both ways.
//!
//! *Signatures*: `thoughtSignature` goes back on the part on which it came, byte for byte. Of a call it is the call's state, of
//! a thought the thought's. Of a text it is a hidden thought right before the text; of a part without text (as the last one of
//! a stream) a hidden thought by itself.

mod decode;
mod encode;

pub(super) use decode::{Mint, decode_input, decode_output};
pub(super) use encode::{
    Direction, Outputs, encode_input, encode_outputs, write_state, write_text,
};

use crate::gemini::FORMAT;
use crate::gemini::types::SIGNATURE;
use crate::ir::Extra;
use crate::json::{ObjectWriter, Report};

/// Where an error is; numbers would be those of the representation, not of the client's messages.
pub(super) const CONTENT: &str = "messages[].content";

/// Members of a part whose main member is an object: those beside it.
pub(super) const BESIDE: &str = "part.";

/// The members of a part that are read here, or by their absence.
pub(super) const MEMBERS: [&str; 7] = [
    "text",
    "thought",
    SIGNATURE,
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
];

/// Writes the unknown members of the inner object: those whose names begin with `prefix`, without it.
pub(super) fn write_inner(
    object: &mut ObjectWriter<'_>,
    extra: &Extra,
    prefix: &str,
    known: &[&str],
) {
    for (name, origin, value) in extra.iter() {
        if origin == FORMAT
            && let Some(name) = name.strip_prefix(prefix)
            && !known.contains(&name)
        {
            object.value(name, value);
        }
    }
}

/// Writes the other unknown members, and notes those of other formats.
pub(super) fn write_outer(
    object: &mut ObjectWriter<'_>,
    extra: &Extra,
    prefix: &str,
    known: &[&str],
    what: &str,
    report: &mut Report,
) {
    for (name, origin, value) in extra.iter() {
        if origin != FORMAT || known.contains(&name) {
            report.note_in(what, name);
        } else if !name.starts_with(prefix) {
            object.value(name, value);
        }
    }
}
