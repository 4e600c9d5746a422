//! Values of the representation: most of them such that the format `home` can express them, some not.

mod home;
mod media;
mod request;
mod response;
mod thoughts;

use fkm_llm::Format;
use fkm_llm::ir::{
    CacheMark, CacheTtl, Citation, Extra, InputPart, Opaque, OutputPart, RawJson, Text, ToolCall,
};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};

pub(crate) use home::{Home, State, home};
use media::{audio, file, image};
pub(crate) use request::request;
pub(crate) use response::response;
use thoughts::{own_state, reasoning};

/// Text with everything that JSON and SSE could trip over.
fn text() -> BoxedStrategy<String> {
    prop_oneof![
        3 => "[a-z ]{0,12}",
        2 => ".{0,8}",
        1 => any::<String>(),
        1 => Just("data: [DONE]\n\n\"usage\":{}\r\n\\\"finish_reason\": \"stop\"".to_owned()),
        1 => Just("\u{2028}\u{0}\u{feff}😀\"error\":{\"x\":1}".to_owned()),
    ]
    .boxed()
}

fn word() -> BoxedStrategy<String> {
    "[a-zA-Z0-9_-]{1,12}".boxed()
}

/// The name of a tool, as every format takes it.
fn tool_name() -> BoxedStrategy<String> {
    "[a-zA-Z][a-zA-Z0-9_-]{0,11}".boxed()
}

fn id() -> BoxedStrategy<String> {
    prop_oneof![4 => word(), 1 => text(), 1 => Just("fkm1_abc".to_owned())].boxed()
}

fn raw() -> BoxedStrategy<RawJson> {
    let texts = [
        "1",
        "123456789012345678901234567890",
        "1e999",
        "-0.10",
        "true",
        "\"x\\u0041\"",
        "[1, {\"b\" : []}]",
        "{\"z\":1,\"a\": {\"type\":\"text\"}}",
    ];
    proptest::sample::select(texts.to_vec())
        .prop_map(|text| RawJson::try_new(text).unwrap())
        .boxed()
}

fn object() -> BoxedStrategy<RawJson> {
    proptest::sample::select(vec![
        "{}",
        "{\"type\":\"object\"}",
        "{ \"a\" : [ 1e999 ] }",
        "{\"type\" : \"object\",\"additionalProperties\":false}",
    ])
    .prop_map(|text| RawJson::try_new(text).unwrap())
    .boxed()
}

/// Mostly `home`.
fn origin(home: Format) -> BoxedStrategy<Format> {
    prop_oneof![30 => Just(home), 1 => proptest::sample::select(Format::ALL.to_vec())].boxed()
}

fn extra(home: Format) -> BoxedStrategy<Extra> {
    let members = vec(("x_[a-z]{1,4}", origin(home), raw()), 0..2);
    prop_oneof![
        3 => Just(Extra::default()),
        1 => members.prop_map(|members| {
            let mut extra = Extra::default();
            for (name, origin, value) in members {
                extra.insert(origin, name, value);
            }
            extra
        }),
    ]
    .boxed()
}

fn json_part(home: Format) -> BoxedStrategy<Opaque> {
    let texts = vec![
        r#"{"type":"web_search_tool_result","content":[{"x":1e999}]}"#,
        r#"{ "type" : "input_audio", "input_audio": {"data":"AA"} }"#,
    ];
    (origin(home), proptest::sample::select(texts))
        .prop_map(|(origin, text)| Opaque::new(origin, text))
        .boxed()
}

/// A source as home reads it: one without an address, or one of another format with an address.
fn citation(home: Format) -> BoxedStrategy<Citation> {
    let own = json_part(home).prop_map(|raw| Citation {
        url: None,
        title: None,
        raw,
    });
    let foreign = word().prop_map(move |word| Citation {
        url: Some(format!("https://{word}")),
        title: Some(word),
        raw: Opaque::new(away(home), "{}"),
    });
    prop_oneof![4 => own, 1 => foreign].boxed()
}

/// Another format than `home`.
fn away(home: Format) -> Format {
    Format::ALL
        .into_iter()
        .find(|other| *other != home)
        .unwrap()
}

fn citations(home: Format) -> BoxedStrategy<Vec<Citation>> {
    prop_oneof![
        4 => Just(vec![]),
        1 => vec(citation(home), 1..3),
    ]
    .boxed()
}

fn plain_text() -> BoxedStrategy<Text> {
    text().prop_map(Text::plain).boxed()
}

