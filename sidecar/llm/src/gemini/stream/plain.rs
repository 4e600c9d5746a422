//! The pieces that streams are made of: one candidate, more of its text or of its thought, and perhaps the usage so far. They are
//! read in one pass; everything else takes the long way.

use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::json::Shape;

/// A piece of a stream that has begun: what is said of the whole answer is known by then.
static SHAPE: Shape = Shape::Object(&[
    ("candidates", Shape::One(&CANDIDATE)),
    ("usageMetadata", Shape::Raw(0)),
    ("modelVersion", Shape::Any),
    ("responseId", Shape::Any),
    ("createTime", Shape::Any),
]);

static CANDIDATE: Shape = Shape::Object(&[
    (
        "content",
        Shape::Object(&[("parts", Shape::One(&PART)), ("role", Shape::Any)]),
    ),
    ("index", Shape::Number(0)),
    ("finishReason", Shape::Null),
]);

static PART: Shape = Shape::Object(&[("text", Shape::Text(0)), ("thought", Shape::Raw(1))]);

/// What such a piece adds to its candidate.
pub(super) struct Piece<'a> {
    /// The candidate's number.
    pub(super) index: u32,
    /// It is of a thought.
    pub(super) thought: bool,
    /// Never empty.
    pub(super) text: Cow<'a, str>,
    pub(super) usage: Option<&'a RawValue>,
}

/// Reads such a piece; `None` for every other.
pub(super) fn read(data: &[u8]) -> Option<Piece<'_>> {
    let found = SHAPE.read(data)?;
    let [text, ..] = found.texts;
    let [index, _] = found.numbers;
    let [usage, thought] = found.raws;
    Some(Piece {
        index: u32::try_from(index.unwrap_or_default()).ok()?,
        thought: match thought.map(RawValue::get) {
            None | Some("false") => false,
            Some("true") => true,
            _ => return None,
        },
        text: text.filter(|text| !text.is_empty())?,
        usage,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_told_at_once_is_read() {
        let piece = |parts: &str, more: &str| {
            format!(
                r#"{{"candidates":[{{"content":{{"role":"model","parts":{parts}}}{more}}}],"usageMetadata":{{"a":1}}}}"#
            )
        };
        let thought = piece(r#"[{"text":"a\n","thought":true}]"#, r#","index":1"#);
        let read_back = read(thought.as_bytes()).unwrap();
        assert_eq!((read_back.index, read_back.thought), (1, true));
        assert_eq!(read_back.text, "a\n");
        assert_eq!(read_back.usage.map(RawValue::get), Some(r#"{"a":1}"#));
        for (parts, more) in [
            (r#"[{"text":""}]"#, ""),
            (r#"[{"text":"a","thoughtSignature":"b"}]"#, ""),
            (r#"[{"text":"a"},{"text":"b"}]"#, ""),
            (r#"[{"functionCall":{"name":"f"}}]"#, ""),
            (r#"[{"text":"a"}]"#, r#","finishReason":"STOP""#),
            (r#"[{"text":"a"}]"#, r#","citationMetadata":{}"#),
        ] {
            assert!(
                read(piece(parts, more).as_bytes()).is_none(),
                "{parts}{more}"
            );
        }
        assert!(read(br#"{"error":{"code":500}}"#).is_none());
    }
}
