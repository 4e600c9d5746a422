//! The edited body is the received one but for the edited spans, and is not copied.

use std::sync::LazyLock;

use fkm_dialect::{Auth, Format};
use proptest::collection::vec;
use proptest::prelude::{
    BoxedStrategy, Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest,
};

use super::*;
use crate::scan::scan;

fn edited(body: &str, edits: &Edits<'_>) -> String {
    let bytes = Bytes::copy_from_slice(body.as_bytes());
    let edited = edit(&bytes, &scan(body.as_bytes()).unwrap(), edits);
    String::from_utf8(edited.segments.concat()).unwrap()
}

fn dialect(max_tokens_field: MaxTokensField) -> Dialect {
    Dialect {
        max_tokens_field,
        ..Dialect::new(Format::OpenAiChat, "/", Auth::Bearer)
    }
}

static OLD_NAME: LazyLock<Dialect> = LazyLock::new(|| dialect(MaxTokensField::MaxTokens));

fn all() -> Edits<'static> {
    Edits {
        model: Some("new\"model"),
        include_usage: true,
        dialect: &OLD_NAME,
    }
}

#[test]
fn each_edit_changes_its_span_only() {
    for (body, expected) in [
        (
            r#"{ "model" : "old" ,"max_completion_tokens":7}"#,
            r#"{"stream_options":{"include_usage":true}, "model" : "new\"model" ,"max_tokens":7}"#,
        ),
        (
            "{}",
            r#"{"model":"new\"model","stream_options":{"include_usage":true}}"#,
        ),
        (
            r#"{"stream_options":null}"#,
            r#"{"model":"new\"model","stream_options":{"include_usage":true}}"#,
        ),
        (
            r#"{"stream_options": {} }"#,
            r#"{"model":"new\"model","stream_options": {"include_usage":true} }"#,
        ),
        (
            r#"{"stream_options":{ "x":1}}"#,
            r#"{"model":"new\"model","stream_options":{"include_usage":true, "x":1}}"#,
        ),
        (
            r#"{"stream_options":{"include_usage": false}}"#,
            r#"{"model":"new\"model","stream_options":{"include_usage": true}}"#,
        ),
        (
            r#"{"stream_options":{"include_usage":true}}"#,
            r#"{"model":"new\"model","stream_options":{"include_usage":true}}"#,
        ),
        (
            r#"{"stream_options":{"include_usage":true},"max_tokens":1,"max_completion_tokens":2}"#,
            r#"{"model":"new\"model","stream_options":{"include_usage":true},"max_tokens":1,"max_completion_tokens":2}"#,
        ),
    ] {
        assert_eq!(edited(body, &all()), expected, "{body}");
    }
}

