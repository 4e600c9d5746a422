//! What is made of each provider's answers.

use bytes::Bytes;
use fkm_llm::fold::fold;
use fkm_llm::ir::{OutputPart, Response, Usage};
use fkm_llm::{Format, RelayOptions, StreamOptions, format, translate};
use http::{HeaderMap, HeaderName};

use crate::case::{Says, cases_of};
use crate::frames::frames;

fn says(response: &Response) -> Says {
    let choice = &response.choices[0];
    let mut says = Says {
        finish: choice.finish_reason.name().to_owned(),
        usage: response.usage.map(counts),
        ..Says::default()
    };
    for part in &choice.parts {
        match part {
            OutputPart::Text(text) => says.text.push_str(&text.text),
            OutputPart::Reasoning(thought) => {
                says.thoughts
                    .push_str(thought.text.as_deref().unwrap_or_default());
            }
            OutputPart::ToolCall(call) => {
                says.calls.push((call.name.clone(), call.arguments.clone()));
            }
            OutputPart::Refusal(_) | OutputPart::Image(_) | OutputPart::Opaque(_) => {}
        }
    }
    says
}

fn counts(usage: Usage) -> [u64; 4] {
    [
        usage.input_tokens,
        usage.cached_input_tokens,
        usage.output_tokens,
        usage.reasoning_tokens,
    ]
}

#[test]
fn whole_answers() {
    for (name, case, dialect) in cases_of(|_| true) {
        let answers = case.answers.unwrap();
        let body = answers.whole.to_string();
        let home = format(dialect.format);
        let response = home.decode_response(body.as_bytes()).unwrap();
        assert_eq!(says(&response), answers.says, "{name}");
        let facts = home.response_facts(body.as_bytes()).unwrap();
        assert_eq!(facts.usage.map(counts), answers.says.usage, "{name}");
    }
}

/// A client that does not speak the provider's format.
fn stranger(home: Format) -> Format {
    if home == Format::AnthropicMessages {
        Format::OpenAiChat
    } else {
        Format::AnthropicMessages
    }
}

#[test]
fn streams_translated_and_passed_through() {
    for (name, case, dialect) in cases_of(|_| true) {
        let answers = case.answers.unwrap();
        let options = StreamOptions {
            include_usage: true,
            ..StreamOptions::default()
        };
        let relay_options = RelayOptions {
            end: dialect.stream_end,
            ..RelayOptions::default()
        };
        let home = format(dialect.format);
        let mut decoder = home.stream_decoder(&dialect);
        let mut translation = translate(&dialect, stranger(dialect.format), &options);
        let mut relay = home.relay(&relay_options);
        let (mut events, mut out) = (Vec::new(), Vec::new());
        for piece in frames(dialect.format, &answers).chunks(7) {
            decoder.push(piece, &mut events).unwrap();
            for transform in [&mut translation, &mut relay] {
                transform
                    .push(Bytes::copy_from_slice(piece), &mut out)
                    .unwrap();
            }
        }
        decoder.end(&mut events).unwrap();
        assert_eq!(says(&fold(events).unwrap()), answers.says, "{name}");
        for transform in [&mut translation, &mut relay] {
            transform.end(&mut out).unwrap();
            let usage = transform.progress().usage.map(counts);
            assert_eq!(usage, answers.says.usage, "{name}");
        }
    }
}

#[test]
fn errors() {
    for (name, case, dialect) in cases_of(|_| true) {
        let expected = case.answers.unwrap().error;
        let body = expected.body.to_string();
        let mut headers = HeaderMap::new();
        for (name, value) in &expected.headers {
            let header: HeaderName = name.parse().unwrap();
            headers.insert(header, value.parse().unwrap());
        }
        let error = format(dialect.format).decode_error(expected.status, &headers, body.as_bytes());
        let class = error.class.map(|class| class.name().to_owned());
        assert_eq!(
            (class, error.message),
            (expected.class, expected.message),
            "{name}"
        );
    }
}
