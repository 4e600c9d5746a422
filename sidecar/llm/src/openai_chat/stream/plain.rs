//! The chunks that streams are made of: one choice, more text or more arguments of a call, and nothing that must be kept.
//! They are read in one pass, without taking the chunk apart; everything else takes the long way.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;

/// A chunk of a stream that has begun: what is said of the whole answer is known by then.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Chunk<'a> {
    #[serde(borrow)]
    choices: [One<'a>; 1],
    #[serde(default, rename = "id")]
    _id: IgnoredAny,
    #[serde(default, rename = "object")]
    _object: IgnoredAny,
    #[serde(default, rename = "created")]
    _created: IgnoredAny,
    #[serde(default, rename = "model")]
    _model: IgnoredAny,
    #[serde(default, rename = "provider")]
    _provider: IgnoredAny,
    #[serde(default, rename = "service_tier")]
    _service_tier: IgnoredAny,
    #[serde(default, rename = "system_fingerprint")]
    _system_fingerprint: IgnoredAny,
    #[serde(default, rename = "obfuscation")]
    _obfuscation: IgnoredAny,
    /// `null` alone.
    #[serde(default, rename = "usage")]
    _usage: (),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct One<'a> {
    #[serde(default)]
    index: u32,
    #[serde(borrow)]
    delta: DeltaIn<'a>,
    #[serde(default, rename = "finish_reason")]
    _finish_reason: (),
    #[serde(default, rename = "logprobs")]
    _logprobs: (),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeltaIn<'a> {
    #[serde(default, borrow)]
    content: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    tool_calls: Option<[Call<'a>; 1]>,
    #[serde(default, rename = "role")]
    _role: IgnoredAny,
    #[serde(default, rename = "refusal")]
    _refusal: (),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Call<'a> {
    index: u64,
    #[serde(borrow)]
    function: Function<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Function<'a> {
    #[serde(borrow)]
    arguments: Cow<'a, str>,
}

/// What such a chunk adds to a choice.
pub(super) enum Piece<'a> {
    Text(Cow<'a, str>),
    /// To the call of this number.
    Arguments(u64, Cow<'a, str>),
}

/// The choice and its piece; `None` for every other chunk.
pub(super) fn read(data: &[u8]) -> Option<(u32, Piece<'_>)> {
    let Chunk { choices: [one], .. } = serde_json::from_slice(data).ok()?;
    let piece = match (one.delta.content, one.delta.tool_calls) {
        (Some(text), None) if !text.is_empty() => Piece::Text(text),
        (None, Some([call])) if !call.function.arguments.is_empty() => {
            Piece::Arguments(call.index, call.function.arguments)
        }
        _ => return None,
    };
    Some((one.index, piece))
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
            r#"{"content":""}"#,
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
