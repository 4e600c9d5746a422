//! Values of the representation: most of them such that the format `home` can express them, some not.

mod request;
mod response;

use fkm_llm::Format;
use fkm_llm::ir::{
    Extra, Image, ImageSource, InputPart, Opaque, OutputPart, RawJson, Reasoning, Text, ToolCall,
};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};

pub(crate) use request::request;
pub(crate) use response::response;

const OPENAI: Format = Format::OpenAiChat;

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
    proptest::sample::select(vec!["{}", "{\"type\":\"object\"}", "{ \"a\" : [ 1e999 ] }"])
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

fn citations(home: Format) -> BoxedStrategy<Vec<Opaque>> {
    prop_oneof![
        4 => Just(vec![]),
        1 => vec(json_part(home), 1..3),
    ]
    .boxed()
}

fn plain_text() -> BoxedStrategy<Text> {
    text().prop_map(Text::plain).boxed()
}

fn rich_text(home: Format, cited: bool) -> BoxedStrategy<Text> {
    let citations = if cited {
        citations(home)
    } else {
        Just(vec![]).boxed()
    };
    (text(), citations, extra(home))
        .prop_map(|(text, citations, extra)| Text {
            text,
            citations,
            extra,
        })
        .boxed()
}

fn image(home: Format) -> BoxedStrategy<Image> {
    let source = prop_oneof![
        "https://[a-z]{1,8}/[a-z]{0,4}".prop_map(ImageSource::Url),
        ("image/(png|jpeg|svg\\+xml)", "[A-Za-z0-9+/=]{0,16}")
            .prop_map(|(media_type, data)| ImageSource::Base64 { media_type, data }),
        Just(ImageSource::Url("data:image/png;base64,AAAA".to_owned())),
    ];
    let detail = if home == OPENAI {
        of(word()).boxed()
    } else {
        Just(None).boxed()
    };
    (source, detail, extra(home))
        .prop_map(|(source, detail, extra)| Image {
            source,
            detail,
            extra,
        })
        .boxed()
}

fn input(home: Format) -> BoxedStrategy<InputPart> {
    prop_oneof![
        4 => plain_text().prop_map(InputPart::Text),
        1 => rich_text(home, home != OPENAI).prop_map(InputPart::Text),
        1 => image(home).prop_map(InputPart::Image),
        1 => json_part(home).prop_map(InputPart::Opaque),
    ]
    .boxed()
}

/// State as this format has it: OpenAI's is an entry, Anthropic's is text.
fn own_state(home: Format, readable: bool) -> BoxedStrategy<Opaque> {
    if home != OPENAI {
        return prop_oneof![word(), text()]
            .prop_map(move |text| Opaque::new(home, text))
            .boxed();
    }
    let kind = if readable {
        "reasoning.text"
    } else {
        "reasoning.encrypted"
    };
    word()
        .prop_map(move |id| Opaque::new(home, format!(r#"{{"id":"{id}","type":"{kind}"}}"#)))
        .boxed()
}

fn state(home: Format, readable: bool) -> BoxedStrategy<Opaque> {
    prop_oneof![
        6 => own_state(home, readable),
        1 => (origin(home), any::<Vec<u8>>())
            .prop_map(|(origin, bytes)| Opaque { origin, bytes }),
        1 => any::<Vec<u8>>().prop_map(move |bytes| {
            let away = Format::ALL.into_iter().find(|other| *other != home).unwrap();
            Opaque { origin: away, bytes }
        }),
    ]
    .boxed()
}

fn reasoning(home: Format) -> BoxedStrategy<Reasoning> {
    let extra = if home == OPENAI {
        Just(Extra::default()).boxed()
    } else {
        extra(home)
    };
    let parts = prop_oneof![
        (text().prop_map(Some), of(state(home, true))),
        (Just(Some(String::new())), state(home, true).prop_map(Some)),
        (Just(None), state(home, false).prop_map(Some)),
    ];
    (parts, extra)
        .prop_map(|((text, state), extra)| Reasoning { text, state, extra })
        .boxed()
}

fn tool_call(home: Format) -> BoxedStrategy<ToolCall> {
    let arguments = prop_oneof![
        object().prop_map(|raw| raw.get().to_owned()),
        Just(String::new()),
        Just(" { \"a\" : \"\\u0041\" }\n".to_owned()),
        Just("not json".to_owned()),
    ];
    (id(), word(), arguments, extra(home))
        .prop_map(|(id, name, arguments, extra)| ToolCall {
            id,
            name,
            arguments,
            extra,
        })
        .boxed()
}

fn output(home: Format, in_request: bool) -> BoxedStrategy<OutputPart> {
    let cited = !(home == OPENAI && in_request);
    let plain = prop_oneof![
        3 => plain_text().prop_map(OutputPart::Text),
        1 => reasoning(home).prop_map(OutputPart::Reasoning),
        1 => tool_call(home).prop_map(OutputPart::ToolCall),
    ];
    prop_oneof![
        6 => plain,
        1 => rich_text(home, cited).prop_map(OutputPart::Text),
        1 => text().prop_map(OutputPart::Refusal),
        1 => json_part(home).prop_map(OutputPart::Opaque),
    ]
    .boxed()
}

/// Half of the time in the order in which one message can say them.
fn outputs(home: Format, in_request: bool) -> BoxedStrategy<Vec<OutputPart>> {
    (vec(output(home, in_request), 0..4), any::<bool>())
        .prop_map(|(mut parts, sorted)| {
            if sorted {
                parts.sort_by_key(|part| match part {
                    OutputPart::Reasoning(_) => 0,
                    OutputPart::Text(_) | OutputPart::Opaque(_) => 1,
                    OutputPart::Refusal(_) => 2,
                    OutputPart::ToolCall(_) => 3,
                });
            }
            parts
        })
        .boxed()
}
