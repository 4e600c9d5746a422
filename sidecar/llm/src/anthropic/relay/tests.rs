//! What is seen in events that pass.

use bytes::Bytes;
use fkm_dialect::FailureClass;

use super::*;
use crate::ir::FinishReason;
use crate::relay::Relay;
use crate::stream::StreamTransform;

const START: &str = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"model\":\"m\",\"usage\":{\"input_tokens\":3,\"cache_read_input_tokens\":1111,\"cache_creation_input_tokens\":418,\"output_tokens\":1}}}\n\n";
const TEXT: &str = "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n";
const DELTA: &str = "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"hi\"}}\n\n";
const END: &str = "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":9}}\n\n";
const STOP: &str = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";

fn relay() -> Relay<EventInspector> {
    Relay::new(EventInspector::new())
}

fn push(relay: &mut Relay<EventInspector>, data: &str) -> Result<(), StreamFault> {
    relay.push(Bytes::copy_from_slice(data.as_bytes()), &mut Vec::new())
}

#[test]
fn content_begins_with_the_first_word() {
    let mut relay = relay();
    for frame in [START, "event: ping\ndata: {\"type\":\"ping\"}\n\n", TEXT] {
        push(&mut relay, frame).unwrap();
        assert!(!relay.progress().content_started, "{frame}");
    }
    push(&mut relay, DELTA).unwrap();
    assert!(relay.progress().content_started);
    assert_eq!(relay.progress().response_model.as_deref(), Some("m"));
    assert_eq!(relay.progress().events, 4);
}

#[test]
fn a_tool_call_and_a_signature_are_content() {
    for frame in [
        "data: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"tool_use\",\"id\":\"a\",\"name\":\"b\",\"input\":{}}}\n\n",
        "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"signature_delta\",\"signature\":\"x\"}}\n\n",
        "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"thinking_delta\",\"thinking\":\"x\"}}\n\n",
    ] {
        let mut relay = relay();
        push(&mut relay, frame).unwrap();
        assert!(relay.progress().content_started, "{frame}");
    }
}

#[test]
fn counts_of_both_ends_are_put_together_and_include_the_cache() {
    let mut relay = relay();
    push(&mut relay, &[START, TEXT, DELTA, END].concat()).unwrap();
    let usage = relay.progress().usage.unwrap();
    assert_eq!(usage.input_tokens, 3 + 1111 + 418);
    assert_eq!(
        (usage.cached_input_tokens, usage.cache_write_tokens),
        (1111, 418)
    );
    assert_eq!(usage.output_tokens, 9);
    assert_eq!(relay.progress().finish_reasons, [FinishReason::Stop]);
}

#[test]
fn a_stop_reason_makes_it_complete_and_a_missing_end_is_added() {
    for (stream, expected) in [
        ([START, TEXT, DELTA].concat(), None),
        (
            [START, TEXT, DELTA, END].concat(),
            Some([START, TEXT, DELTA, END, STOP].concat()),
        ),
        (
            [START, TEXT, DELTA, END, STOP].concat(),
            Some([START, TEXT, DELTA, END, STOP].concat()),
        ),
        (START.to_owned(), None),
    ] {
        let mut relay = relay();
        let mut out = Vec::new();
        relay.push(stream.into(), &mut out).unwrap();
        let end = relay.end(&mut out);
        match expected {
            Some(expected) => assert_eq!((end, out.concat()), (Ok(()), expected.into_bytes())),
            None => assert_eq!(end, Err(StreamFault::Incomplete)),
        }
    }
}

#[test]
fn a_stop_without_a_stop_reason_does_not_get_out() {
    let mut relay = relay();
    let mut out = Vec::new();
    let pushed = relay.push([START, TEXT, DELTA, STOP].concat().into(), &mut out);
    assert_eq!(pushed, Err(StreamFault::Incomplete));
    assert_eq!(out, [[START, TEXT, DELTA].concat()]);
}

#[test]
fn an_error_is_found_before_and_after_content() {
    let error = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"m\"}}\n\n";
    for before in [START.to_owned(), [START, TEXT, DELTA].concat()] {
        for error in [error, error.strip_prefix("event: error\n").unwrap()] {
            let mut relay = relay();
            push(&mut relay, &before).unwrap();
            let Err(StreamFault::Provider(error)) = push(&mut relay, error) else {
                unreachable!("an error passed");
            };
            assert_eq!(error.class, Some(FailureClass::Overloaded));
        }
    }
}

#[test]
fn a_whole_answer_that_is_none_is_a_fault() {
    for body in [
        "",
        "{\"type\":\"message\",\"content\":[{",
        "{\"content\":[],\"stop_reason\":null}",
    ] {
        assert_eq!(
            facts(body.as_bytes()),
            Err(StreamFault::Incomplete),
            "{body}"
        );
    }
    let error = br#"{"type":"error","error":{"type":"api_error","message":"m"}}"#;
    assert!(matches!(facts(error), Err(StreamFault::Provider(_))));
    assert!(matches!(
        facts(b"<html>"),
        Err(StreamFault::Malformed { .. })
    ));
}
