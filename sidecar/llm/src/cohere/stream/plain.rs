//! The events that streams are made of: a piece of text, of thinking or of a call's arguments. They are read in one pass;
//! everything else takes the long way.

use std::borrow::Cow;

use crate::cohere::stream::kind;
use crate::json::Shape;

static SHAPE: Shape = Shape::Object(&[
    ("type", Shape::Text(0)),
    ("index", Shape::Number(0)),
    ("delta", Shape::Object(&[("message", MESSAGE)])),
]);

const MESSAGE: Shape = Shape::Object(&[
    (
        "content",
        Shape::Object(&[("text", Shape::Text(1)), ("thinking", Shape::Text(2))]),
    ),
    (
        "tool_calls",
        Shape::Object(&[("function", Shape::Object(&[("arguments", Shape::Text(3))]))]),
    ),
]);

/// What such an event adds to the part that is open.
pub(super) enum Piece<'a> {
    Text(Cow<'a, str>),
    Thinking(Cow<'a, str>),
    /// To the call of this number.
    Arguments(u64, Cow<'a, str>),
}

/// The piece; `None` for every other event.
pub(super) fn read(data: &[u8]) -> Option<Piece<'_>> {
    let found = SHAPE.read(data)?;
    let [kind, text, thinking, arguments, _] = found.texts;
    match (&*kind?, text, thinking, arguments) {
        (kind::CONTENT_DELTA, Some(text), None, None) => Some(Piece::Text(text)),
        (kind::CONTENT_DELTA, None, Some(text), None) => Some(Piece::Thinking(text)),
        (kind::CALL_DELTA, None, None, Some(text)) => {
            let [number, _] = found.numbers;
            Some(Piece::Arguments(number?, text))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_told_at_once_is_read() {
        let event = |kind: &str, message: &str| {
            format!(r#"{{"type":"{kind}","index":1,"delta":{{"message":{message}}}}}"#)
        };
        let text = event(kind::CONTENT_DELTA, r#"{"content":{"text":"a\n"}}"#);
        assert!(matches!(read(text.as_bytes()), Some(Piece::Text(text)) if text == "a\n"));
        let call = event(
            kind::CALL_DELTA,
            r#"{"tool_calls":{"function":{"arguments":"{"}}}"#,
        );
        assert!(matches!(read(call.as_bytes()), Some(Piece::Arguments(1, text)) if text == "{"));
        for (kind, message) in [
            (kind::CONTENT_DELTA, r#"{"content":{"text":"a","x":1}}"#),
            (
                kind::CONTENT_DELTA,
                r#"{"content":{"text":"a","thinking":"b"}}"#,
            ),
            (kind::CONTENT_DELTA, r#"{"content":{"signature":"a"}}"#),
            (kind::CONTENT_START, r#"{"content":{"text":"a"}}"#),
            (kind::PLAN_DELTA, r#"{"tool_plan":"a"}"#),
        ] {
            assert!(read(event(kind, message).as_bytes()).is_none(), "{message}");
        }
    }
}
