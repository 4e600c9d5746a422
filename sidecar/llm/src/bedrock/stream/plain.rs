//! The events that streams are made of: a piece of text, of thinking or of a call's input. They are read in one pass;
//! everything else takes the long way.

use std::borrow::Cow;

use crate::json::Shape;

static SHAPE: Shape = Shape::Object(&[
    ("contentBlockIndex", Shape::Number(0)),
    (
        "delta",
        Shape::Object(&[
            ("text", Shape::Text(0)),
            (
                "reasoningContent",
                Shape::Object(&[("text", Shape::Text(1))]),
            ),
            ("toolUse", Shape::Object(&[("input", Shape::Text(2))])),
        ]),
    ),
    // Random padding against who listens to the line.
    ("p", Shape::Any),
]);

/// What such an event adds to its block.
pub(super) enum Piece<'a> {
    Text(Cow<'a, str>),
    Thinking(Cow<'a, str>),
    Input(Cow<'a, str>),
}

/// The block's number and its piece, which is not empty; `None` for every other event.
pub(super) fn read(payload: &[u8]) -> Option<(u64, Piece<'_>)> {
    let found = SHAPE.read(payload)?;
    let [text, thinking, input, ..] = found.texts;
    let piece = match (text, thinking, input) {
        (Some(text), None, None) if !text.is_empty() => Piece::Text(text),
        (None, Some(text), None) if !text.is_empty() => Piece::Thinking(text),
        (None, None, Some(input)) if !input.is_empty() => Piece::Input(input),
        _ => return None,
    };
    let [number, _] = found.numbers;
    Some((number?, piece))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_told_at_once_is_read() {
        let event = |delta: &str| format!(r#"{{"contentBlockIndex":2,"delta":{delta},"p":"ab"}}"#);
        let text = event(r#"{"text":"a\n"}"#);
        assert!(matches!(read(text.as_bytes()), Some((2, Piece::Text(text))) if text == "a\n"));
        let input = event(r#"{"toolUse":{"input":"{"}}"#);
        assert!(matches!(read(input.as_bytes()), Some((2, Piece::Input(text))) if text == "{"));
        for delta in [
            r#"{"text":""}"#,
            r#"{"text":"a","x":1}"#,
            r#"{"reasoningContent":{"signature":"a"}}"#,
            r#"{"citation":{}}"#,
            "{}",
        ] {
            assert!(read(event(delta).as_bytes()).is_none(), "{delta}");
        }
    }
}
