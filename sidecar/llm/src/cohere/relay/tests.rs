//! What is seen in events that pass.

use bytes::Bytes;

use super::*;
use crate::ir::FinishReason;
use crate::relay::Relay;
use crate::stream::StreamTransform;

fn relay(frames: &[&str]) -> (Relay<EventInspector>, Result<(), StreamFault>) {
    let mut relay = Relay::new(EventInspector::new());
    let mut out = Vec::new();
    for frame in frames {
        let pushed = relay.push(Bytes::from((*frame).to_owned()), &mut out);
        if pushed.is_err() {
            return (relay, pushed);
        }
    }
    (relay, Ok(()))
}

#[test]
fn heads_are_no_content_and_everything_that_is_said_is() {
    for (frame, content) in [
        (
            r#"{"type":"message-start","id":"x","delta":{"message":{"role":"assistant","content":[]}}}"#,
            false,
        ),
        (
            r#"{"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text","text":""}}}}"#,
            false,
        ),
        (
            r#"{"type":"content-start","index":0,"delta":{"message":{"content":{"type":"new"}}}}"#,
            true,
        ),
        (
            r#"{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"x"}}}}"#,
            true,
        ),
        (
            r#"{"type":"content-delta","index":0,"delta":{"message":{"content":{"thinking":"x"}}}}"#,
            true,
        ),
        (
            r#"{"type":"tool-plan-delta","delta":{"message":{"tool_plan":"x"}}}"#,
            true,
        ),
        (
            r#"{"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"a"}}}}"#,
            true,
        ),
        (r#"{"type":"debug","prompt":"x"}"#, false),
    ] {
        let (relay, result) = relay(&[&format!("data: {frame}\n\n")]);
        assert_eq!(result, Ok(()));
        assert_eq!(relay.progress().content_started, content, "{frame}");
        assert!(!relay.progress().finished);
    }
}

#[test]
fn the_end_tells_reason_and_usage() {
    let end = "event: message-end\ndata: {\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"MAX_TOKENS\",\"usage\":{\"billed_units\":{\"input_tokens\":7.0,\"output_tokens\":2},\"tokens\":{\"input_tokens\":69.0,\"output_tokens\":3.0}}}}\n\n";
    let (mut relay, result) = relay(&[end]);
    assert_eq!(result, Ok(()));
    let progress = relay.progress().clone();
    assert!(progress.finished && progress.content_started);
    assert_eq!(progress.finish_reasons, [FinishReason::Length]);
    let usage = progress.usage.unwrap();
    assert_eq!((usage.input_tokens, usage.output_tokens), (69, 3));
    assert_eq!(usage.billed.unwrap().input_tokens, 7);
    let mut out = Vec::new();
    assert_eq!(relay.end(&mut out), Ok(()));
    assert_eq!(out.concat(), b"data: [DONE]\n\n");
}

#[test]
fn failures_inside_a_stream_are_faults() {
    for frame in [
        "data: {\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"ERROR\",\"error\":\"hot\"}}\n\n",
        "event: message-end\ndata: {\"delta\":{\"error\":\"hot\"}}\n\n",
        "data: {\"message\":\"hot\"}\n\n",
        "event: error\ndata: {\"message\":\"hot\"}\n\n",
    ] {
        let (_, result) = relay(&[frame]);
        let Err(StreamFault::Provider(error)) = result else {
            panic!("{frame}: {result:?}");
        };
        assert_eq!(error.message, "hot", "{frame}");
    }
    let (_, result) = relay(&["data: [DONE]\n\n"]);
    assert_eq!(result, Err(StreamFault::Incomplete));
}
