//! Arguments of a call in pieces (`streamFunctionCallArguments` of Vertex): values at JSON paths, texts in pieces. They come in
//! any order, so that they are put together here and told when the call is complete.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

use serde_json::value::RawValue;

use crate::error::DecodeError;
use crate::gemini::types::camel;
use crate::ir::RawJson;
use crate::json::{Object, ObjectWriter, Path, array, write_array, write_json};

/// Deeper arguments are refused.
const MAX_DEPTH: usize = 64;

const MEMBERS: [&str; 6] = [
    "jsonPath",
    "stringValue",
    "numberValue",
    "boolValue",
    "nullValue",
    "willContinue",
];

/// The arguments so far.
#[derive(Debug)]
pub(super) struct Arguments(Node);

#[derive(Debug)]
enum Node {
    /// Members in the order in which they came, and where each is.
    Object(Vec<(String, Self)>, BTreeMap<String, usize>),
    Array(Vec<Self>),
    Text(String),
    Whole(RawJson),
}

/// A step of a path.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Member(String),
    Element(usize),
}

// === impl Arguments ===

impl Arguments {
    /// Begins with what came whole.
    pub(super) fn new(whole: Option<&RawValue>) -> Self {
        let mut root = Node::object();
        let object = whole.and_then(|raw| Object::from_raw(raw, &Path::Root).ok());
        if let (Some(object), Node::Object(members, places)) = (object, &mut root) {
            for (name, value) in object.members() {
                places.insert(name.to_owned(), members.len());
                members.push((name.to_owned(), Node::Whole(RawJson::from(value))));
            }
        }
        Self(root)
    }

    /// Adds `partialArgs`.
    pub(super) fn add(&mut self, raw: &RawValue, path: &Path<'_>) -> Result<(), DecodeError> {
        for (index, raw) in array(raw, path)?.into_iter().enumerate() {
            let path = path.item(index);
            let mut piece = Object::from_raw(raw, &path)?;
            camel(&mut piece, &MEMBERS);
            let at = piece.required_string("jsonPath")?;
            let steps = steps(&at).ok_or_else(|| piece.invalid("jsonPath", "a path"))?;
            let value = if let Some(text) = piece.string("stringValue")? {
                Node::Text(text)
            } else if piece.peek("nullValue").is_some() {
                Node::Whole(RawJson::from(&serde_json::Value::Null))
            } else if let Some(raw) = piece.raw("numberValue").or_else(|| piece.raw("boolValue")) {
                Node::Whole(RawJson::from(raw))
            } else {
                // The end of a value in pieces.
                continue;
            };
            let placed = self.0.place(&steps, value);
            placed.ok_or_else(|| piece.invalid("jsonPath", "a path to a value of its own"))?;
        }
        Ok(())
    }

    /// The arguments as JSON text.
    pub(super) fn into_text(self) -> String {
        let mut out = Vec::new();
        self.0.write(&mut out);
        String::from_utf8(out).expect("JSON is text")
    }
}

// === impl Node ===

impl Node {
    fn object() -> Self {
        Self::Object(Vec::new(), BTreeMap::new())
    }

    /// Puts a value at a path, or adds a text to the one there; `None` when something else is in the way.
    fn place(&mut self, steps: &[Step], value: Self) -> Option<()> {
        let Some((step, rest)) = steps.split_first() else {
            match (self, value) {
                (Self::Text(text), Self::Text(more)) => text.push_str(&more),
                (slot @ (Self::Text(_) | Self::Whole(_)), value) => *slot = value,
                _ => return None,
            }
            return Some(());
        };
        let child = match (self, step) {
            (Self::Object(members, places), Step::Member(name)) => {
                let place = places.get(name).copied().unwrap_or(members.len());
                if place == members.len() {
                    places.insert(name.clone(), place);
                    members.push((name.clone(), Self::for_step(rest.first())));
                }
                &mut members[place].1
            }
            (Self::Array(elements), Step::Element(index)) => {
                if *index == elements.len() {
                    elements.push(Self::for_step(rest.first()));
                }
                elements.get_mut(*index)?
            }
            _ => return None,
        };
        child.place(rest, value)
    }

