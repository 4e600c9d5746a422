//! Thinking: an item with what can be read (`summary`, `content`) and what cannot (`encrypted_content`).
//!
//! A provider takes back its own item only, exactly as it was: the whole item is the state. The text is what can be read of
//! it. A thought of another format is shown in an item of its own, its state wrapped in `encrypted_content`; no provider
//! gets such an item.

use serde_json::value::RawValue;

use crate::error::DecodeError;
use crate::ir::{Extra, Opaque, Reasoning};
use crate::json::{Object, ObjectWriter, Path, Report, array, string, write_array};
use crate::openai_responses::FORMAT;
use crate::openai_responses::ids::{self, ID};

/// The type of the item.
pub(super) const KIND: &str = "reasoning";

/// Between the parts of what can be read.
pub(super) const BREAK: &str = "\n\n";

/// Reads an item.
pub(super) fn decode(raw: &RawValue, path: &Path<'_>) -> Result<Reasoning, DecodeError> {
    let mut object = Object::from_raw(raw, path)?;
    let id = object.string(ID)?.unwrap_or_default();
    let sealed = object.raw("encrypted_content").and_then(string);
    let foreign = sealed
        .as_deref()
        .and_then(|marked| Opaque::unwrap(marked, FORMAT).ok())
        .filter(|state| state.origin != FORMAT);
    let state = match foreign {
        Some(state) => Some(state),
        None if sealed.is_none() && ids::is_minted(&id) => None,
        None => Some(Opaque::new(FORMAT, raw.get())),
    };
    Ok(Reasoning {
        text: text(&mut object),
        state,
        extra: Extra::default(),
    })
}

/// The same of an answer: the id is kept, for a stream must name it before the state is complete.
pub(super) fn decode_answer(raw: &RawValue, path: &Path<'_>) -> Result<Reasoning, DecodeError> {
    let mut thought = decode(raw, path)?;
    if thought.text.is_some() && thought.state.is_some() {
        let mut object = Object::from_raw(raw, path)?;
        ids::take(&mut object, &mut thought.extra, ID);
    }
    Ok(thought)
}

/// What can be read of an item, its parts with an empty line between them; `None` when it has no parts.
fn text(object: &mut Object<'_, '_>) -> Option<String> {
    let mut text: Option<String> = None;
    for name in ["summary", "content"] {
        let parts = object.raw(name).map(|raw| array(raw, &Path::Root));
        for part in parts.and_then(Result::ok).into_iter().flatten() {
            let part = Object::from_raw(part, &Path::Root);
            let said = part.and_then(|mut part| part.string("text")).ok().flatten();
            let (text, said) = (text.get_or_insert_default(), said.unwrap_or_default());
            if !text.is_empty() && !said.is_empty() {
                text.push_str(BREAK);
            }
            text.push_str(&said);
        }
    }
    text
}

/// The state of a thought as the item that it is; `None` when it is no item of this format.
pub(super) struct Own<'a> {
    item: &'a [u8],
    thought: Reasoning,
}

// === impl Own ===

impl<'a> Own<'a> {
    /// Of a state that was found in this format.
    pub(super) fn new(state: &'a Opaque) -> Option<Self> {
        if state.origin != FORMAT {
            return None;
        }
        let raw: &RawValue = serde_json::from_slice(&state.bytes).ok()?;
        let is_item = Object::from_raw(raw, &Path::Root).is_ok_and(|item| item.kind() == KIND);
        let thought = decode_answer(raw, &Path::Root).ok().filter(|_| is_item)?;
        let item = state.bytes.as_slice();
        (thought.state.as_ref() == Some(state)).then_some(Self { item, thought })
    }

    /// Writes the item as it is. A text that was changed on the way is not in it.
    pub(super) fn write(&self, out: &mut Vec<u8>, text: Option<&str>, report: &mut Report) {
        if self.thought.text.as_deref() != text {
            report.note("thinking.text");
        }
        out.extend_from_slice(self.item);
    }
}

/// Writes a thought for a client; `minted` is the id of an item that no provider made.
pub(super) fn write(out: &mut Vec<u8>, thought: &Reasoning, minted: &str, report: &mut Report) {
    let own = thought.state.as_ref().and_then(Own::new);
    if let Some(own) = own {
        // Where a stream begins such an item, it names this id.
        if own.thought.extra.get(FORMAT, ID) != thought.extra.get(FORMAT, ID) {
            report.note("thinking.id");
        }
        own.write(out, thought.text.as_deref(), report);
        return note_extra(&thought.extra, report);
    }
    let wrapped = match &thought.state {
        Some(state) if state.origin == FORMAT => {
            report.note("thinking.state");
            None
        }
        state => state.as_ref().map(|state| state.wrap(FORMAT)),
    };
    note_extra(&thought.extra, report);
    write_item(out, minted, thought.text.as_deref(), wrapped.as_deref());
}

fn note_extra(extra: &Extra, report: &mut Report) {
    for (name, ..) in extra.iter() {
        report.note_in("thinking", name);
    }
}

/// Writes an item that no provider made.
pub(super) fn write_item(out: &mut Vec<u8>, id: &str, text: Option<&str>, sealed: Option<&str>) {
    let mut object = ObjectWriter::new(out);
    object.value(ID, id);
    object.value("type", KIND);
    write_array(object.key("summary"), text, |out, text| {
        write_part(out, text);
    });
    object.optional("encrypted_content", sealed.as_ref());
    object.end();
}

/// Writes one part of a summary.
pub(super) fn write_part(out: &mut Vec<u8>, text: &str) {
    let mut part = ObjectWriter::new(out);
    part.value("type", "summary_text");
    part.value("text", text);
    part.end();
}

/// The id under which an item is streamed: its provider's, or one that was made up.
pub(super) fn streamed_id(extra: &Extra, minted: String) -> String {
    ids::text(extra, ID).unwrap_or(minted)
}

/// The extra of a thought that a stream begins under this item.
pub(super) fn streamed_extra(item: &mut Object<'_, '_>) -> Extra {
    let mut extra = Extra::default();
    ids::take(item, &mut extra, ID);
    extra
}
