//! Frames, however they are written and cut.

use proptest::collection::vec;
use proptest::prelude::{prop_assert_eq, proptest};

use super::*;
use crate::sse::Frame;

/// Event and data of each frame with data.
fn frames(pieces: &[&[u8]]) -> Vec<(Option<String>, String)> {
    let mut splitter = Splitter::new();
    let mut out = Vec::new();
    let mut take = |frame: &[u8]| {
        let frame = Frame::parse(frame);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        if let Some(data) = frame.data {
            out.push((frame.event.map(text), text(&data)));
        }
        Ok(())
    };
    for piece in pieces {
        splitter.split(piece, &mut take).unwrap();
    }
    let tail = splitter.take_tail();
    take(&tail).unwrap();
    out
}

fn data(texts: &[&str]) -> Vec<(Option<String>, String)> {
    texts
        .iter()
        .map(|text| (None, (*text).to_owned()))
        .collect()
}

#[test]
fn every_spelling_is_read() {
    for (stream, expected) in [
        ("data: a\n\ndata:b\n\n", data(&["a", "b"])),
        ("data: a\r\n\r\ndata: b\r\n\r\n", data(&["a", "b"])),
        ("data: a\r\rdata: b\r\r", data(&["a", "b"])),
        ("data: a\r\n\ndata: b\n\r\n", data(&["a", "b"])),
        ("\u{feff}data: a\n\n", data(&["a"])),
        (": comment\n\n\n\ndata: a\n\n", data(&["a"])),
        (": comment\ndata: a\nid: 1\nretry: 5\n\n", data(&["a"])),
        ("data: a\ndata:  b\ndata\ndata:\n\n", data(&["a\n b\n\n"])),
        ("data:\n\n", data(&[""])),
        ("data: a", data(&["a"])),
        ("datax: a\n\n", vec![]),
        (
            "event: error\ndata: a\n\n",
            vec![(Some("error".to_owned()), "a".to_owned())],
        ),
        (
            "data: a\nevent:e\n\n",
            vec![(Some("e".to_owned()), "a".to_owned())],
        ),
    ] {
        assert_eq!(frames(&[stream.as_bytes()]), expected, "{stream:?}");
        let bytes: Vec<&[u8]> = stream.as_bytes().chunks(1).collect();
        assert_eq!(frames(&bytes), expected, "{stream:?} in single bytes");
    }
}

#[test]
fn a_return_at_the_end_of_a_piece_does_not_wait_for_more() {
    let mut splitter = Splitter::new();
    let mut seen = 0;
    splitter
        .split(b"data: a\r\r", |_| {
            seen += 1;
            Ok(())
        })
        .unwrap();
    assert_eq!(seen, 1);
}

#[test]
fn what_is_dropped_or_faulty_leaves_its_neighbours() {
    let chunk = Bytes::from_static(b"data: 1\n\ndata: 2\n\ndata: 3\n\ndata: 4\n\ndata: 5\n\n");
    let mut out = Vec::new();
    let result = Splitter::new().relay(&chunk, &mut out, |frame| match frame {
        b"data: 2\n\n" => Ok(Verdict::Drop),
        b"data: 5\n\n" => Err(StreamFault::Incomplete),
        _ => Ok(Verdict::Keep),
    });
    assert_eq!(result, Err(StreamFault::Incomplete));
    assert_eq!(out, ["data: 1\n\n", "data: 3\n\ndata: 4\n\n"]);
}

proptest! {
    #[test]
    fn cuts_change_nothing(
        lines in vec("(data: ?|event: ?|: |)[a-zé😀]{0,3}(\n|\r\n|\r)(\n|\r\n|\r)?", 0..8),
        lengths in vec(1..5_usize, 1..5),
    ) {
        let stream = lines.concat();
        let bytes = stream.as_bytes();
        let mut pieces = Vec::new();
        let mut at = 0;
        for length in lengths.iter().cycle() {
            if at >= bytes.len() {
                break;
            }
            let end = (at + length).min(bytes.len());
            pieces.push(&bytes[at..end]);
            at = end;
        }
        prop_assert_eq!(frames(&pieces), frames(&[bytes]));

        let mut relayed = Vec::new();
        let mut splitter = Splitter::new();
        for piece in &pieces {
            let piece = Bytes::copy_from_slice(piece);
            splitter.relay(&piece, &mut relayed, |_| Ok(Verdict::Keep)).unwrap();
        }
        relayed.push(splitter.take_tail());
        prop_assert_eq!(relayed.concat(), bytes);
    }
}