    /// What a path that goes on like this goes into.
    fn for_step(step: Option<&Step>) -> Self {
        match step {
            Some(Step::Member(_)) => Self::object(),
            Some(Step::Element(_)) => Self::Array(Vec::new()),
            None => Self::Text(String::new()),
        }
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Object(members, _) => {
                let mut object = ObjectWriter::new(out);
                for (name, value) in members {
                    value.write(object.key(name));
                }
                object.end();
            }
            Self::Array(elements) => write_array(out, elements, |out, value| value.write(out)),
            Self::Text(text) => write_json(out, text),
            Self::Whole(raw) => out.extend_from_slice(raw.get().as_bytes()),
        }
    }
}

/// The steps of a path of RFC 9535 that leads to one value: `$.a['b'][0]`.
fn steps(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?.chars().peekable();
    let mut steps = Vec::new();
    while let Some(first) = rest.next() {
        let step = match first {
            '.' => Step::Member(name(&mut rest)?),
            '[' => bracket(&mut rest)?,
            _ => return None,
        };
        steps.push(step);
        if steps.len() > MAX_DEPTH {
            return None;
        }
    }
    (!steps.is_empty()).then_some(steps)
}

fn name(rest: &mut Peekable<Chars<'_>>) -> Option<String> {
    let mut name = String::new();
    while let Some(c) = rest.next_if(|c| !matches!(c, '.' | '[')) {
        name.push(c);
    }
    (!name.is_empty()).then_some(name)
}

fn bracket(rest: &mut Peekable<Chars<'_>>) -> Option<Step> {
    if let Some(quote) = rest.next_if(|c| matches!(c, '\'' | '"')) {
        let mut name = String::new();
        loop {
            match rest.next()? {
                '\\' => name.push(rest.next()?),
                c if c == quote => break,
                c => name.push(c),
            }
        }
        return (rest.next() == Some(']')).then_some(Step::Member(name));
    }
    let mut digits = String::new();
    while let Some(c) = rest.next_if(char::is_ascii_digit) {
        digits.push(c);
    }
    let index = digits.parse().ok()?;
    (rest.next() == Some(']')).then_some(Step::Element(index))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put_together(pieces: &[&str]) -> Result<String, DecodeError> {
        let mut arguments = Arguments::new(None);
        for piece in pieces {
            let raw: &RawValue = serde_json::from_str(piece).unwrap();
            arguments.add(raw, &Path::Root)?;
        }
        Ok(arguments.into_text())
    }

    #[test]
    fn values_are_put_where_they_belong() {
        let text = put_together(&[
            r#"[{"jsonPath":"$.location","stringValue":"New ","willContinue":true}]"#,
            r#"[{"jsonPath":"$.location","stringValue":"Delhi \"x\"","willContinue":true}]"#,
            r#"[{"jsonPath":"$.location","stringValue":""},{"jsonPath":"$.days[0].n","numberValue":12345678901234567890}]"#,
            r#"[{"jsonPath":"$.days[0]['a.b']","boolValue":true},{"jsonPath":"$.days[1].n","nullValue":"NULL_VALUE"}]"#,
        ]);
        assert_eq!(
            text.unwrap(),
            r#"{"location":"New Delhi \"x\"","days":[{"n":12345678901234567890,"a.b":true},{"n":null}]}"#
        );
        assert_eq!(put_together(&[]).unwrap(), "{}");
    }

    #[test]
    fn paths_that_lead_nowhere_are_refused() {
        for path in [
            "",
            "$",
            "a",
            "$.",
            "$[99999999999999999999]",
            "$.a[5]",
            "$[*]",
            "$..a",
        ] {
            let piece = format!(r#"[{{"jsonPath":"{path}","stringValue":"x"}}]"#);
            assert!(put_together(&[&piece]).is_err(), "{path}");
        }
        let deep = format!(
            r#"[{{"jsonPath":"${}","stringValue":"x"}}]"#,
            ".a".repeat(65)
        );
        assert!(put_together(&[&deep]).is_err());
    }
}
