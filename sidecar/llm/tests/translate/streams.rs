//! Streams, frame by frame.

use bytes::Bytes;
use fkm_llm::ir::{BlockStart, Citation, Delta, Event, Extra, FinishReason, Opaque};
use fkm_llm::{Format, StreamEnd, StreamFault, StreamOptions, format, translate};

use crate::{ANTHROPIC, OPENAI, dialect};

fn stream(from: Format, to: Format, options: &StreamOptions, text: &str) -> String {
    let mut transform = translate(&dialect(from), to, options);
    let mut out = Vec::new();
    transform
        .push(Bytes::copy_from_slice(text.as_bytes()), &mut out)
        .unwrap();
    transform.end(&mut out).unwrap();
    String::from_utf8(out.concat()).unwrap()
}

#[test]
fn anthropic_to_an_openai_client() {
    let anthropic = r#"event: message_start
data: {"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":5,"cache_read_input_tokens":2,"output_tokens":1}}}

event: ping
data: {"type":"ping"}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Hi \"you\""}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"server_tool_use","id":"srv_1","name":"web_search","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"query\":\"x\"}"}}

event: content_block_stop
data: {"type":"content_block_stop","index":1}

event: content_block_start
data: {"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"toolu_1","name":"f","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{\"a\""}}

event: content_block_delta
data: {"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":": 1}"}}

event: content_block_stop
data: {"type":"content_block_stop","index":2}

event: content_block_start
data: {"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"toolu_2","name":"g","input":{}}}

event: content_block_delta
data: {"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":""}}

event: content_block_stop
data: {"type":"content_block_stop","index":3}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":30}}

event: message_stop
data: {"type":"message_stop"}

