//! Nothing panics, whatever the bytes; and nothing takes more than linear work.

use std::time::SystemTime;

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use bytes::Bytes;
use fkm_llm::sse::MAX_FRAME_BYTES;
use fkm_llm::{Format, RelayOptions, StreamFault, StreamOptions, format, scan, translate};
use http::HeaderMap;
use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_oneof};

use crate::{check, dialect, generate};

/// Bytes that are anything, and bytes that are almost something.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let pieces = vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "\\",
        "\\u",
        "\n",
        "\r",
        "\n\n",
        "data: ",
        "event: error",
        "\"choices\"",
        "\"delta\"",
        "\"content\"",
        "\"tool_calls\"",
        "\"index\"",
        "\"finish_reason\"",
        "\"stop\"",
        "\"usage\"",
        "\"error\"",
        "\"type\"",
        "\"message_start\"",
        "\"message\"",
        "\"content_block_start\"",
        "\"content_block\"",
        "\"text\"",
        "\"model\"",
        "\"messages\"",
        "\"role\"",
        "\"user\"",
        "\"max_tokens\"",
        "\"output\"",
        "\"stopReason\"",
        "\"contentBlockIndex\"",
        "\"start\"",
        "\"toolUse\"",
        "\"input\"",
        "\"reasoningContent\"",
        "\"redactedContent\"",
        "null",
        "true",
        "0",
        "1e999",
        "-1",
        "[DONE]",
        "\u{feff}",
        "é",
    ];
    prop_oneof![
        vec(any::<u8>(), 0..64),
        vec(proptest::sample::select(pieces), 0..48)
            .prop_map(|pieces| pieces.concat().into_bytes()),
    ]
}

/// A valid document with some bytes changed.
fn damaged() -> impl Strategy<Value = (Format, Vec<u8>)> {
    let format_ = proptest::sample::select(Format::ALL.to_vec());
    format_.prop_flat_map(|home| {
        let document = generate::response(home).prop_map(move |response| {
            format(home)
                .encode_response(&response)
                .map(|e| e.body)
                .unwrap_or_default()
        });
        let changes = vec((any::<proptest::sample::Index>(), any::<u8>()), 0..4);
        (document, changes).prop_map(move |(mut body, changes)| {
            for (at, byte) in changes {
                if !body.is_empty() {
                    let at = at.index(body.len());
                    body[at] = byte;
                }
            }
            (home, body)
        })
    })
}

/// A body in the frames of `home`, as each of the events that it knows.
fn framed(home: Format, body: &[u8]) -> Vec<Vec<u8>> {
    if !generate::home(home).binary {
        return vec![[b"data: ", body, b"\n\n"].concat()];
    }
    let names = [
        "messageStart",
        "contentBlockStart",
        "contentBlockDelta",
        "contentBlockStop",
        "messageStop",
        "metadata",
        "somethingNew",
    ];
    let mut all: Vec<Vec<u8>> = names
        .iter()
        .map(|name| binary_frame("event", name, body))
        .collect();
    all.push(binary_frame("exception", "throttlingException", body));
    all.push(all.concat());
    all
}

fn binary_frame(kind: &'static str, name: &'static str, payload: &[u8]) -> Vec<u8> {
    let header = |name: &'static str, value: &'static str| {
        Header::new(name, HeaderValue::String(value.into()))
    };
    let key = if kind == "event" {
        ":event-type"
    } else {
        ":exception-type"
    };
    let message = Message::new(payload.to_vec())
        .add_header(header(":message-type", kind))
        .add_header(header(key, name));
    let mut out = Vec::new();
    write_message_to(&message, &mut out).unwrap();
    out
}

