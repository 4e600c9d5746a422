//! The chunks that streams are made of: one choice, more text, thinking or arguments of a call, and nothing that must be kept.
//! They are read in one pass; everything else takes the long way.

use std::borrow::Cow;

use crate::json::Shape;

/// A chunk of a stream that has begun: what is said of the whole answer is known by then.
static SHAPE: Shape = Shape::Object(&[
    ("id", Shape::Any),
    ("object", Shape::Any),
    ("created", Shape::Any),
    ("model", Shape::Any),
    ("choices", Shape::One(&CHOICE)),
    ("provider", Shape::Any),
    ("service_tier", Shape::Any),
    ("system_fingerprint", Shape::Any),
    // Random padding against who listens to the line.
    ("obfuscation", Shape::Any),
    ("usage", Shape::Null),
]);

static CHOICE: Shape = Shape::Object(&[
    ("index", Shape::Number(0)),
    (
        "delta",
        Shape::Object(&[
            ("content", Shape::Text(0)),
            ("tool_calls", Shape::One(&CALL)),
            ("reasoning_content", Shape::Text(2)),
            ("reasoning", Shape::Text(3)),
            ("role", Shape::Any),
            ("refusal", Shape::Null),
        ]),
    ),
    ("finish_reason", Shape::Null),
    ("logprobs", Shape::Null),
]);

static CALL: Shape = Shape::Object(&[
    ("index", Shape::Number(1)),
    ("function", Shape::Object(&[("arguments", Shape::Text(1))])),
]);

/// What such a chunk adds to a choice.
pub(super) enum Piece<'a> {
    Text(Cow<'a, str>),
    Thinking(Cow<'a, str>),
    /// To the call of this number.
    Arguments(u64, Cow<'a, str>),
}

/// The choice and its piece; `None` for every other chunk.
pub(super) fn read(data: &[u8]) -> Option<(u32, Piece<'_>)> {
    let found = SHAPE.read(data)?;
    let said = found.texts.map(|text| text.filter(|text| !text.is_empty()));
    let [content, arguments, thinking, reasoning, _] = said;
    let [choice, call] = found.numbers;
    let piece = match (content, arguments, thinking.or(reasoning)) {
        (Some(text), None, None) => Piece::Text(text),
        (None, Some(text), None) => Piece::Arguments(call?, text),
        (None, None, Some(text)) => Piece::Thinking(text),
        _ => return None,
    };
    Some((u32::try_from(choice.unwrap_or_default()).ok()?, piece))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_told_at_once_is_read() {
        let chunk =
            |delta: &str| format!(r#"{{"id":"1","choices":[{{"index":2,"delta":{delta}}}]}}"#);
        let text = chunk(r#"{"role":"assistant","content":"a\n"}"#);
        assert!(matches!(read(text.as_bytes()), Some((2, Piece::Text(text))) if text == "a\n"));
        let call = chunk(r#"{"tool_calls":[{"index":1,"function":{"arguments":"{"}}]}"#);
        assert!(
            matches!(read(call.as_bytes()), Some((2, Piece::Arguments(1, text))) if text == "{")
        );
        for delta in [
            r#"{"content":null,"reasoning_content":"a"}"#,
            r#"{"content":"","reasoning":"a","reasoning_content":"a"}"#,
        ] {
            let delta = chunk(delta);
            assert!(
                matches!(read(delta.as_bytes()), Some((2, Piece::Thinking(text))) if text == "a")
            );
        }
        for delta in [
            r#"{"content":""}"#,
            r#"{"content":"a","reasoning":"a"}"#,
            r#"{"reasoning":"a","reasoning_details":[]}"#,
            r#"{"content":"a","x":1}"#,
            r#"{"content":[{"type":"text","text":"a"}]}"#,
            r#"{"content":"a","content":"b"}"#,
            r#"{"tool_calls":[{"index":1,"id":"a","function":{"arguments":"{"}}]}"#,
        ] {
            assert!(read(chunk(delta).as_bytes()).is_none(), "{delta}");
        }
        for more in [r#""usage":{}"#, r#""error":{}"#, r#""x":1"#] {
            let chunk =
                format!(r#"{{"choices":[{{"index":0,"delta":{{"content":"a"}}}}],{more}}}"#);
            assert!(read(chunk.as_bytes()).is_none(), "{more}");
        }
    }
}
