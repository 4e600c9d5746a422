//! What is seen in chunks that pass.

use bytes::Bytes;
use fkm_dialect::FailureClass;

use super::*;
use crate::relay::Relay;
use crate::stream::StreamTransform;

/// As in chats, with few words.
const WORDING: Wording = Wording {
    format: Format::OpenAiChat,
    finish_reason: |word| match word {
        "length" => FinishReason::Length,
        "tool_calls" => FinishReason::ToolCalls,
        "content_filter" => FinishReason::ContentFilter,
        _ => FinishReason::Stop,
    },
    content: "\"delta\"",
};

fn relay(options: &RelayOptions) -> Relay<ChunkInspector> {
    Relay::new(ChunkInspector::new(WORDING, options))
}

fn push(relay: &mut Relay<ChunkInspector>, data: &'static str) -> Result<Vec<Bytes>, StreamFault> {
    let mut out = Vec::new();
    relay
        .push(Bytes::from_static(data.as_bytes()), &mut out)
        .map(|()| out)
}

#[test]
fn a_role_is_no_content_and_everything_that_is_said_is() {
    for (delta, content) in [
        (
            r#"{"role":"assistant","content":"","refusal":null,"tool_calls":[]}"#,
            false,
        ),
        (r#"{"role":"assistant"}"#, false),
        ("{}", false),
        (r#"{"content":"x"}"#, true),
        (r#"{"content":[{"type":"text","text":"x"}]}"#, true),
        (r#"{"reasoning_content":"x"}"#, true),
        (r#"{"reasoning":"x"}"#, true),
        (r#"{"reasoning_details":[{"type":"reasoning.text"}]}"#, true),
        (r#"{"refusal":"x"}"#, true),
        (r#"{"tool_calls":[{"index":0}]}"#, true),
    ] {
        let mut relay = relay(&RelayOptions::default());
        let chunk = format!(
            "data: {{\"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":null}}]}}\n\n"
        );
        relay.push(chunk.into(), &mut Vec::new()).unwrap();
        assert_eq!(relay.progress().content_started, content, "{delta}");
        assert!(!relay.progress().finished);
    }
}

#[test]
fn a_finish_reason_alone_ends_the_wait_for_content() {
    let mut relay = relay(&RelayOptions::default());
    push(&mut relay, "data: {\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"content_filter\"}]}\n\n")
        .unwrap();
    assert!(relay.progress().content_started && relay.progress().finished);
    assert_eq!(
        relay.progress().finish_reasons,
        [FinishReason::ContentFilter]
    );
    assert_eq!(relay.progress().response_model.as_deref(), Some("m"));
}

#[test]
fn an_empty_finish_reason_is_none() {
    let mut relay = relay(&RelayOptions::default());
    push(
        &mut relay,
        "data: {\"choices\":[{\"delta\":{\"content\":\"x\"},\"finish_reason\":\"\"}]}\n\n",
    )
    .unwrap();
    push(
        &mut relay,
        "data: {\"choices\":[{\"delta\":{\"content\":\"y\"},\"finish_reason\" : \"\"}]}\n\n",
    )
    .unwrap();
    assert_eq!(relay.end(&mut Vec::new()), Err(StreamFault::Incomplete));
}

#[test]
fn several_choices_finish_when_the_last_one_does() {
    let mut relay = relay(&RelayOptions {
        choices: 2,
        ..RelayOptions::default()
    });
    push(&mut relay, "data: {\"choices\":[{\"index\":1,\"delta\":{\"content\":\"x\"},\"finish_reason\":\"stop\"}]}\n\n").unwrap();
    assert!(!relay.progress().finished);
    push(
        &mut relay,
        "data: {\"choices\":[{\"index\":1,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
    )
    .unwrap();
    assert!(!relay.progress().finished, "the same choice twice");
    push(
        &mut relay,
        "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"length\"}]}\n\n",
    )
    .unwrap();
    assert!(relay.progress().finished);
}

#[test]
fn an_error_is_found_beside_choices_and_after_content() {
    let mut relay = relay(&RelayOptions::default());
    push(
        &mut relay,
        "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n",
    )
    .unwrap();
    let good = "data: {\"choices\":[{\"delta\":{\"content\":\"\\\"error\\\": {\"},\"finish_reason\":null}],\"error\":null}\n\n";
    let out = push(&mut relay, good).unwrap();
    assert_eq!(out, [good]);
    let fault = push(
        &mut relay,
        "data: {\"error\":{\"message\":\"m\",\"code\":429},\"choices\":[{\"delta\":{\"content\":\"\"}}]}\n\n",
    );
    let Err(StreamFault::Provider(error)) = fault else {
        unreachable!("{fault:?}");
    };
    assert_eq!(error.class, Some(FailureClass::RateLimited));
}

#[test]
fn an_error_event_is_an_error_whatever_it_holds() {
    let mut relay = relay(&RelayOptions::default());
    let mut out = Vec::new();
    let stream = "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\nevent: error\ndata: {\"message\":\"m\",\"status_code\":400}\n\n";
    let fault = relay.push(stream.into(), &mut out).unwrap_err();
    let StreamFault::Provider(error) = fault else {
        unreachable!("{fault:?}");
    };
    assert_eq!(
        (error.status, error.class, error.message.as_str()),
        (400, None, "m")
    );
    assert_eq!(
        out,
        ["data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n"],
        "what came before is kept"
    );
}

#[test]
fn usage_is_found_wherever_the_family_puts_it() {
    for chunk in [
        r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":1}}}"#,
        r#"{"choices":[{"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2,"cached_tokens":1}}"#,
        r#"{"choices":[],"usage": {"prompt_tokens":3,"completion_tokens":2,"prompt_cache_hit_tokens":1,"prompt_tokens_details":null}}"#,
        r#"{"choices":[],"x_groq":{"id":"r","usage":{"prompt_tokens":3,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":1}}}}"#,
    ] {
        let mut relay = relay(&RelayOptions::default());
        push(&mut relay, "data: {\"choices\":[{\"delta\":{\"content\":\"x\"},\"finish_reason\":\"stop\"}],\"usage\":null}\n\n").unwrap();
        relay
            .push(format!("data: {chunk}\n\n").into(), &mut Vec::new())
            .unwrap();
        let usage = relay.progress().usage.unwrap();
        assert_eq!(
            (
                usage.input_tokens,
                usage.output_tokens,
                usage.cached_input_tokens
            ),
            (3, 2, 1),
            "{chunk}"
        );
    }
}

#[test]
fn only_the_usage_chunk_is_stripped() {
    let strip = RelayOptions {
        strip_usage: true,
        choices: 1,
        ..RelayOptions::default()
    };
    let mut relay = relay(&strip);
    let with_choices = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1}}\n\n";
    assert_eq!(push(&mut relay, with_choices).unwrap(), [with_choices]);
    let filter = "data: {\"choices\":[],\"prompt_filter_results\":[],\"usage\":null}\n\n";
    assert_eq!(push(&mut relay, filter).unwrap(), [filter]);
    assert!(
        push(
            &mut relay,
            "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1}}\n\n"
        )
        .unwrap()
        .is_empty()
    );
    assert_eq!(relay.progress().usage.unwrap().input_tokens, 1);
}

#[test]
fn frames_of_one_chunk_are_one_slice_of_it() {
    let chunk = Bytes::from_static(
        b": comment\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"y\"}}]}\n\ndata: {\"ch",
    );
    let mut relay = relay(&RelayOptions::default());
    let mut out = Vec::new();
    relay.push(chunk.clone(), &mut out).unwrap();
    assert_eq!(out.len(), 1);
    assert_eq!(out[0].as_ptr(), chunk.as_ptr());
    assert_eq!(out[0].len(), chunk.len() - b"data: {\"ch".len());
    assert_eq!(relay.progress().events, 2);
}

#[test]
fn what_is_missing_at_the_end_is_added_once() {
    let finish =
        "data: {\"choices\":[{\"delta\":{\"content\":\"x\"},\"finish_reason\":\"stop\"}]}\n\n";
    for (stream, expected) in [
        (finish.to_owned(), format!("{finish}data: [DONE]\n\n")),
        (
            format!("{finish}data: [DONE]\n\n"),
            format!("{finish}data: [DONE]\n\n"),
        ),
        (
            format!("{finish}data: [DONE]"),
            format!("{finish}data: [DONE]\n\n"),
        ),
        (
            format!("{finish}data: [DO"),
            format!("{finish}data: [DONE]\n\n"),
        ),
        (
            format!("{finish}data: {{\"choices\":[],\"us"),
            format!("{finish}data: [DONE]\n\n"),
        ),
        (
            finish.trim_end().to_owned(),
            format!("{finish}data: [DONE]\n\n"),
        ),
    ] {
        let mut relay = relay(&RelayOptions::default());
        let mut out = Vec::new();
        relay.push(stream.clone().into(), &mut out).unwrap();
        relay.end(&mut out).unwrap();
        assert_eq!(
            String::from_utf8(out.concat()).unwrap(),
            expected,
            "{stream}"
        );
    }
}

#[test]
fn done_without_a_finish_reason_is_incomplete() {
    let mut relay = relay(&RelayOptions::default());
    let mut out = Vec::new();
    let chunk = "data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\n";
    let pushed = relay.push(format!("{chunk}data: [DONE]\n\n").into(), &mut out);
    assert_eq!(pushed, Err(StreamFault::Incomplete));
    assert_eq!(out, [chunk], "clients take `[DONE]` for a good end");
}

#[test]
fn a_whole_answer_that_is_none_is_a_fault() {
    for (body, incomplete) in [
        ("", true),
        ("  ", true),
        (
            "{\"choices\":[{\"index\":0,\"message\":{\"content\":\"x\"}",
            true,
        ),
        ("{\"choices\":[]}", true),
        (
            "{\"choices\":[{\"index\":0,\"message\":{\"content\":\"x\"},\"finish_reason\":null}]}",
            true,
        ),
        ("<html>", false),
        ("{\"choices\":1}", false),
    ] {
        let fault = facts(WORDING, body.as_bytes()).unwrap_err();
        assert_eq!(
            fault == StreamFault::Incomplete,
            incomplete,
            "{body}: {fault}"
        );
    }
    let fault = facts(
        WORDING,
        br#"{"error":{"message":"m","code":503},"choices":[]}"#,
    )
    .unwrap_err();
    assert!(
        matches!(fault, StreamFault::Provider(error) if error.class == Some(FailureClass::Overloaded))
    );
}

#[test]
fn a_whole_answer_tells_its_facts() {
    let facts = facts(
        WORDING,
        br#"{"model":"m","choices":[{"index":0,"message":{"content":"x"},"finish_reason":"stop"}],
            "usage":{"prompt_tokens":4,"completion_tokens":6,"total_tokens":13,"completion_tokens_details":{"reasoning_tokens":3}}}"#,
    )
    .unwrap();
    assert_eq!(facts.finish_reasons, [FinishReason::Stop]);
    let usage = facts.usage.unwrap();
    assert_eq!(
        (usage.output_tokens, usage.reasoning_tokens),
        (9, 3),
        "reasoning was counted beside the output"
    );
}

