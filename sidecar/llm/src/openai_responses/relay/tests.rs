use bytes::Bytes;

use super::*;
use crate::error::StreamFault;
use crate::relay::Relay;
use crate::stream::StreamTransform;

fn push(relay: &mut Relay<EventInspector>, text: &str) -> Result<(), StreamFault> {
    relay.push(Bytes::copy_from_slice(text.as_bytes()), &mut Vec::new())
}

fn event(kind: &str, rest: &str) -> String {
    format!("event: {kind}\ndata: {{\"type\":\"{kind}\"{rest}}}\n\n")
}

#[test]
fn content_begins_with_the_first_piece() {
    let mut relay = Relay::new(EventInspector::default());
    let created = event(
        "response.created",
        r#","response":{"model":"gpt-x","status":"in_progress"}"#,
    );
    push(&mut relay, &created).unwrap();
    assert_eq!(relay.progress().response_model.as_deref(), Some("gpt-x"));
    let message = r#","item":{"type":"message","content":[]}"#;
    push(&mut relay, &event("response.output_item.added", message)).unwrap();
    assert!(!relay.progress().content_started);
    push(
        &mut relay,
        &event("response.output_text.delta", r#","delta":"""#),
    )
    .unwrap();
    assert!(!relay.progress().content_started);
    push(
        &mut relay,
        &event("response.output_text.delta", r#","delta":"a""#),
    )
    .unwrap();
    assert!(relay.progress().content_started && !relay.progress().finished);
}

#[test]
fn the_last_event_says_how_it_ended() {
    for (last, details, expected) in [
        ("completed", "null", FinishReason::Stop),
        (
            "incomplete",
            r#"{"reason":"max_output_tokens"}"#,
            FinishReason::Length,
        ),
        (
            "incomplete",
            r#"{"reason":"content_filter"}"#,
            FinishReason::ContentFilter,
        ),
    ] {
        let mut relay = Relay::new(EventInspector::default());
        let response = format!(
            r#","response":{{"status":"{last}","incomplete_details":{details},"output":[],"usage":{{"input_tokens":3,"output_tokens":1}}}}"#
        );
        push(&mut relay, &event(&format!("response.{last}"), &response)).unwrap();
        assert_eq!(relay.progress().finish_reasons, [expected]);
        assert_eq!(relay.progress().usage.unwrap().input_tokens, 3);
        assert_eq!(relay.end(&mut Vec::new()), Ok(()));
    }
    let mut relay = Relay::new(EventInspector::default());
    let call = r#","item":{"type":"function_call","name":"f"}"#;
    push(&mut relay, &event("response.output_item.added", call)).unwrap();
    push(
        &mut relay,
        &event(
            "response.completed",
            r#","response":{"status":"completed"}"#,
        ),
    )
    .unwrap();
    assert_eq!(relay.progress().finish_reasons, [FinishReason::ToolCalls]);
}

#[test]
fn without_the_last_event_it_is_not_complete_whatever_came() {
    let mut relay = Relay::new(EventInspector::default());
    push(
        &mut relay,
        &event("response.output_text.done", r#","text":"all of it""#),
    )
    .unwrap();
    push(
        &mut relay,
        &event("response.output_item.done", r#","item":{"type":"message"}"#),
    )
    .unwrap();
    assert_eq!(relay.end(&mut Vec::new()), Err(StreamFault::Incomplete));
    let mut relay = Relay::new(EventInspector::default());
    assert_eq!(
        push(&mut relay, "data: [DONE]\n\n"),
        Err(StreamFault::Incomplete)
    );
}

#[test]
fn an_error_inside_is_an_error() {
    for stream in [
        event("error", r#","code":"server_error","message":"m""#),
        event(
            "response.failed",
            r#","response":{"status":"failed","error":{"code":"server_error","message":"m"}}"#,
        ),
        // Without the name of the event, as servers of the family send it.
        "data: {\"error\":{\"message\":\"m\",\"code\":500}}\n\n".to_owned(),
    ] {
        let mut relay = Relay::new(EventInspector::default());
        let fault = push(&mut relay, &stream).unwrap_err();
        let StreamFault::Provider(error) = fault else {
            unreachable!("{fault}");
        };
        assert_eq!((error.message.as_str(), error.status), ("m", 500));
    }
}

#[test]
fn facts_of_a_whole_answer() {
    let body = br#"{"object":"response","model":"gpt-x","status":"completed","error":null,"output":[{"type":"message"},{"type":"custom_tool_call"}],"usage":{"input_tokens":2,"output_tokens":4}}"#;
    let known = facts(body).unwrap();
    assert_eq!(known.model.as_deref(), Some("gpt-x"));
    assert_eq!(known.finish_reasons, [FinishReason::ToolCalls]);
    assert_eq!(known.usage.unwrap().output_tokens, 4);
    let queued = facts(br#"{"status":"queued","output":[]}"#).unwrap();
    assert_eq!(queued.finish_reasons[0].name(), "queued");
    for body in [
        &br#"{"output":[]}"#[..],
        b"{}",
        b"",
        br#"{"status":"completed"}"#,
    ] {
        assert_eq!(facts(body), Err(StreamFault::Incomplete));
    }
    let failed = facts(br#"{"status":"failed","error":{"code":"server_error","message":"m"}}"#);
    assert!(matches!(failed, Err(StreamFault::Provider(_))));
}

#[test]
fn ids_are_marked_however_the_stream_is_cut() {
    let response = |status: &str| {
        format!(
            r#","response":{{"id":"resp_1","previous_response_id":"resp_0","model":"m","status":"{status}","output":[]}}"#
        )
    };
    let stream = [
        event("response.created", &response("in_progress")),
        event(
            "response.output_text.delta",
            r#","delta":"resp_1","item_id":"msg_1""#,
        ),
        event(
            "response.content_part.done",
            r#","part":{"annotations":[{"file_id":"file-1"}]}"#,
        ),
        event("response.completed", &response("completed")),
    ]
    .concat();
    let expected = stream
        .replace(r#""id":"resp_1""#, r#""id":"resp_1_at""#)
        .replace("resp_0\"", "resp_0_at\"")
        .replace("file-1\"", "file-1_at\"");
    let options = RelayOptions {
        mark: Some("_at".into()),
        ..RelayOptions::default()
    };
    for size in [1, 7, 100, stream.len()] {
        let mut relay = Relay::new(EventInspector::new(&options));
        let mut out = Vec::new();
        for piece in stream.as_bytes().chunks(size) {
            relay.push(Bytes::copy_from_slice(piece), &mut out).unwrap();
        }
        relay.end(&mut out).unwrap();
        assert_eq!(String::from_utf8(out.concat()).unwrap(), expected);
        assert!(relay.progress().finished);
    }
}
