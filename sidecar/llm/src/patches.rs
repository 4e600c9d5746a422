//! Replacements of spans of one body, collected in any order.

use std::ops::Range;

use bytes::Bytes;

use crate::json::Report;
use crate::scan::Member;

/// What is changed in one body, and what is reported of it.
///
/// *Guarantees*: spans of the body only; what lies in a member that is removed is not replaced.
#[derive(Debug, Default)]
pub struct Patches {
    patches: Vec<Patch>,
    report: Report,
}

/// A replacement of one span; an insertion when the span is empty.
#[derive(Debug)]
struct Patch {
    span: Range<usize>,
    text: Bytes,
}

// === impl Patches ===

impl Patches {
    /// Replaces a span by JSON text; inserts where the span is empty.
    pub(crate) fn replace(&mut self, span: Range<usize>, text: &'static str) {
        let text = Bytes::from_static(text.as_bytes());
        self.patches.push(Patch { span, text });
    }

    /// Replaces a span by a number, a string, or other JSON that is made for it.
    pub(crate) fn write<T: serde::Serialize + ?Sized>(&mut self, span: &Range<usize>, value: &T) {
        let text = serde_json::to_vec(value).expect("a string or a number is always JSON");
        self.patches.push(Patch {
            span: span.clone(),
            text: text.into(),
        });
    }

    /// Inserts JSON text.
    pub(crate) fn insert(&mut self, at: usize, text: String) {
        self.rewrite(at..at, text);
    }

    /// Replaces a span by JSON text that is made for it.
    pub(crate) fn rewrite(&mut self, span: Range<usize>, text: String) {
        let text = Bytes::from(text);
        self.patches.push(Patch { span, text });
    }

    /// Replaces a span by a string.
    pub(crate) fn quote(&mut self, span: &Range<usize>, text: &str) {
        self.write(span, text);
    }

    /// Reports what is left out.
    pub(crate) fn note(&mut self, name: &str) {
        self.report.note(name);
    }

    /// Takes those of the `members` of one object out for which `removed` says so, each with one comma.
    pub(crate) fn remove(&mut self, members: &[Member], removed: &[bool]) {
        let mut index = 0;
        while index < members.len() {
            if !removed.get(index).is_some_and(|gone| *gone) {
                index += 1;
                continue;
            }
            let first = index;
            while removed.get(index).is_some_and(|gone| *gone) {
                index += 1;
            }
            let span = match (members.get(index), first.checked_sub(1)) {
                (Some(next), _) => members[first].key.start..next.key.start,
                (None, Some(before)) => members[before].value.end..members[index - 1].value.end,
                (None, None) => members[first].key.start..members[index - 1].value.end,
            };
            self.replace(span, "");
        }
    }

    /// The body with the replacements, in segments, and what was left out.
    pub(crate) fn apply(mut self, body: &Bytes) -> (Vec<Bytes>, Vec<String>) {
        self.patches
            .sort_by_key(|patch| (patch.span.start, patch.span.end));
        let mut segments = Vec::with_capacity(2 * self.patches.len() + 1);
        let mut at = 0;
        for Patch { span, text } in self.patches {
            if span.start < at {
                continue;
            }
            if at < span.start {
                segments.push(body.slice(at..span.start));
            }
            if !text.is_empty() {
                segments.push(text);
            }
            at = span.end;
        }
        if at < body.len() {
            segments.push(body.slice(at..));
        }
        (segments, self.report.into_encoded(Vec::new()).dropped)
    }
}