/// A mark of the prompt cache, where `home` has them.
fn cache(home: &Home) -> BoxedStrategy<Option<CacheMark>> {
    let ttl = if home.cache_everywhere {
        let times = vec![CacheTtl::FiveMinutes, CacheTtl::OneHour];
        of(proptest::sample::select(times)).boxed()
    } else {
        Just(None).boxed()
    };
    if home.cache {
        of(ttl.prop_map(|ttl| CacheMark { ttl })).boxed()
    } else {
        Just(None).boxed()
    }
}

/// The same for what not every format with marks can mark.
fn cache_of_call(home: &Home) -> BoxedStrategy<Option<CacheMark>> {
    if home.cache_everywhere {
        cache(home)
    } else {
        Just(None).boxed()
    }
}

fn rich_text(home: &Home, cited: bool, in_request: bool) -> BoxedStrategy<Text> {
    let citations = if cited {
        citations(home.format)
    } else {
        Just(vec![]).boxed()
    };
    let cache = if in_request {
        cache(home)
    } else {
        Just(None).boxed()
    };
    (text(), citations, cache, extra(home.format))
        .prop_map(|(text, citations, cache, extra)| Text {
            text,
            citations,
            cache,
            extra,
        })
        .boxed()
}

/// Rarely what `home` cannot say.
fn input(home: &Home) -> BoxedStrategy<InputPart> {
    let weight = |can: bool| if can { 10 } else { 1 };
    prop_oneof![
        40 => plain_text().prop_map(InputPart::Text),
        10 => rich_text(home, home.cited_requests, true).prop_map(InputPart::Text),
        10 => image(home).prop_map(InputPart::Image),
        weight(home.audio) => audio(home).prop_map(InputPart::Audio),
        weight(home.files) => file(home).prop_map(InputPart::File),
        10 => json_part(home.format).prop_map(InputPart::Opaque),
    ]
    .boxed()
}

fn tool_call(home: &Home, in_request: bool) -> BoxedStrategy<ToolCall> {
    let arguments = prop_oneof![
        object().prop_map(|raw| raw.get().to_owned()),
        Just(String::new()),
        Just(" { \"a\" : \"\\u0041\" }\n".to_owned()),
        Just("not json".to_owned()),
    ];
    let cache = if in_request {
        cache_of_call(home)
    } else {
        Just(None).boxed()
    };
    let state = if home.call_state {
        of(own_state(home, false)).boxed()
    } else {
        Just(None).boxed()
    };
    (
        id(),
        tool_name(),
        arguments,
        state,
        cache,
        extra(home.format),
    )
        .prop_map(|(id, name, arguments, state, cache, extra)| ToolCall {
            id,
            name,
            arguments,
            state,
            cache,
            extra,
        })
        .boxed()
}

fn output(home: &Home, in_request: bool) -> BoxedStrategy<OutputPart> {
    let cited = home.cited_requests || !in_request;
    let plain = prop_oneof![
        3 => plain_text().prop_map(OutputPart::Text),
        1 => reasoning(home, in_request).prop_map(OutputPart::Reasoning),
        1 => tool_call(home, in_request).prop_map(OutputPart::ToolCall),
    ];
    prop_oneof![
        6 => plain,
        1 => rich_text(home, cited, in_request).prop_map(OutputPart::Text),
        1 => text().prop_map(OutputPart::Refusal),
        1 => image(home).prop_map(OutputPart::Image),
        1 => json_part(home.format).prop_map(OutputPart::Opaque),
    ]
    .boxed()
}

/// Half of the time in the order in which one message can say them.
fn outputs(home: &Home, in_request: bool) -> BoxedStrategy<Vec<OutputPart>> {
    if home.text_only {
        let text = plain_text().prop_map(OutputPart::Text);
        let texts = vec(text, 0..2).boxed();
        return prop_oneof![9 => texts, 1 => vec(output(home, in_request), 0..4)].boxed();
    }
    (vec(output(home, in_request), 0..4), any::<bool>())
        .prop_map(|(mut parts, sorted)| {
            if sorted {
                parts.sort_by_key(|part| match part {
                    OutputPart::Reasoning(_) => 0,
                    OutputPart::Text(_) | OutputPart::Opaque(_) => 1,
                    OutputPart::Refusal(_) => 2,
                    OutputPart::Image(_) => 3,
                    OutputPart::ToolCall(_) => 4,
                });
            }
            parts
        })
        .boxed()
}
