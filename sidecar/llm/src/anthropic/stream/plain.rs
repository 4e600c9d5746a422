//! The events that streams are made of: a piece of text, of thinking or of a tool's input. They are read in one pass;
//! everything else takes the long way.

use std::borrow::Cow;

use crate::json::Shape;

static SHAPE: Shape = Shape::Object(&[
    ("type", Shape::Text(0)),
    ("index", Shape::Number(0)),
    (
        "delta",
        Shape::Object(&[
            ("type", Shape::Text(1)),
            ("text", Shape::Text(2)),
            ("thinking", Shape::Text(3)),
            ("partial_json", Shape::Text(4)),
        ]),
    ),
]);

/// What such an event adds to its block.
pub(super) enum Piece<'a> {
    Text(Cow<'a, str>),
    Thinking(Cow<'a, str>),
    Input(Cow<'a, str>),
}

/// The block's number and its piece; `None` for every other event.
pub(super) fn read(data: &[u8]) -> Option<(u64, Piece<'_>)> {
    let found = SHAPE.read(data)?;
    let [kind, of_delta, text, thinking, json] = found.texts;
    let piece = match (&*of_delta?, text, thinking, json) {
        ("text_delta", Some(text), None, None) => Piece::Text(text),
        ("thinking_delta", None, Some(thinking), None) => Piece::Thinking(thinking),
        ("input_json_delta", None, None, Some(json)) => Piece::Input(json),
        _ => return None,
    };
    let [number, _] = found.numbers;
    (kind? == "content_block_delta").then_some((number?, piece))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_be_told_at_once_is_read() {
        let event =
            |delta: &str| format!(r#"{{"type":"content_block_delta","index":3,"delta":{delta}}}"#);
        let text = event(r#"{"type":"text_delta","text":"a\n"}"#);
        assert!(matches!(read(text.as_bytes()), Some((3, Piece::Text(text))) if text == "a\n"));
        for delta in [
            r#"{"type":"signature_delta","signature":"a"}"#,
            r#"{"type":"text_delta","text":"a","x":1}"#,
            r#"{"type":"text_delta","text":1}"#,
        ] {
            assert!(read(event(delta).as_bytes()).is_none(), "{delta}");
        }
        assert!(read(br#"{"type":"message_stop"}"#).is_none());
    }
}
