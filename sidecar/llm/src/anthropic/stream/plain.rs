//! The events that streams are made of: a piece of text, of thinking or of a tool's input. They are read in one pass,
//! without taking the event apart; everything else takes the long way.

use std::borrow::Cow;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BlockDelta<'a> {
    r#type: &'a str,
    index: u64,
    #[serde(borrow)]
    delta: DeltaIn<'a>,
}

/// Flat, because an enum by its tag is buffered.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeltaIn<'a> {
    r#type: &'a str,
    #[serde(default, borrow)]
    text: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    thinking: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    partial_json: Option<Cow<'a, str>>,
}

/// What such an event adds to its block.
pub(super) enum Piece<'a> {
    Text(Cow<'a, str>),
    Thinking(Cow<'a, str>),
    Input(Cow<'a, str>),
}

/// The block's number and its piece; `None` for every other event.
pub(super) fn read(data: &[u8]) -> Option<(u64, Piece<'_>)> {
    let event: BlockDelta<'_> = serde_json::from_slice(data).ok()?;
    let delta = event.delta;
    let piece = match (delta.r#type, delta.text, delta.thinking, delta.partial_json) {
        ("text_delta", Some(text), None, None) => Piece::Text(text),
        ("thinking_delta", None, Some(thinking), None) => Piece::Thinking(thinking),
        ("input_json_delta", None, None, Some(json)) => Piece::Input(json),
        _ => return None,
    };
    (event.r#type == "content_block_delta").then_some((event.index, piece))
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
