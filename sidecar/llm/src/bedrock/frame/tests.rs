use super::*;

/// An event with these bytes.
fn event(name: &'static str, payload: &[u8]) -> Bytes {
    super::event(name, |out| out.extend_from_slice(payload))
}

/// A frame by the description of its layout, not by the crate.
fn by_hand(kind: &str, name: (&str, &str), payload: &[u8]) -> Vec<u8> {
    let mut headers = Vec::new();
    let all = [
        name,
        (":content-type", "application/json"),
        (":message-type", kind),
    ];
    for (key, value) in all {
        headers.push(u8::try_from(key.len()).unwrap());
        headers.extend_from_slice(key.as_bytes());
        headers.push(7);
        headers.extend_from_slice(&u16::try_from(value.len()).unwrap().to_be_bytes());
        headers.extend_from_slice(value.as_bytes());
    }
    let length = |length: usize| u32::try_from(length).unwrap().to_be_bytes();
    let mut out = Vec::new();
    out.extend_from_slice(&length(16 + headers.len() + payload.len()));
    out.extend_from_slice(&length(headers.len()));
    out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
    out.extend_from_slice(&headers);
    out.extend_from_slice(payload);
    out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
    out
}

/// The frames of a stream that comes in pieces of `size` bytes.
fn split(bytes: &[u8], size: usize) -> Result<Vec<Vec<u8>>, StreamFault> {
    let mut splitter = FrameSplitter::default();
    let mut frames = Vec::new();
    for piece in bytes.chunks(size) {
        splitter.split(piece, |frame| {
            frames.push(frame.to_vec());
            Ok(())
        })?;
    }
    Ok(frames)
}

/// A prelude that claims these lengths, its sum right.
fn prelude(all: u32, headers: u32) -> Vec<u8> {
    let mut out = [all.to_be_bytes(), headers.to_be_bytes()].concat();
    out.extend_from_slice(&crc32fast::hash(&out).to_be_bytes());
    out
}

#[test]
fn what_is_written_is_what_the_layout_says() {
    let frame = event("messageStart", br#"{"role":"assistant"}"#);
    let expected = by_hand(
        "event",
        (":event-type", "messageStart"),
        br#"{"role":"assistant"}"#,
    );
    assert_eq!(frame, expected);
    let parsed = Frame::parse(&frame).unwrap();
    assert_eq!(parsed.kind(), Kind::Event("messageStart"));
    assert_eq!(parsed.payload(), br#"{"role":"assistant"}"#);

    let frame = exception("throttlingException", b"{}");
    let expected = by_hand(
        "exception",
        (":exception-type", "throttlingException"),
        b"{}",
    );
    assert_eq!(frame, expected);
    let kind = Kind::Exception("throttlingException");
    assert_eq!(Frame::parse(&frame).unwrap().kind(), kind);
}

#[test]
fn frames_are_found_however_the_bytes_are_cut() {
    let frames = [
        event("a", b""),
        event("b", &[0; 300]),
        exception("c", b"{}"),
    ];
    let bytes = frames.concat();
    for size in 1..=bytes.len() {
        assert_eq!(split(&bytes, size).unwrap(), frames, "in pieces of {size}");
    }
    for end in 0..bytes.len() {
        let whole = split(&bytes[..end], 7).unwrap();
        assert!(whole.len() < frames.len());
        assert_eq!(whole, frames[..whole.len()]);
    }
}

#[test]
fn every_flipped_bit_is_noticed() {
    let frame = event("messageStop", br#"{"stopReason":"end_turn"}"#);
    for at in 0..frame.len() {
        for bit in 0..8 {
            let mut broken = frame.to_vec();
            broken[at] ^= 1 << bit;
            let read = split(&broken, broken.len())
                .and_then(|frames| frames.iter().try_for_each(|f| Frame::parse(f).map(drop)));
            assert!(read.is_err(), "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn lengths_that_cannot_be_are_refused_at_once() {
    let limit = u32::try_from(MAX_FRAME_BYTES).unwrap();
    let too_large = Err(StreamFault::TooLarge {
        limit: MAX_FRAME_BYTES,
    });
    assert_eq!(split(&prelude(limit + 1, 0), 1), too_large);
    assert_eq!(split(&prelude(limit, 0), 1), Ok(vec![]));
    for (all, headers) in [(0, 0), (15, 0), (16, 1), (100, 85), (100, u32::MAX)] {
        let found = split(&prelude(all, headers), 5);
        assert!(
            matches!(found, Err(StreamFault::Malformed { .. })),
            "{all} {headers}"
        );
    }
    let text = split(b"<html><body>no stream at all", 3);
    assert!(matches!(text, Err(StreamFault::Malformed { .. })));
}
