//! Writes JSON objects member by member, and notes what could not be written.

use std::collections::BTreeSet;

use fkm_dialect::Format;
use serde::Serialize;

use crate::ir::Extra;

/// An object that is being written. [`ObjectWriter::end`] closes it.
#[derive(Debug)]
pub(crate) struct ObjectWriter<'w> {
    out: &'w mut Vec<u8>,
    first: bool,
}

/// What could not be expressed.
#[derive(Debug, Default)]
pub(crate) struct Dropped(BTreeSet<String>);

/// The most names that are reported.
const MAX_NAMES: usize = 32;

/// Longer names are cut.
const MAX_NAME_BYTES: usize = 64;

// === impl ObjectWriter ===

impl<'w> ObjectWriter<'w> {
    pub(crate) fn new(out: &'w mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, first: true }
    }

    /// Writes a key; its value must be written next.
    pub(crate) fn key(&mut self, name: &str) -> &mut Vec<u8> {
        if !self.first {
            self.out.push(b',');
        }
        self.first = false;
        write_json(self.out, name);
        self.out.push(b':');
        self.out
    }

    pub(crate) fn value<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) {
        write_json(self.key(name), value);
    }

    pub(crate) fn optional<T: Serialize>(&mut self, name: &str, value: Option<&T>) {
        if let Some(value) = value {
            self.value(name, value);
        }
    }

    /// Writes the members that were found in `origin`, those below `prefix` without it, and notes the others as
    /// `what.name`. A member that the format has itself (`known`) is not written a second time.
    pub(crate) fn extra(
        &mut self,
        extra: &Extra,
        origin: Format,
        known: &[&str],
        what: &str,
        dropped: &mut Dropped,
    ) {
        for (name, found_in, value) in extra.iter() {
            if found_in == origin && !known.contains(&name) {
                self.value(name, value);
            } else {
                dropped.note_in(what, name);
            }
        }
    }

    pub(crate) fn end(self) {
        self.out.push(b'}');
    }
}

/// Writes `value` as JSON.
pub(crate) fn write_json<T: Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(out, value).expect("string keys only, and memory does not fail");
}

/// Writes an array, each element by `write`.
pub(crate) fn write_array<T>(
    out: &mut Vec<u8>,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut Vec<u8>, T),
) {
    out.push(b'[');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(out, item);
    }
    out.push(b']');
}

// === impl Dropped ===

impl Dropped {
    pub(crate) fn note(&mut self, name: &str) {
        let name = name
            .chars()
            .take(MAX_NAME_BYTES)
            .map(|c| match c {
                ',' | ';' | '"' => '_',
                c if c.is_ascii_graphic() => c,
                _ => '_',
            })
            .collect();
        if self.0.len() < MAX_NAMES {
            self.0.insert(name);
        }
    }

    /// Notes the member `name` of a `what`; of the request itself when that is empty.
    pub(crate) fn note_in(&mut self, what: &str, name: &str) {
        if what.is_empty() {
            self.note(name);
        } else {
            self.note(&format!("{what}.{name}"));
        }
    }

    pub(crate) fn into_names(self) -> Vec<String> {
        self.0.into_iter().collect()
    }
}
