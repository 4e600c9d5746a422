//! What is accepted, what is refused, and what is found.

use std::collections::HashSet;
use std::fmt;

use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_assert_eq, proptest};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::*;

/// The keys of an object, as `serde_json` reads them.
struct Keys(Vec<String>);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeysVisitor;
        impl<'de> Visitor<'de> for KeysVisitor {
            type Value = Keys;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Keys, A::Error> {
                let mut keys = Vec::new();
                while let Some((key, IgnoredAny)) = map.next_entry()? {
                    keys.push(key);
                }
                Ok(Keys(keys))
            }
        }
        deserializer.deserialize_map(KeysVisitor)
    }
}

fn serde_accepts(body: &[u8]) -> bool {
    let Ok(Keys(keys)) = serde_json::from_slice(body) else {
        return false;
    };
    let distinct: HashSet<&String> = keys.iter().collect();
    distinct.len() == keys.len() && std::str::from_utf8(body).is_ok()
}

fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let pieces = vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"a\"",
        "\"b\"",
        "\"\\u0061\"",
        "\"\\ud800\"",
        "\"",
        "\\",
        "\\\"",
        "\\u12",
        " ",
        "\t",
        "\r\n",
        "0",
        "-",
        "1",
        ".5",
        "e+1",
        "E",
        "00",
        "1e999",
        "true",
        "false",
        "null",
        "nul",
        "\u{0}",
        "\u{1f}",
        "\u{7f}",
        "é",
        "😀",
        "\"\u{1}\"",
        "\"\u{1f}\"",
        "\"seventeen letters\u{1f}\"",
        "\"more than the words that are looked at first\u{1f}\"",
        "\"\u{20}\u{7f}\"",
        "{}",
        "[]",
        "{\"a\":{\"b\":[1,{}]}}",
    ];
    vec(proptest::sample::select(pieces), 0..24).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(20_000))]

    #[test]
    fn accepts_what_serde_json_accepts(inside in pieces(), wrapped in any::<bool>()) {
        let body = if wrapped { [b"{\"k\":", &inside[..], b"}"].concat() } else { inside };
        let scanned = scan(&body);
        prop_assert_eq!(scanned.is_ok(), serde_accepts(&body), "{:?} {:?}", scanned, String::from_utf8_lossy(&body));
    }

    #[test]
    fn any_bytes_are_judged_alike(body in vec(any::<u8>(), 0..32)) {
        prop_assert_eq!(scan(&body).is_ok(), serde_accepts(&body));
    }
}

fn found(body: &str) -> RequestScan {
    scan(body.as_bytes()).unwrap()
}

fn refused(body: &str) -> String {
    scan(body.as_bytes()).unwrap_err().to_string()
}