#[test]
fn where_no_finish_reason_is_sent_the_mark_of_the_end_stands_for_it() {
    const CHUNK: &str = r#"data: {"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":""}]}

"#;
    let options = RelayOptions {
        end: StreamEnd::Mark,
        ..RelayOptions::default()
    };
    let mut whole = relay(&options);
    push(&mut whole, CHUNK).unwrap();
    assert!(!whole.progress().finished);
    push(&mut whole, "data: [DONE]\n\n").unwrap();
    assert!(whole.progress().finished);
    assert_eq!(whole.progress().finish_reasons, [FinishReason::Stop]);
    let mut cut = relay(&options);
    push(&mut cut, CHUNK).unwrap();
    assert_eq!(cut.end(&mut Vec::new()), Err(StreamFault::Incomplete));
    let nothing = push(&mut relay(&options), "data: [DONE]\n\n");
    assert_eq!(nothing, Err(StreamFault::Incomplete));
}

#[test]
fn what_is_no_json_does_not_get_out_however_late() {
    for late in [
        "data: {\"no json\n\n",
        "data: <html>\n\n",
        "data: {} {}\n\n",
    ] {
        let mut relay = relay(&RelayOptions::default());
        let content =
            r#"data: {"choices":[{"index":0,"delta":{"content":"x"},"finish_reason":null}]}"#;
        relay
            .push(format!("{content}\n\n").into(), &mut Vec::new())
            .unwrap();
        assert!(relay.progress().content_started);
        let mut out = Vec::new();
        let fault = relay.push(Bytes::from_static(late.as_bytes()), &mut out);
        assert!(
            matches!(fault, Err(StreamFault::Malformed { .. })),
            "{late}: {fault:?}"
        );
        assert_eq!(out.concat(), b"", "{late}");
    }
}
