use fkm_dialect::FailureClass;

use super::*;
use crate::bedrock::frame;
use crate::ir::FinishReason;

fn event(name: &'static str, payload: &str) -> Bytes {
    frame::event(name, |out| out.extend_from_slice(payload.as_bytes()))
}

fn pass(frames: &[Bytes]) -> (FrameRelay, Vec<Bytes>, Result<(), StreamFault>) {
    let mut relay = FrameRelay::new();
    let mut out = Vec::new();
    let pushed = relay.push(frames.concat().into(), &mut out);
    let end = pushed.and_then(|()| relay.end(&mut out));
    (relay, out, end)
}

#[test]
fn frames_pass_as_they_are_and_are_read() {
    let frames = [
        event("messageStart", r#"{"role":"assistant","p":"abc"}"#),
        event(
            "contentBlockDelta",
            r#"{"contentBlockIndex":0,"delta":{"text":"Hi"}}"#,
        ),
        event("contentBlockStop", r#"{"contentBlockIndex":0}"#),
        event("messageStop", r#"{"stopReason":"max_tokens"}"#),
        event(
            "metadata",
            r#"{"usage":{"inputTokens":3,"outputTokens":2,"totalTokens":12,"cacheReadInputTokens":7},"metrics":{"latencyMs":9}}"#,
        ),
    ];
    let (relay, out, end) = pass(&frames);
    assert_eq!(end, Ok(()));
    assert_eq!(
        out,
        [Bytes::from(frames.concat())],
        "one slice of what came"
    );
    let progress = relay.progress();
    assert_eq!(progress.finish_reasons, [FinishReason::Length]);
    assert_eq!(progress.events, 5);
    let usage = progress.usage.unwrap();
    assert_eq!((usage.input_tokens, usage.cached_input_tokens), (10, 7));

    // Closed between the stop reason and the usage: complete, nothing made up.
    let (relay, out, end) = pass(&frames[..4]);
    assert_eq!(end, Ok(()));
    assert_eq!(out.concat(), frames[..4].concat());
    assert_eq!(relay.progress().usage, None);
    let (.., end) = pass(&frames[..3]);
    assert_eq!(end, Err(StreamFault::Incomplete));
}

#[test]
fn content_has_begun_with_the_first_piece_that_says_something() {
    for (name, payload, begun) in [
        ("messageStart", r#"{"role":"assistant"}"#, false),
        ("contentBlockDelta", r#"{"delta":{"text":""}}"#, false),
        ("contentBlockDelta", r#"{"delta":{"text":"x"}}"#, true),
        (
            "contentBlockDelta",
            r#"{"delta":{"reasoningContent":{"text":""}}}"#,
            false,
        ),
        (
            "contentBlockDelta",
            r#"{"delta":{"reasoningContent":{"text":"x"}}}"#,
            true,
        ),
        (
            "contentBlockDelta",
            r#"{"delta":{"reasoningContent":{"signature":"x"}}}"#,
            true,
        ),
        (
            "contentBlockStart",
            r#"{"start":{"toolUse":{"toolUseId":"a","name":"b"}}}"#,
            true,
        ),
        ("somethingNew", "no json", false),
    ] {
        let (relay, _, end) = pass(&[event(name, payload)]);
        assert_eq!(end, Err(StreamFault::Incomplete));
        assert_eq!(relay.progress().content_started, begun, "{payload}");
    }
}

#[test]
fn errors_inside_are_errors() {
    let begun = event("contentBlockDelta", r#"{"delta":{"text":"x"}}"#);
    let thrown = frame::exception("throttlingException", br#"{"message":"slow down"}"#);
    let (_, out, end) = pass(&[begun.clone(), thrown]);
    assert_eq!(out.concat(), begun, "what came before is whole");
    let Err(StreamFault::Provider(error)) = end else {
        panic!("{end:?}");
    };
    assert_eq!(error.class, Some(FailureClass::RateLimited));

    let malformed = event("messageStop", r#"{"stopReason":"malformed_tool_use"}"#);
    let (.., end) = pass(&[begun, malformed]);
    assert!(matches!(end, Err(StreamFault::Provider(_))));
}

#[test]
fn whole_answers_are_read_or_refused() {
    let body = br#"{"output":{"message":{"role":"assistant","content":[{"text":"Hi"}]}},"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3},"metrics":{"latencyMs":1}}"#;
    let found = facts(body).unwrap();
    assert_eq!(found.finish_reasons, [FinishReason::Stop]);
    assert_eq!(found.usage.unwrap().total_tokens(), 3);
    for end in 0..body.len() {
        assert_eq!(facts(&body[..end]), Err(StreamFault::Incomplete), "{end}");
    }
    assert_eq!(facts(b"{}"), Err(StreamFault::Incomplete));
    assert!(facts(b"[1]").is_err());
    let error = br#"{"__type":"ThrottlingException","message":"slow down"}"#;
    assert!(matches!(facts(error), Err(StreamFault::Provider(_))));
    let malformed =
        br#"{"output":{"message":{"content":[]}},"stopReason":"malformed_model_output"}"#;
    assert!(matches!(facts(malformed), Err(StreamFault::Provider(_))));
}