#[test]
fn nothing_to_change_is_the_body_itself() {
    let body = Bytes::from_static(br#"{"model":"same","max_tokens":1}"#);
    let edits = Edits {
        model: Some("same"),
        include_usage: false,
        dialect: &dialect(MaxTokensField::AsSent),
    };
    let edited = edit(&body, &scan(&body).unwrap(), &edits);
    assert_eq!(edited.segments, [body]);
}

/// A member as it is written, and as it must be written after all edits.
#[derive(Clone, Debug)]
struct Member {
    received: String,
    expected: String,
}

fn space() -> BoxedStrategy<String> {
    "[ \t\r\n]{0,3}".boxed()
}

fn value() -> BoxedStrategy<String> {
    let values = vec![
        "1",
        "-0.0e-10",
        "123456789012345678901234567890",
        "1e999",
        "\"\\u006dodel\"",
        "\"{\\\"model\\\":\\\"x\\\"}\"",
        "\"}],{[\"",
        "{\"model\":\"inner\",\"max_completion_tokens\":[]}",
        "[ {\"stream_options\": {\"include_usage\":false}} , [] ]",
        "\"😀 é \\\\\"",
        "null",
    ];
    proptest::sample::select(values)
        .prop_map(str::to_owned)
        .boxed()
}

/// A key with some of its characters escaped.
fn spelled(key: &'static str) -> BoxedStrategy<String> {
    vec(any::<bool>(), key.len())
        .prop_map(move |escaped| {
            key.chars()
                .zip(escaped)
                .map(|(c, escaped)| match escaped {
                    true => format!("\\u{:04x}", u32::from(c)),
                    false => c.to_string(),
                })
                .collect()
        })
        .boxed()
}

fn member(
    key: BoxedStrategy<String>,
    values: BoxedStrategy<(String, String)>,
    renamed: Option<&'static str>,
) -> BoxedStrategy<Member> {
    (key, values, [space(), space(), space(), space()])
        .prop_map(move |(key, (received, expected), [a, b, c, d])| {
            let write = |key: &str, value: &str| format!("{a}\"{key}\"{b}:{c}{value}{d}");
            Member {
                received: write(&key, &received),
                expected: write(renamed.unwrap_or(&key), &expected),
            }
        })
        .boxed()
}

fn same(values: BoxedStrategy<String>) -> BoxedStrategy<(String, String)> {
    values.prop_map(|value| (value.clone(), value)).boxed()
}

/// The members that are edited, each there or not, among others.
fn members() -> BoxedStrategy<(Vec<Member>, bool)> {
    let model =
        "[a-z]{1,3}".prop_map(|name| (format!("\"{name}\""), "\"new\\\"model\"".to_owned()));
    let options = prop_oneof![
        Just(("null", "{\"include_usage\":true}")),
        Just(("{ }", "{\"include_usage\":true}")),
        Just(("{\"include_usage\" : true}", "{\"include_usage\" : true}")),
        Just(("{\"include_usage\" : null}", "{\"include_usage\" : true}")),
        Just((
            "{ \"a\": {\"include_usage\":1}}",
            "{\"include_usage\":true, \"a\": {\"include_usage\":1}}"
        )),
    ]
    .prop_map(|(received, expected)| (received.to_owned(), expected.to_owned()));
    let limit = Some("max_tokens");
    let edited = (
        proptest::option::of(member(spelled("model"), model.boxed(), None)),
        proptest::option::of(member(spelled("stream_options"), options.boxed(), None)),
        proptest::option::of(member(
            spelled("max_completion_tokens"),
            same(value()),
            limit,
        )),
    );
    let key = "x[a-z]{0,2}".prop_map(|key: String| key);
    let others = vec(member(key.boxed(), same(value()), None), 0..4);
    (edited, others, any::<u64>())
        .prop_map(|((model, options, limit), others, order)| {
            let has_options = options.is_some();
            let numbered = others.into_iter().enumerate().map(|(index, mut member)| {
                // Keys must differ.
                let key = format!("\"{index}x");
                member.received = member.received.replacen("\"x", &key, 1);
                member.expected = member.expected.replacen("\"x", &key, 1);
                member
            });
            let mut members: Vec<Member> = model
                .into_iter()
                .chain(options)
                .chain(limit)
                .chain(numbered)
                .collect();
            let steps = members.len().max(1);
            let by = usize::try_from(order % 7).unwrap_or_default() % steps;
            members.rotate_left(by);
            (members, has_options)
        })
        .boxed()
}

proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(2_000))]

    #[test]
    fn forwarded_bytes_equal_received_bytes_but_for_the_edited_spans((members, has_options) in members()) {
        let join = |pick: fn(&Member) -> &str| {
            members.iter().map(pick).collect::<Vec<_>>().join(",")
        };
        let received = format!("{{{}}}", join(|member| &member.received));
        let body = Bytes::from(received);
        let found = scan(&body).unwrap();
        let mut expected = Vec::new();
        if found.model.is_none() {
            expected.push(r#""model":"new\"model""#.to_owned());
        }
        if !has_options {
            expected.push(r#""stream_options":{"include_usage":true}"#.to_owned());
        }
        if !members.is_empty() {
            expected.push(join(|member| &member.expected));
        }
        let expected = format!("{{{}}}", expected.join(","));

        let segments = edit(&body, &found, &all()).segments;
        prop_assert_eq!(String::from_utf8(segments.concat()).unwrap(), expected);

        let inside = body.as_ptr_range();
        let slices: usize = segments
            .iter()
            .filter(|segment| inside.contains(&segment.as_ptr()))
            .map(Bytes::len)
            .sum();
        let patched = segments.iter().map(Bytes::len).sum::<usize>() - slices;
        prop_assert!(patched <= 128, "{} bytes were copied", patched);
    }

    /// Which members are dropped, and in what company, changes nothing of those that stay.
    #[test]
    fn dropped_members_are_gone_and_the_others_as_they_were(
        kinds in vec((0..3_u8, value(), [space(), space(), space(), space()]), 0..6),
        include_usage in any::<bool>(),
        in_path in any::<bool>(),
    ) {
        let mut peculiar = dialect(MaxTokensField::AsSent);
        let (mut received, mut expected) = (Vec::new(), Vec::new());
        if in_path {
            peculiar.path = "/{model}".to_owned();
        } else {
            expected.push(("model".to_owned(), "\"new\"".to_owned()));
        }
        if include_usage {
            expected.push(("stream_options".to_owned(), "{\"include_usage\":true}".to_owned()));
        }
        let mut dropped = Vec::new();
        for (index, (kind, value, [a, b, c, d])) in kinds.into_iter().enumerate() {
            let name = format!("m{index}");
            received.push(format!("{a}\"{name}\"{b}:{c}{value}{d}"));
            match kind {
                0 => {
                    peculiar.drop.insert(name.clone());
                    dropped.push(name);
                }
                1 => {
                    peculiar.rename.insert(name.clone(), format!("new{index}"));
                    expected.push((format!("new{index}"), value));
                }
                _ => expected.push((name, value)),
            }
        }
        let body = Bytes::from(format!("{{{}}}", received.join(",")));
        let edits = Edits { model: Some("new"), include_usage, dialect: &peculiar };
        let edited = edit(&body, &scan(&body).unwrap(), &edits);
        prop_assert_eq!(edited.dropped, dropped);
        let bytes = edited.segments.concat();
        let text = std::str::from_utf8(&bytes).unwrap();
        let left = scan(&bytes).unwrap().members;
        let left: Vec<(String, String)> = left
            .iter()
            .map(|one| (one.name(text).into_owned(), one.text(text).to_owned()))
            .collect();
        prop_assert_eq!(left, expected);
    }
}
