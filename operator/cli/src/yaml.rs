//! YAML as kubectl reads it: documents between `---`, and plain `on`, `yes` and `y` are true, as keys too.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// One document of a file.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Document {
    /// The line on which it begins, from 1.
    pub(crate) line: usize,
    /// Its content, or why it has none.
    pub(crate) content: Result<Value, YamlError>,
}

/// Text that is no YAML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct YamlError {
    /// The line of the mistake, from 1.
    pub(crate) line: usize,
    pub(crate) message: String,
}

/// The documents of a file that are not empty.
pub(crate) fn documents(text: &str) -> Vec<Document> {
    let mut documents = Vec::new();
    let mut start = 0;
    let mut lines = Vec::new();
    for (index, line) in text.lines().chain(["---"]).enumerate() {
        if !is_separator(line) {
            lines.push(line);
            continue;
        }
        let significant =
            |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
        if let Some(first) = lines.iter().position(significant) {
            documents.push(Document {
                line: start + first + 1,
                content: parse(&lines.join("\n"), start),
            });
        }
        lines.clear();
        start = index + 1;
    }
    documents
}

fn is_separator(line: &str) -> bool {
    line.strip_prefix("---").is_some_and(|rest| {
        let rest = rest.trim_start();
        rest.is_empty() || (rest.starts_with('#') && line.len() > rest.len() + 3)
    })
}

fn parse(text: &str, lines_before: usize) -> Result<Value, YamlError> {
    let options = serde_saphyr::options! { with_snippet: false, legacy_octal_numbers: true };
    serde_saphyr::from_str_with_options::<Node>(text, options)
        .map(|Node(value)| value)
        .map_err(|error| YamlError {
            line: lines_before
                + error
                    .location()
                    .map_or(1, |location| usize::try_from(location.line()).unwrap_or(1)),
            message: with_fix(&error.to_string()),
        })
}

/// What to do about an error of the parser, by a part of its text.
const FIXES: [(&str, &str); 8] = [
    (
        "illegal placement of ':'",
        "close the bracket above, or put the text in quotes",
    ),
    (
        "mapping values are not allowed",
        "indent it like its neighbours, or put text that has ': ' in it in quotes",
    ),
    (
        "expected ',' or",
        "close the bracket, or write the missing comma",
    ),
    ("tab", "indent with spaces"),
    ("unclosed quote", "close it"),
    ("unexpected character", "put the text in quotes"),
    (
        "unknown anchor",
        "define it further up with &, or put the text in quotes",
    ),
    (
        "expected '-' indicator",
        "a list and keys do not mix: indent what belongs to the list",
    ),
];

/// The parser's message, with the fix.
fn with_fix(message: &str) -> String {
    if let Some(rest) = message.strip_prefix("duplicate mapping key: ") {
        let key = rest.split(", set ").next().unwrap_or(rest);
        return format!("{key:?} stands twice; remove one, or put --- between two documents");
    }
    let known = FIXES.iter().find(|(part, _)| message.contains(part));
    let fix = known.map_or("correct this line or the one above", |(_, fix)| fix);
    format!("{message}; {fix}")
}

/// A value of which the keys, too, are read as kubectl does.
struct Node(Value);

struct NodeVisitor;

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NodeVisitor)
    }
}

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("YAML")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node(Value::Null))
    }

    fn visit_none<E>(self) -> Result<Node, E> {
        Ok(Node(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Node, E> {
        // JSON as kubectl writes it has no 3.0
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a whole number below 2^53 is exact"
        )]
        let whole = (value.fract() == 0.0 && value.abs() < 9e15).then_some(value as i64);
        let number = whole.map(Number::from).or_else(|| Number::from_f64(value));
        number
            .map(|number| Node(Value::Number(number)))
            .ok_or_else(|| E::custom("a number that JSON does not know"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(Node(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Node(list.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut map = Map::new();
        while let Some((Node(key), Node(value))) = entries.next_entry()? {
            let key = match key {
                Value::String(key) => key,
                scalar @ (Value::Null | Value::Bool(_) | Value::Number(_)) => scalar.to_string(),
                Value::Array(_) | Value::Object(_) => {
                    return Err(A::Error::custom("a key must be text"));
                }
            };
            map.insert(key, value);
        }
        Ok(Node(map.into()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn only(text: &str) -> Value {
        let documents = documents(text);
        assert_eq!(documents.len(), 1, "{documents:?}");
        documents[0].content.clone().unwrap()
    }

    #[test]
    fn scalars_are_those_of_kubectl() {
        let text = "a: on\non: 1\n\"off\": 2\nb: yes\nc: 0o17\nd: 012\ne: 1e3\nf: ~\ng: 2001-01-01\nh: 'yes'\ni: 0.2\n1: x\n";
        assert_eq!(
            only(text),
            json!({"a": true, "true": 1, "off": 2, "b": true, "c": 15, "d": 10, "e": 1000, "f": null, "g": "2001-01-01", "h": "yes", "i": 0.2, "1": "x"})
        );
    }

    #[test]
    fn anchors_and_merges() {
        assert_eq!(
            only("a: &x { k: 1 }\nb: *x\nc: { <<: *x, l: 2 }\n"),
            json!({"a": {"k": 1}, "b": {"k": 1}, "c": {"k": 1, "l": 2}})
        );
    }

    #[test]
    fn documents_know_their_line() {
        let found = documents("# a\n---\n\nx: 1\n--- # b\n---\ny: |\n  -----BEGIN\n---\n[\n");
        assert_eq!(
            found
                .iter()
                .map(|document| document.line)
                .collect::<Vec<_>>(),
            [4, 7, 10]
        );
        assert_eq!(found[2].content.as_ref().unwrap_err().line, 10);
    }

    #[test]
    fn a_key_that_stands_twice_is_refused() {
        let found = documents("a: 1\nb: 2\na: 3\n");
        let error = found[0].content.as_ref().unwrap_err();
        assert_eq!(error.line, 3);
        assert!(
            error.message.starts_with("\"a\" stands twice; remove one"),
            "{error:?}"
        );
    }

    #[test]
    fn an_error_comes_with_its_fix() {
        let cases = [
            ("a: [1\nb: 2\n", "close the bracket"),
            ("a: \"x\nb: 2\n", "close it"),
            ("a:\n\tb: 2\n", "indent with spaces"),
            ("a: 1\n b: 2\n", "indent it like its neighbours"),
            ("a: {b: 1\nc: 2\n", "missing comma"),
            ("a: @x\n", "in quotes"),
            ("a: *x\n", "with &"),
            ("- a\nb: 1\n", "do not mix"),
            ("? [1]\n: 2\n", "correct this line"),
        ];
        for (text, fix) in cases {
            let found = documents(text);
            let error = found[0].content.as_ref().unwrap_err();
            assert!(error.message.contains(fix), "{text:?}: {error:?}");
        }
    }
}
