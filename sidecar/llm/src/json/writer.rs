//! Writes JSON objects member by member.

use std::collections::BTreeMap;

use fkm_dialect::Format;
use serde::Serialize;

use crate::ir::{Extra, RawJson, Weight};
use crate::json::Report;

/// An object that is being written. [`ObjectWriter::end`] closes it.
#[derive(Debug)]
pub(crate) struct ObjectWriter<'w> {
    out: &'w mut Vec<u8>,
    first: bool,
}

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
        report: &mut Report,
    ) {
        for (name, member) in extra.all() {
            let at_home = member.origin == origin && member.weight != Weight::Private;
            if at_home && !known.contains(&name) {
                self.value(name, &member.value);
            } else if member.weight != Weight::Quiet {
                report.note_in(what, name);
            }
        }
    }

    /// Writes unknown members of an object of the same format (`at_home`); notes them elsewhere, as `what.name`. A member
    /// that the format has itself (`known`) is not written a second time.
    pub(crate) fn members(
        &mut self,
        members: &BTreeMap<String, RawJson>,
        at_home: bool,
        known: &[&str],
        (what, report): (&str, &mut Report),
    ) {
        for (name, value) in members {
            if at_home && !known.contains(&&**name) {
                self.value(name, value);
            } else {
                report.note_in(what, name);
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
