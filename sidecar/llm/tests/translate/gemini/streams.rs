//! Streams, frame by frame.

use bytes::Bytes;
use fkm_llm::fold::fold;
use fkm_llm::ir::OutputPart;
use fkm_llm::{
    RelayOptions, StreamFault, StreamOptions, StreamTransform, decode_stream, format, translate,
};
use serde_json::Value;

use crate::{ANTHROPIC, GEMINI, OPENAI, dialect};

/// As it comes from AI Studio: usage on each piece, the signature on an empty text at the end.
const STREAM: &str = r#"data: {"candidates":[{"content":{"parts":[{"text":"hm","thought":true}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":3,"totalTokenCount":3},"modelVersion":"gemini-x","responseId":"r1"}

data: {"candidates":[{"content":{"parts":[{"text":"Hi"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":1,"totalTokenCount":6,"thoughtsTokenCount":2},"modelVersion":"gemini-x","responseId":"r1"}

data: {"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"a":1}},"thoughtSignature":"c2ln"},{"text":""}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2,"totalTokenCount":7,"thoughtsTokenCount":2},"modelVersion":"gemini-x","responseId":"r1"}

data: {"candidates":[{"content":{"parts":[{"text":"","thoughtSignature":"ZW5k"}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2,"totalTokenCount":7,"thoughtsTokenCount":2},"modelVersion":"gemini-x","responseId":"r1"}

"#;

fn push(mut transform: Box<dyn StreamTransform>, text: &str) -> (String, Result<(), StreamFault>) {
    let mut out = Vec::new();
    let chunk = Bytes::copy_from_slice(text.as_bytes());
    let end = transform
        .push(chunk, &mut out)
        .and_then(|()| transform.end(&mut out));
    (String::from_utf8(out.concat()).unwrap(), end)
}

/// The array that the same stream is without `alt=sse`.
fn as_array(stream: &str) -> String {
    let pieces: Vec<&str> = stream
        .split("\n\n")
        .filter_map(|frame| frame.strip_prefix("data: "))
        .collect();
    format!("[{}\n]\n", pieces.join("\n,\r\n"))
}

#[test]
fn to_an_openai_client() {
    let options = StreamOptions {
        include_usage: true,
        created: 7,
        ..StreamOptions::default()
    };
    let head = r#"data: {"id":"r1","object":"chat.completion.chunk","created":7,"model":"gemini-x","choices":["#;
    let chunk = |delta: &str| {
        format!(
            "{head}{{\"index\":0,\"delta\":{delta},\"logprobs\":null,\"finish_reason\":null}}],\"usage\":null}}\n\n"
        )
    };
    for text in [STREAM.to_owned(), as_array(STREAM)] {
        let (out, end) = push(translate(&dialect(GEMINI), OPENAI, &options), &text);
        assert_eq!(end, Ok(()));
        let call = chunk(
            r#"{"tool_calls":[{"index":0,"id":"call_r1_0","type":"function","function":{"name":"f","arguments":""},"extra_content":{"google":{"thought_signature":"fkm1.gemini.generate_content.YzJsbg"}}}]}"#,
        );
        assert!(out.contains(&chunk(r#"{"content":"Hi"}"#)), "{out}");
        assert!(out.contains(&call), "{out}");
        assert!(out.contains(r#""finish_reason":"tool_calls""#));
        assert!(
            out.contains(r#""usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7"#)
        );
        assert!(out.ends_with("data: [DONE]\n\n"));
        let answer = fold(decode_stream(OPENAI, out.as_bytes()).unwrap()).unwrap();
        let expected = fold(decode_stream(GEMINI, text.as_bytes()).unwrap()).unwrap();
        let calls = |parts: &[OutputPart]| -> Vec<OutputPart> {
            let call = |part: &&OutputPart| matches!(part, OutputPart::ToolCall(_));
            parts.iter().filter(call).cloned().collect()
        };
        assert_eq!(
            calls(&answer.choices[0].parts),
            calls(&expected.choices[0].parts)
        );
    }
}

#[test]
fn an_openai_stream_to_a_gemini_client() {
    let openai = r#"data: {"id":"c1","model":"gpt-x","choices":[{"index":0,"delta":{"role":"assistant","content":"Hi"},"finish_reason":null}]}

data: {"id":"c1","model":"gpt-x","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"f","arguments":"{\"a\":\n"}}]},"finish_reason":null}]}

data: {"id":"c1","model":"gpt-x","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]},"finish_reason":null}]}

data: {"id":"c1","model":"gpt-x","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}

data: {"id":"c1","model":"gpt-x","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}

data: [DONE]

"#;
    let (out, end) = push(
        translate(&dialect(OPENAI), GEMINI, &StreamOptions::default()),
        openai,
    );
    assert_eq!(end, Ok(()));
    let expected = [
        r#"data: {"candidates":[{"content":{"role":"model","parts":[{"text":"Hi"}]},"index":0}],"modelVersion":"gpt-x","responseId":"c1"}"#,
        r#"data: {"candidates":[{"content":{"role":"model","parts":[{"functionCall":{"id":"call_1","name":"f","args":{"a": 1}}}]},"index":0}],"modelVersion":"gpt-x","responseId":"c1"}"#,
        r#"data: {"candidates":[{"content":{"role":"model","parts":[{"text":""}]},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2,"totalTokenCount":5},"modelVersion":"gpt-x","responseId":"c1"}"#,
        "",
    ]
    .join("\n\n");
    assert_eq!(out, expected);
}

#[test]
fn an_array_is_passed_through_byte_for_byte() {
    let text = as_array(STREAM);
    for size in [1, 7, 100, text.len()] {
        let mut relay = format(GEMINI).relay(&RelayOptions::default());
        let mut out = Vec::new();
        for piece in text.as_bytes().chunks(size) {
            relay.push(Bytes::copy_from_slice(piece), &mut out).unwrap();
        }
        relay.end(&mut out).unwrap();
        assert_eq!(
            out.concat(),
            text.trim_end_matches('\n')
                .as_bytes()
                .to_vec()
                .into_iter()
                .chain(*b"\n")
                .collect::<Vec<u8>>()
        );
        assert_eq!(relay.progress().finish_reasons[0].name(), "tool_calls");
    }
    // Ended before its end mark: it is closed; before its finish reason: an error, and no end mark gets out.
    let open = text.trim_end().strip_suffix(']').unwrap();
    let (out, end) = push(format(GEMINI).relay(&RelayOptions::default()), open);
    assert_eq!(end, Ok(()));
    assert!(serde_json::from_str::<Value>(&out).is_ok(), "{out}");
    let cut = format!("{}]", &text[..text.find("\n,").unwrap()]);
    let (out, end) = push(format(GEMINI).relay(&RelayOptions::default()), &cut);
    assert_eq!(end, Err(StreamFault::Incomplete));
    assert!(!out.ends_with(']'));
}

#[test]
fn arguments_in_pieces_are_put_together() {
    let pieces = [
        r#"{"functionCall":{"name":"f","willContinue":true},"thoughtSignature":"c2ln"}"#,
        r#"{"functionCall":{"partialArgs":[{"jsonPath":"$.city","stringValue":"New ","willContinue":true}],"willContinue":true}}"#,
        r#"{"functionCall":{"partialArgs":[{"jsonPath":"$.city","stringValue":"Delhi"}],"willContinue":true}}"#,
        r#"{"functionCall":{}}"#,
        r#"{"functionCall":{"name":"g","args":{}}}"#,
    ];
    let begun = pieces.map(|piece| {
        format!("data: {{\"candidates\":[{{\"content\":{{\"parts\":[{piece}]}}}}]}}\n\n")
    });
    let mut stream = begun.concat();
    stream += "data: {\"candidates\":[{\"finishReason\":\"STOP\"}]}\n\n";
    let (out, end) = push(
        translate(&dialect(GEMINI), ANTHROPIC, &StreamOptions::default()),
        &stream,
    );
    assert_eq!(end, Ok(()));
    let answer = fold(decode_stream(ANTHROPIC, out.as_bytes()).unwrap()).unwrap();
    let calls: Vec<(&str, &str, bool)> = answer.choices[0]
        .parts
        .iter()
        .filter_map(|part| match part {
            OutputPart::ToolCall(call) => {
                Some((&*call.name, &*call.arguments, call.state.is_some()))
            }
            _ => None,
        })
        .collect();
    assert_eq!(
        calls,
        [("f", r#"{"city":"New Delhi"}"#, true), ("g", "{}", false)]
    );
}

#[test]
fn what_goes_wrong_inside_a_stream_is_an_error() {
    let begun = STREAM.split_inclusive("\n\n").next().unwrap();
    let error =
        r#"{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}"#;
    let failed =
        r#"{"candidates":[{"finishReason":"MALFORMED_FUNCTION_CALL","finishMessage":"x"}]}"#;
    for (bad, status) in [(error, 503), (failed, 502)] {
        let text = format!("{begun}data: {bad}\n\n");
        let transforms = [
            translate(&dialect(GEMINI), OPENAI, &StreamOptions::default()),
            format(GEMINI).relay(&RelayOptions::default()),
        ];
        for transform in transforms {
            let (_, end) = push(transform, &text);
            let Err(StreamFault::Provider(error)) = end else {
                unreachable!("{end:?}");
            };
            assert_eq!(error.status, status);
        }
    }
    let blocked =
        "data: {\"promptFeedback\":{\"blockReason\":\"SAFETY\"},\"modelVersion\":\"m\"}\n\n";
    let (out, end) = push(
        translate(&dialect(GEMINI), OPENAI, &StreamOptions::default()),
        blocked,
    );
    assert_eq!(end, Ok(()));
    assert!(out.contains(r#""finish_reason":"content_filter""#), "{out}");
    let (_, end) = push(format(GEMINI).relay(&RelayOptions::default()), blocked);
    assert_eq!(end, Ok(()));
}
