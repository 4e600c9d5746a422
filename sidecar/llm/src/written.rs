//! How much an answer holds, read from frames that are passed through without being parsed.
//!
//! *Guarantees*: one pass over the part of the frame that holds content; no allocation; any bytes are taken.

use memchr::memmem::Finder;
use memchr::{memchr2, memchr3};

/// The members that hold what a model writes; others (ids, types, names, signatures) are no words of its own.
const CONTENT: [&[u8]; 10] = [
    b"arguments",
    b"content",
    b"input",
    b"partial_json",
    b"reasoning",
    b"reasoning_content",
    b"refusal",
    b"text",
    b"thinking",
    b"tool_plan",
];

/// Says again what `reasoning` says (`OpenRouter`).
const REPEATED: &[u8] = b"reasoning_details";

/// Finds content below one member of a frame.
#[derive(Debug)]
pub(crate) struct Meter {
    member: Finder<'static>,
}

// === impl Meter ===

impl Default for Meter {
    /// Of `delta`, as most formats name it.
    fn default() -> Self {
        Self::new("\"delta\"")
    }
}

impl Meter {
    /// `member` is the key whose value is content, or an object with members of [`CONTENT`]; with its quotes.
    pub(crate) fn new(member: &'static str) -> Self {
        Self {
            member: Finder::new(member),
        }
    }

    /// The bytes of content in a frame, escapes counted as what they stand for.
    pub(crate) fn bytes(&self, data: &[u8]) -> u64 {
        let mut rest = data;
        let mut total = 0;
        while let Some(at) = self.member.find(rest) {
            rest = &rest[at + self.member.needle().len()..];
            let value = rest.trim_ascii_start();
            let Some(value) = value.strip_prefix(b":").map(<[u8]>::trim_ascii_start) else {
                continue;
            };
            let (counted, length) = match value.first() {
                Some(b'"') => string(&value[1..]),
                Some(b'{') => object(&value[1..]),
                _ => (0, 0),
            };
            total += counted;
            rest = value.get(length..).unwrap_or_default();
        }
        total
    }
}

/// The content below an object whose brace has been taken off, and where the object ends.
fn object(data: &[u8]) -> (u64, usize) {
    let (mut depth, mut at, mut total) = (1_u32, 0, 0);
    let mut content = false;
    while let Some(found) = memchr3(b'"', b'{', b'}', &data[at..]) {
        let byte = data[at + found];
        at += found + 1;
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return (total, at);
                }
            }
            _ => {
                let (counted, length) = string(&data[at..]);
                let text = data.get(at..at + length.saturating_sub(1));
                at = (at + length).min(data.len());
                let after = data[at..].trim_ascii_start();
                if after.first() != Some(&b':') {
                    total += if content { counted } else { 0 };
                } else if text == Some(REPEATED) {
                    at += list(&data[at..]);
                } else {
                    content = text.is_some_and(|key| CONTENT.contains(&key));
                }
            }
        }
    }
    (total, data.len())
}

/// Where the list ends that is the value of a key.
fn list(data: &[u8]) -> usize {
    let (mut depth, mut at) = (0_u32, 0);
    while let Some(found) = memchr3(b'"', b'[', b']', &data[at..]) {
        let byte = data[at + found];
        at += found + 1;
        match byte {
            b'[' => depth += 1,
            b']' => depth = depth.saturating_sub(1),
            _ => at = (at + string(&data[at..]).1).min(data.len()),
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// The bytes that a string stands for, whose opening quote has been taken off, and where it ends, closing quote included.
fn string(data: &[u8]) -> (u64, usize) {
    let (mut at, mut saved) = (0, 0);
    while let Some(found) = memchr2(b'"', b'\\', &data[at..]) {
        at += found;
        if data[at] == b'"' {
            return ((at - saved) as u64, at + 1);
        }
        // `\uXXXX` is mostly a character of three bytes, every other escape is one.
        let (length, stands_for) = match data.get(at + 1) {
            Some(b'u') => (6, 3),
            _ => (2, 1),
        };
        saved += length - stands_for;
        at = (at + length).min(data.len());
    }
    (data.len().saturating_sub(saved) as u64, data.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert_eq, proptest};

    use super::*;

    fn delta(data: &str) -> u64 {
        Meter::new("\"delta\"").bytes(data.as_bytes())
    }

    #[test]
    fn content_counts_and_the_rest_does_not() {
        for (data, bytes) in [
            (
                r#"{"choices":[{"delta":{"role":"assistant","content":"four"}}]}"#,
                4,
            ),
            (
                r#"{"choices":[{"delta": {"content" : "a\n\u00e9"}, "logprobs":{"content":"no"}}]}"#,
                5,
            ),
            (
                r#"{"delta":{"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\""}}]}}"#,
                4,
            ),
            (
                r#"{"type":"content_block_delta","delta":{"type":"text_delta","text":"abc"}}"#,
                3,
            ),
            (
                r#"{"delta":{"type":"signature_delta","signature":"EqQB"}}"#,
                0,
            ),
            (
                r#"{"delta":{"type":"input_json_delta","partial_json":"{}"}}"#,
                2,
            ),
            (
                r#"{"delta":{"reasoning":"abc","reasoning_details":[{"type":"reasoning.text","text":"abc]"}],"content":"d"}}"#,
                4,
            ),
            (r#"{"type":"response.output_text.delta","delta":"abc"}"#, 3),
            (
                r#"{"choices":[{"delta":{"content":"a"}},{"delta":{"content":"b"}}]}"#,
                2,
            ),
            (r#"{"choices":[{"delta":null}]}"#, 0),
            (r#"{"delta":{"content":"cut"#, 3),
            (r#"{"usage":{"x":"y"}}"#, 0),
        ] {
            assert_eq!(delta(data), bytes, "{data}");
        }
    }

    proptest! {
        #[test]
        fn every_text_is_counted_as_long_as_it_is(text in "[a-zA-Z0-9 \"\\\\\n\t{}\\[\\]:,é漢]{0,40}") {
            let data = serde_json::json!({"choices": [{"index": 0, "delta": {"content": text}}]});
            prop_assert_eq!(delta(&data.to_string()), text.len() as u64);
        }

        #[test]
        fn arbitrary_bytes_do_not_panic(bytes in any::<Vec<u8>>(), json in r#"("delta":|[\[\]{}:"\\u,a]){0,30}"#) {
            let meter = Meter::new("\"delta\"");
            meter.bytes(&bytes);
            meter.bytes(json.as_bytes());
        }
    }
}
