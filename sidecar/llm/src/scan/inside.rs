//! Looks into a value of a text that was scanned: its members or its items, by their places.
//!
//! *Guarantees*: a value that is looked into level by level is walked over once a level.

use std::borrow::Cow;
use std::ops::Range;

use crate::scan::cursor::{Cursor, Kind};

/// A member of an object, by the places of its key (with the quotes) and of its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The key with its quotes.
    pub key: Range<usize>,
    /// The value.
    pub value: Range<usize>,
}

// === impl Member ===

impl Member {
    /// The key, unescaped.
    pub(crate) fn name<'a>(&self, text: &'a str) -> Cow<'a, str> {
        unquoted(&text[self.key.clone()]).unwrap_or_default()
    }

    /// The value as it is written.
    pub(crate) fn text<'a>(&self, text: &'a str) -> &'a str {
        &text[self.value.clone()]
    }

    /// The value, when it is a string, unescaped.
    pub(crate) fn string<'a>(&self, text: &'a str) -> Option<Cow<'a, str>> {
        unquoted(self.text(text))
    }
}

fn unquoted(literal: &str) -> Option<Cow<'_, str>> {
    let inner = literal.strip_prefix('"')?.strip_suffix('"')?;
    match inner.contains('\\') {
        false => Some(Cow::Borrowed(inner)),
        true => serde_json::from_str(literal).ok().map(Cow::Owned),
    }
}

/// The members of the object at `place`, in order; none when something else is there.
pub(crate) fn members(text: &str, place: &Range<usize>) -> Vec<Member> {
    match walk(text, place) {
        (found, true) => found,
        (_, false) => Vec::new(),
    }
}

/// The same for an object that may be cut short or be no JSON from somewhere on: its members that are whole.
pub(crate) fn members_so_far(text: &str, place: &Range<usize>) -> Vec<Member> {
    walk(text, place).0
}

/// The whole members of the object at `place`, and whether it is whole itself.
fn walk(text: &str, place: &Range<usize>) -> (Vec<Member>, bool) {
    let mut found = Vec::with_capacity(8);
    let mut cursor = Cursor::at(text, place.start);
    if cursor.kind() != Ok(Kind::Object) {
        return (found, false);
    }
    let walked = cursor.object(|cursor, _, key| {
        let value = cursor.skip_value()?;
        found.push(Member { key, value });
        Ok(())
    });
    (found, walked.is_ok())
}

/// The items of the array at `place`, in order; none when something else is there.
pub(crate) fn items(text: &str, place: &Range<usize>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut cursor = Cursor::at(text, place.start);
    if cursor.kind() == Ok(Kind::Array) {
        let walked = cursor.array(|cursor| {
            found.push(cursor.skip_value()?);
            Ok(())
        });
        if walked.is_err() {
            found.clear();
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_by_its_places() {
        let text = r#"[ {"a" :1, "\u0062":"x\"]", "c":[ ]}, [[2],{"d":null}] ,"e"]"#;
        let whole = 0..text.len();
        let found: Vec<&str> = items(text, &whole)
            .into_iter()
            .map(|at| &text[at])
            .collect();
        let first = r#"{"a" :1, "\u0062":"x\"]", "c":[ ]}"#;
        assert_eq!(found, [first, r#"[[2],{"d":null}]"#, "\"e\""]);
        let object = &items(text, &whole)[0];
        let found: Vec<(Cow<'_, str>, &str)> = members(text, object)
            .iter()
            .map(|member| (member.name(text), member.text(text)))
            .collect();
        let expected = [("a", "1"), ("b", r#""x\"]""#), ("c", "[ ]")];
        assert_eq!(found, expected.map(|(name, value)| (name.into(), value)));
        assert_eq!(members(text, &whole), []);
        assert_eq!(items(text, object), [] as [Range<usize>; 0]);
    }
}