"#;
    let options = StreamOptions {
        include_usage: true,
        model: Some("shown".to_owned()),
        created: 7,
        choices: 1,
        ..StreamOptions::default()
    };
    let head = r#"data: {"id":"msg_1","object":"chat.completion.chunk","created":7,"model":"shown","choices":["#;
    let chunk = |delta: &str| {
        format!(
            "{head}{{\"index\":0,\"delta\":{delta},\"logprobs\":null,\"finish_reason\":null}}],\"usage\":null}}\n\n"
        )
    };
    let expected = [
        chunk(r#"{"role":"assistant","content":"","refusal":null}"#),
        chunk(r#"{"content":"Hi \"you\""}"#),
        chunk(r#"{"tool_calls":[{"index":0,"id":"toolu_1","type":"function","function":{"name":"f","arguments":""}}]}"#),
        chunk(r#"{"tool_calls":[{"index":0,"function":{"arguments":"{\"a\""}}]}"#),
        chunk(r#"{"tool_calls":[{"index":0,"function":{"arguments":": 1}"}}]}"#),
        chunk(r#"{"tool_calls":[{"index":1,"id":"toolu_2","type":"function","function":{"name":"g","arguments":""}}]}"#),
        chunk(r#"{"tool_calls":[{"index":1,"function":{"arguments":"{}"}}]}"#),
        format!("{head}{{\"index\":0,\"delta\":{{}},\"logprobs\":null,\"finish_reason\":\"tool_calls\"}}],\"usage\":null}}\n\n"),
        format!("{head}],{}}}\n\n", r#""usage":{"prompt_tokens":7,"completion_tokens":30,"total_tokens":37,"prompt_tokens_details":{"cached_tokens":2,"cache_write_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}"#),
        "data: [DONE]\n\n".to_owned(),
    ]
    .concat();
    assert_eq!(stream(ANTHROPIC, OPENAI, &options, anthropic), expected);
}

#[test]
fn openai_to_an_anthropic_client() {
    let openai = r#"data: {"id":"c1","object":"chat.completion.chunk","created":1,"model":"gpt-x","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}

data: {"id":"c1","choices":[{"index":0,"delta":{"reasoning_content":"hm"},"finish_reason":null}]}

data: {"id":"c1","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}

data: {"id":"c1","choices":[{"index":0,"delta":{"content":" there"},"finish_reason":null}]}

data: {"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_1","type":"function","function":{"name":"f","arguments":""}}]},"finish_reason":null}]}

data: {"id":"c1","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]},"finish_reason":null}]}

data: {"id":"c1","choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}

data: {"id":"c1","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}

data: [DONE]

"#;
    let event = |kind: &str, data: &str| format!("event: {kind}\ndata: {data}\n\n");
    let delta = |index: u32, delta: &str| {
        let data = format!(r#"{{"type":"content_block_delta","index":{index},"delta":{delta}}}"#);
        event("content_block_delta", &data)
    };
    let start = |index: u32, block: &str| {
        let data =
            format!(r#"{{"type":"content_block_start","index":{index},"content_block":{block}}}"#);
        event("content_block_start", &data)
    };
    let stop = |index: u32| {
        let data = format!(r#"{{"type":"content_block_stop","index":{index}}}"#);
        event("content_block_stop", &data)
    };
    let expected = [
        event("message_start", r#"{"type":"message_start","message":{"id":"c1","type":"message","role":"assistant","model":"gpt-x","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":0,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":0}}}"#),
        start(0, r#"{"type":"thinking","thinking":"","signature":""}"#),
        delta(0, r#"{"type":"thinking_delta","thinking":"hm"}"#),
        stop(0),
        start(1, r#"{"type":"text","text":""}"#),
        delta(1, r#"{"type":"text_delta","text":"Hi"}"#),
        delta(1, r#"{"type":"text_delta","text":" there"}"#),
        stop(1),
        start(2, r#"{"type":"tool_use","id":"call_1","name":"f","input":{}}"#),
        delta(2, r#"{"type":"input_json_delta","partial_json":"{}"}"#),
        stop(2),
        event("message_delta", r#"{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"input_tokens":9,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":3}}"#),
        event("message_stop", r#"{"type":"message_stop"}"#),
    ]
    .concat();
    let options = StreamOptions::default();
    assert_eq!(stream(OPENAI, ANTHROPIC, &options, openai), expected);
}

#[test]
fn a_call_without_arguments_has_an_empty_object() {
    let start = Event::BlockStart {
        choice: 0,
        block: 0,
        start: BlockStart::ToolCall {
            id: "a".to_owned(),
            name: "f".to_owned(),
            state: None,
            extra: Extra::default(),
        },
    };
    let delta = Event::Delta {
        choice: 0,
        block: 0,
        delta: Delta::Arguments(String::new()),
    };
    let stop = Event::BlockStop {
        choice: 0,
        block: 0,
    };
    let mut encoder = format(OPENAI).stream_encoder(&StreamOptions::default());
    let mut out = Vec::new();
    for event in [&start, &delta] {
        encoder.push(event, &mut out);
    }
    let text = String::from_utf8(out.concat()).unwrap();
    assert!(
        !text.contains("{}\""),
        "not before the call is complete: {text}"
    );
    encoder.push(&stop, &mut out);
    let text = String::from_utf8(out.concat()).unwrap();
    let piece = r#""tool_calls":[{"index":0,"function":{"arguments":"{}"}}]"#;
    assert_eq!(text.matches(piece).count(), 1, "{text}");
}

#[test]
fn an_error_of_the_provider_stops_the_translation() {
    let options = StreamOptions::default();
    let begun = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"}}]}\n\n";
    for (from, stream) in [
        (OPENAI, format!("{begun}data: {{\"error\":{{\"message\":\"m\",\"code\":503}}}}\n\n")),
        (OPENAI, format!("{begun}event: error\ndata: {{\"message\":\"m\",\"code\":503}}\n\n")),
        (
            ANTHROPIC,
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"m\"}}\n\n".to_owned(),
        ),
    ] {
        for to in Format::ALL {
            let mut transform = translate(&dialect(from), to, &options);
            let fault = transform.push(stream.clone().into(), &mut Vec::new()).unwrap_err();
            let StreamFault::Provider(error) = fault else {
                unreachable!("{fault}");
            };
            assert_eq!(error.class, Some(fkm_llm::FailureClass::Overloaded));
        }
    }
}

#[test]
fn the_client_does_not_wait_for_the_connection_to_close() {
    let options = StreamOptions::default();
    let openai = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    let anthropic = "data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\ndata: {\"type\":\"message_stop\"}\n\n";
    for (from, stream) in [(OPENAI, openai), (ANTHROPIC, anthropic)] {
        for (to, last) in [
            (OPENAI, "data: [DONE]\n\n"),
            (ANTHROPIC, "data: {\"type\":\"message_stop\"}\n\n"),
        ] {
            let mut transform = translate(&dialect(from), to, &options);
            let mut out = Vec::new();
            transform
                .push(Bytes::from_static(stream.as_bytes()), &mut out)
                .unwrap();
            assert!(out.concat().ends_with(last.as_bytes()), "{from} to {to}");
            let told = out.len();
            transform.end(&mut out).unwrap();
            assert_eq!(out.len(), told, "told once");
        }
    }
}

#[test]
fn an_end_that_comes_too_soon_is_told_at_once() {
    let options = StreamOptions::default();
    for (from, stream) in [
        (
            OPENAI,
            "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"}}]}\n\ndata: [DONE]\n\n",
        ),
        (
            ANTHROPIC,
            "data: {\"type\":\"message_start\",\"message\":{}}\n\ndata: {\"type\":\"message_stop\"}\n\n",
        ),
    ] {
        for to in Format::ALL {
            let mut transform = translate(&dialect(from), to, &options);
            let pushed = transform.push(Bytes::from_static(stream.as_bytes()), &mut Vec::new());
            assert_eq!(pushed, Err(StreamFault::Incomplete), "{from} to {to}");
        }
    }
}

#[test]
fn oddities_of_streams_are_read() {
    let options = StreamOptions::default();
    // A call that is counted as 0 like the one before, and one that is not counted.
    let calls = r#"data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}]}}]}

data: {"choices":[{"delta":{"tool_calls":[{"index":0,"id":"b","function":{"name":"g","arguments":"{}"}}]}}]}

data: {"choices":[{"delta":{"tool_calls":[{"id":"c","function":{"name":"h","arguments":{"x":1}}}]},"finish_reason":"stop"}]}

"#;
    let out = stream(OPENAI, ANTHROPIC, &options, calls);
    for name in [
        r#""id":"a","name":"f""#,
        r#""id":"b","name":"g""#,
        r#""id":"c","name":"h""#,
        "tool_use",
    ] {
        assert!(out.contains(name), "{name} in {out}");
    }
    // A second start, input in the block's start, usage that grows.
    let twice = r#"data: {"type":"message_start","message":{"id":"one","usage":{"input_tokens":1}}}

data: {"type":"message_start","message":{"id":"two"}}

data: {"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"a","name":"f","input":{"x":1}}}

data: {"type":"content_block_stop","index":0}

data: {"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"input_tokens":8,"output_tokens":2}}

"#;
    let options = StreamOptions {
        include_usage: true,
        ..options
    };
    let out = stream(ANTHROPIC, OPENAI, &options, twice);
    for piece in [
        r#""id":"one""#,
        r#""arguments":"{\"x\":1}""#,
        r#""prompt_tokens":8,"completion_tokens":2"#,
    ] {
        assert!(out.contains(piece), "{piece} in {out}");
    }
    assert!(!out.contains("\"two\""), "{out}");
}

#[test]
fn where_no_finish_reason_is_sent_the_mark_of_the_end_stands_for_it() {
    let chunk = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"},\"finish_reason\":\"\"}]}\n\n";
    let mut marked = dialect(OPENAI);
    marked.stream_end = StreamEnd::Mark;
    for to in Format::ALL {
        let mut transform = translate(&marked, to, &StreamOptions::default());
        let mut out = Vec::new();
        transform
            .push(Bytes::from_static(chunk.as_bytes()), &mut out)
            .unwrap();
        transform
            .push(Bytes::from_static(b"data: [DONE]\n\n"), &mut out)
            .unwrap();
        assert_eq!(transform.end(&mut out), Ok(()));
        assert_eq!(transform.progress().finish_reasons, [FinishReason::Stop]);
        let mut cut = translate(&marked, to, &StreamOptions::default());
        cut.push(Bytes::from_static(chunk.as_bytes()), &mut out)
            .unwrap();
        assert_eq!(cut.end(&mut out), Err(StreamFault::Incomplete));
    }
}

#[test]
fn sources_have_numbers_for_clients_that_put_lists_together() {
    let mut encoder = format(OPENAI).stream_encoder(&StreamOptions::default());
    let mut out = Vec::new();
    let (choice, block) = (0, 0);
    let start = BlockStart::Text {
        extra: Extra::default(),
    };
    let source = |url: &str| Event::Delta {
        choice,
        block,
        delta: Delta::Citation(Citation {
            url: Some(url.to_owned()),
            title: None,
            raw: Opaque::new(ANTHROPIC, "{}"),
        }),
    };
    let begin = Event::BlockStart {
        choice,
        block,
        start,
    };
    for event in [begin, source("https://a"), source("https://b")] {
        encoder.push(&event, &mut out);
    }
    let text = String::from_utf8(out.concat()).unwrap();
    for (index, url) in ["https://a", "https://b"].into_iter().enumerate() {
        let expected = format!(
            r#""annotations":[{{"index":{index},"type":"url_citation","url_citation":{{"url":"{url}""#
        );
        assert!(text.contains(&expected), "{text}");
    }
}