fn read_every_way(home: Format, body: &[u8]) {
    let wire = format(home);
    let _ = scan(body);
    let _ = wire.decode_request(body);
    let _ = wire.decode_response(body);
    let _ = wire.response_facts(body);
    let headers = HeaderMap::new();
    for status in [200, 400, 429, 500] {
        let error = wire.decode_error(status, &headers, body);
        let client = fkm_llm::ClientError::from(&error);
        assert!(!wire.encode_error(&client).is_empty());
        let _ = error
            .retry_after
            .map(|after| after.delay_at(SystemTime::UNIX_EPOCH));
    }
    for stream in std::iter::once(body.to_vec()).chain(framed(home, body)) {
        let stream = stream.as_slice();
        let mut events = Vec::new();
        let mut decoder = wire.stream_decoder(&dialect(home));
        let _ = decoder
            .push(stream, &mut events)
            .and_then(|()| decoder.end(&mut events));
        let _ = fkm_llm::fold::fold(events);
        let mut relay = wire.relay(&RelayOptions::default());
        let mut out = Vec::new();
        let pushed = relay.push(Bytes::copy_from_slice(stream), &mut out);
        let _ = pushed.and_then(|()| relay.end(&mut out));
        for to in Format::ALL {
            let mut transform = translate(&dialect(home), to, &StreamOptions::default());
            let pushed = transform.push(Bytes::copy_from_slice(stream), &mut out);
            let _ = pushed.and_then(|()| transform.end(&mut out));
        }
    }
}

#[test]
fn arbitrary_bytes() {
    check(4_000, &bytes(), |body| {
        for home in Format::ALL {
            read_every_way(home, &body);
        }
        Ok(true)
    });
}

#[test]
fn damaged_documents() {
    check(1_000, &damaged(), |(home, body)| {
        read_every_way(home, &body);
        Ok(true)
    });
}

#[test]
fn depth_does_not_exhaust_the_stack() {
    let deep = "[".repeat(1_000_000);
    for home in Format::ALL {
        read_every_way(home, deep.as_bytes());
        let inside = format!(r#"{{"model":"m","messages":[],"max_tokens":1,"x":{deep}"#);
        read_every_way(home, inside.as_bytes());
        let closed = format!("{inside}{}}}", "]".repeat(1_000_000));
        read_every_way(home, closed.as_bytes());
    }
}

/// Were any byte of it looked at again for each byte that follows, this would take days.
#[test]
fn a_large_frame_in_single_bytes_is_linear_work() {
    let body = vec![b'x'; 4 << 20];
    for home in Format::ALL {
        let mut relay = format(home).relay(&RelayOptions::default());
        let mut decoder = format(home).stream_decoder(&dialect(home));
        let mut out = Vec::new();
        let mut events = Vec::new();
        let frame = match generate::home(home).binary {
            true => binary_frame("event", "somethingNew", &body),
            false => [b": ", &body[..], b"\n\n"].concat(),
        };
        for byte in Bytes::from(frame.clone()).chunks(1) {
            relay.push(Bytes::copy_from_slice(byte), &mut out).unwrap();
            decoder.push(byte, &mut events).unwrap();
        }
        assert_eq!(out.concat(), frame);
        assert_eq!(out.len(), 1, "held until it was whole");
    }
}

#[test]
fn a_frame_without_end_is_refused_at_the_limit() {
    let piece = Bytes::from(vec![b'x'; 64 << 10]);
    for home in Format::ALL {
        let mut relay = format(home).relay(&RelayOptions::default());
        let mut decoder = format(home).stream_decoder(&dialect(home));
        let mut out = Vec::new();
        let mut events = Vec::new();
        let limit = StreamFault::TooLarge {
            limit: MAX_FRAME_BYTES,
        };
        if generate::home(home).binary {
            // It says its length at the beginning: nothing of it is even held.
            let mut prelude = [0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0].to_vec();
            prelude.extend_from_slice(&crc32fast::hash(&prelude).to_be_bytes());
            let prelude = Bytes::from(prelude);
            assert_eq!(relay.push(prelude.clone(), &mut out), Err(limit.clone()));
            assert_eq!(decoder.push(&prelude, &mut events), Err(limit));
            continue;
        }
        for _ in 0..MAX_FRAME_BYTES / piece.len() {
            relay.push(piece.clone(), &mut out).unwrap();
            decoder.push(&piece, &mut events).unwrap();
        }
        assert_eq!(relay.push(piece.clone(), &mut out), Err(limit.clone()));
        assert_eq!(decoder.push(&piece, &mut events), Err(limit));
        assert!(out.is_empty());
    }
}