#[test]
fn finds_top_level_members_only() {
    let body = r#" { "messages" : [{"model":"no","content":"\"model\":\"no\" {"}], "\u006dodel" : "gpt\u002d5",
        "stream":true, "stream_options":{"x":1,"include_usage":true}, "max_tokens":5, "n": 2, "other":{"n":9} } "#;
    let scan = found(body);
    let model = scan.model.unwrap();
    assert_eq!(model.name, "gpt-5");
    assert_eq!(&body[model.span], r#""gpt\u002d5""#);
    assert!(scan.stream);
    let options = scan.stream_options.unwrap();
    assert!(options.include_usage);
    assert_eq!(&body[options.span], r#"{"x":1,"include_usage":true}"#);
    assert_eq!(&body[options.include_usage_span.unwrap()], "true");
    assert_eq!(&body[scan.max_tokens_key.unwrap()], "\"max_tokens\"");
    assert_eq!(scan.max_completion_tokens_key, None);
    assert_eq!(scan.n, Some(2));
    assert_eq!(&body[..scan.start], " {");
}

#[test]
fn null_is_as_good_as_absent() {
    let scan = found(r#"{"stream":null,"stream_options":null,"n":null}"#);
    assert!(!scan.stream && scan.n.is_none());
    let options = scan.stream_options.unwrap();
    assert_eq!((options.include_usage, options.object), (false, None));
    assert_eq!(
        found("{}"),
        RequestScan {
            start: 1,
            ..RequestScan::default()
        }
    );
}

#[test]
fn says_what_is_wrong_and_where() {
    for (body, message) in [
        ("", "the body is not valid JSON: expected a value at byte 0"),
        ("[1]", "the body must be a JSON object, not an array"),
        ("\"x\"", "the body must be a JSON object, not a string"),
        (
            "[1",
            "the body is not valid JSON: expected `,` or `]` at byte 2",
        ),
        (
            "{}x",
            "the body must end after its JSON object; more follows at byte 2",
        ),
        (
            "{\"a\":1,}",
            "the body is not valid JSON: expected a key in double quotes at byte 7",
        ),
        (
            "{\"a\" 1}",
            "the body is not valid JSON: expected `:` at byte 5",
        ),
        (
            "{\"a\":01}",
            "the body is not valid JSON: expected `,` or `}` at byte 6",
        ),
        (
            "{\"a\":\"\u{1}\"}",
            "the body is not valid JSON: expected no control character in a string at byte 6",
        ),
        ("{\"model\":1}", "`model` must be a string"),
        ("{\"stream\":1}", "`stream` must be true or false"),
        (
            "{\"stream_options\":[]}",
            "`stream_options` must be an object",
        ),
        (
            "{\"stream_options\":{\"include_usage\":1}}",
            "`stream_options.include_usage` must be true or false",
        ),
        ("{\"n\":1.5}", "`n` must be a whole number from 1 to 128"),
        ("{\"n\":0}", "`n` must be a whole number from 1 to 128"),
        (
            "{\"model\":\"a\",\"\\u006dodel\":\"b\"}",
            "`model` appears twice, the second time at byte 13; send it once",
        ),
        (
            "{\"stream_options\":{\"include_usage\":true,\"include_usage\":false}}",
            "`stream_options.include_usage` appears twice, the second time at byte 40; send it once",
        ),
    ] {
        assert_eq!(refused(body), message, "{body}");
    }
    let bytes = scan(b"{\"a\":\"\xff\"}").unwrap_err();
    assert_eq!(bytes, ScanError::NotUtf8 { at: 6 });
}

#[test]
fn depth_is_limited_for_arrays_and_objects_alike() {
    let nested = |levels: usize, open: &str, close: &str| {
        format!("{{\"x\":{}1{}}}", open.repeat(levels), close.repeat(levels))
    };
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        // The object around it is the first level.
        assert!(scan(nested(MAX_DEPTH - 1, open, close).as_bytes()).is_ok());
        let error = scan(nested(MAX_DEPTH, open, close).as_bytes()).unwrap_err();
        assert!(matches!(error, ScanError::TooDeep { .. }), "{error}");
    }
    let options = format!(
        "{{\"stream_options\":{{\"x\":{}{}}}}}",
        "[".repeat(127),
        "]".repeat(127)
    );
    assert!(matches!(
        scan(options.as_bytes()),
        Err(ScanError::TooDeep { .. })
    ));
}

#[test]
fn the_number_of_members_is_limited() {
    let members = |count: usize| {
        let members: Vec<String> = (0..count).map(|n| format!("\"k{n}\":{n}")).collect();
        format!("{{{}}}", members.join(","))
    };
    assert!(scan(members(MAX_MEMBERS).as_bytes()).is_ok());
    assert_eq!(
        scan(members(MAX_MEMBERS + 1).as_bytes()),
        Err(ScanError::TooManyMembers)
    );
}

#[test]
fn a_control_character_is_found_wherever_it_is() {
    const LENGTH: usize = 80;
    for at in 0..LENGTH {
        for byte in 0..=0x7f_u8 {
            let mut text = [b'x'; LENGTH];
            text[at] = byte;
            let body = [b"{\"k\":\"", &text[..], b"\"}"].concat();
            let expected = match byte {
                b'"' | b'\\' => continue,
                0..0x20 => Err(ScanError::Syntax {
                    at: at + 6,
                    expected: "expected no control character in a string",
                }),
                _ => Ok(()),
            };
            assert_eq!(scan(&body).map(|_| ()), expected, "{byte:#x} at {at}");
        }
    }
}
