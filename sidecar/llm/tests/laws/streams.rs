//! `fold(decode_stream(encode_stream(v))) = v`, however the stream is cut; and where a stream may end.

use bytes::Bytes;
use fkm_llm::fold::{fold, unfold};
use fkm_llm::ir::{Delta, Event, Response};
use fkm_llm::{
    Format, RelayOptions, StreamFault, StreamOptions, StreamTransform, format, translate,
};
use proptest::collection::vec;
use proptest::prelude::{Strategy, any};
use proptest::test_runner::TestCaseError;
use proptest::{prop_assert, prop_assert_eq};

use crate::{check, dialect, generate};

fn options() -> StreamOptions {
    StreamOptions {
        include_usage: true,
        ..StreamOptions::default()
    }
}

/// Every text in pieces of one character, and the choices in turns.
fn shatter(events: Vec<Event>) -> Vec<Event> {
    let mut out = Vec::new();
    for event in events {
        let Event::Delta {
            choice,
            block,
            delta,
        } = event
        else {
            out.push(event);
            continue;
        };
        let piece: fn(String) -> Delta = match &delta {
            Delta::Text(_) => Delta::Text,
            Delta::Reasoning(_) => Delta::Reasoning,
            Delta::Arguments(_) => Delta::Arguments,
            Delta::Refusal(_) => Delta::Refusal,
            Delta::Citation(_) | Delta::State(_) => {
                out.push(Event::Delta {
                    choice,
                    block,
                    delta,
                });
                continue;
            }
        };
        let (Delta::Text(text)
        | Delta::Reasoning(text)
        | Delta::Arguments(text)
        | Delta::Refusal(text)) = delta
        else {
            continue;
        };
        out.extend(text.chars().map(|c| Event::Delta {
            choice,
            block,
            delta: piece(c.into()),
        }));
    }
    take_turns(out)
}

/// The events of the choices one by one in turns, the order within each choice kept.
fn take_turns(events: Vec<Event>) -> Vec<Event> {
    let of = |event: &Event| match event {
        Event::BlockStart { choice, .. }
        | Event::Delta { choice, .. }
        | Event::BlockStop { choice, .. }
        | Event::Stop { choice, .. } => Some(*choice),
        Event::Start(_) | Event::Usage(_) | Event::Error(_) => None,
    };
    let (mut out, mut rest): (Vec<_>, Vec<_>) = events.into_iter().partition(|e| of(e).is_none());
    let most = rest.iter().filter_map(of).max().unwrap_or_default();
    let mut queues: Vec<std::collections::VecDeque<Event>> =
        (0..=most).map(|_| [].into()).collect();
    for event in rest.drain(..) {
        let choice = of(&event).unwrap_or_default() as usize;
        queues[choice].push_back(event);
    }
    while queues.iter().any(|queue| !queue.is_empty()) {
        out.extend(
            queues
                .iter_mut()
                .filter_map(std::collections::VecDeque::pop_front),
        );
    }
    out
}

fn encode(events: &[Event], to: Format) -> Vec<Bytes> {
    let mut encoder = format(to).stream_encoder(&options());
    let mut out = Vec::new();
    for event in events {
        encoder.push(event, &mut out);
    }
    encoder.end(&mut out);
    out
}

/// Decodes pieces; every event, and how it ended.
fn decode<'a>(
    from: Format,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<Event>, Result<(), StreamFault>) {
    let mut decoder = format(from).stream_decoder(&dialect(from));
    let mut events = Vec::new();
    for piece in pieces {
        if let Err(fault) = decoder.push(piece, &mut events) {
            return (events, Err(fault));
        }
    }
    let end = decoder.end(&mut events);
    (events, end)
}

/// Drives a transform; what came out, and how it ended.
fn drive<'a>(
    mut transform: Box<dyn StreamTransform>,
    pieces: impl IntoIterator<Item = &'a [u8]>,
) -> (Vec<u8>, Result<(), StreamFault>, Box<dyn StreamTransform>) {
    let mut out = Vec::new();
    let mut end = Ok(());
    for piece in pieces {
        end = transform.push(Bytes::copy_from_slice(piece), &mut out);
        if end.is_err() {
            break;
        }
    }
    if end.is_ok() {
        end = transform.end(&mut out);
    }
    (out.concat(), end, transform)
}

/// Pieces of the lengths given, round and round.
fn cut<'a>(bytes: &'a [u8], lengths: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    let mut rest = bytes;
    for length in lengths.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, after) = rest.split_at((*length).clamp(1, rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces
}

/// Answers that this format can express as a whole, with how to cut them.
fn cases(home: Format) -> impl Strategy<Value = (Response, Vec<usize>)> {
    (generate::response(home), vec(1..40_usize, 1..6))
}

#[test]
fn a_stream_folds_to_what_was_streamed_however_it_is_cut() {
    for home in Format::ALL {
        let applied = check(1_000, &cases(home), |(response, lengths)| {
            match format(home).encode_response(&response) {
                Ok(encoded) if encoded.dropped.is_empty() => {}
                _ => return Ok(false),
            }
            let expected = Ok(response.clone().canonical());
            for events in [unfold(&response), shatter(unfold(&response))] {
                let bytes = encode(&events, home).concat();
                let text = String::from_utf8_lossy(&bytes).into_owned();
                for lengths in [&[usize::MAX][..], &[1], &[7], &lengths] {
                    let (events, end) = decode(home, cut(&bytes, lengths));
                    prop_assert_eq!(end, Ok(()), "{}", text);
                    prop_assert_eq!(&fold(events), &expected, "{}", text);
                }
            }
            Ok(true)
        });
        assert!(
            applied > 150,
            "{home}: only {applied} streams were expressible"
        );
    }
}

#[test]
fn pass_through_changes_no_byte_however_it_is_cut() {
    for home in Format::ALL {
        check(300, &cases(home), |(response, lengths)| {
            let bytes = encode(&shatter(unfold(&response)), home).concat();
            let options = RelayOptions {
                choices: response.choices.len().try_into().unwrap(),
                ..RelayOptions::default()
            };
            for lengths in [&[usize::MAX][..], &[1], &[7], &lengths] {
                let relay = format(home).relay(&options);
                let (out, end, relay) = drive(relay, cut(&bytes, lengths));
                prop_assert_eq!(end, Ok(()));
                prop_assert!(out == bytes, "{}", String::from_utf8_lossy(&out));
                let progress = relay.progress();
                prop_assert!(progress.finished && progress.content_started);
                let (events, _) = decode(home, [&bytes[..]]);
                prop_assert_eq!(progress.usage, fold(events).unwrap().usage);
            }
            Ok(true)
        });
    }
}

#[test]
fn a_stream_is_complete_exactly_when_every_finish_reason_has_come() {
    for home in Format::ALL {
        check(200, &cases(home), |(response, _)| {
            every_end(home, &response)
        });
    }
}

fn every_end(home: Format, response: &Response) -> Result<bool, TestCaseError> {
    let choices = response.choices.len();
    let options = StreamOptions {
        choices: choices.try_into().unwrap(),
        ..options()
    };
    let relay_options = RelayOptions {
        choices: options.choices,
        ..RelayOptions::default()
    };
    let frames = encode(&shatter(unfold(response)), home);
    for end in 0..=frames.len() {
        let bytes = frames[..end].concat();
        let (events, decoded) = decode(home, [&bytes[..]]);
        let stops = events
            .iter()
            .filter(|e| matches!(e, Event::Stop { .. }))
            .count();
        prop_assert!(stops < choices || decoded.is_ok());
        let expected = if stops == choices {
            Ok(())
        } else {
            Err(StreamFault::Incomplete)
        };
        let (out, relayed, _) = drive(format(home).relay(&relay_options), [&bytes[..]]);
        prop_assert_eq!(&relayed, &expected, "after frame {}", end);
        prop_assert!(out.starts_with(&bytes));
        let binary = generate::home(home).binary;
        if relayed.is_ok() {
            // What was missing at the end is there now; but a usage is not made up.
            let last = frames[frames.len() - 1].as_ref();
            let completed = if binary {
                out == bytes
            } else {
                out.ends_with(last)
            };
            prop_assert!(completed);
            let folded = fold(decode(home, [&out[..]]).0);
            prop_assert!(folded.is_ok());
        }
        // Within a frame, too: never complete before, and only whole frames come out.
        let next = frames.get(end).map(|frame| &frame[..frame.len() / 2]);
        let partial = [&bytes[..], next.unwrap_or_default()];
        let (out, cut, _) = drive(format(home).relay(&relay_options), partial);
        prop_assert_eq!(cut, expected.clone(), "inside frame {}", end);
        prop_assert!(out.starts_with(&bytes));
        let whole = if binary {
            out == bytes
        } else {
            out.ends_with(b"\n\n")
        };
        prop_assert!(whole || out.is_empty());
        for to in Format::ALL {
            let transform = translate(&dialect(home), to, &options);
            let (_, translated, _) = drive(transform, [&bytes[..]]);
            prop_assert_eq!(
                translated,
                expected.clone(),
                "translated, after frame {}",
                end
            );
        }
    }
    Ok(true)
}

#[test]
fn only_the_usage_chunk_that_was_not_asked_for_is_taken_out() {
    let home = Format::OpenAiChat;
    let cases = (cases(home), any::<bool>());
    check(300, &cases, |((response, lengths), strip_usage)| {
        let frames = encode(&shatter(unfold(&response)), home);
        let bytes = frames.concat();
        let options = RelayOptions {
            strip_usage,
            choices: response.choices.len().try_into().unwrap(),
            ..RelayOptions::default()
        };
        // The chunk before `[DONE]`.
        let usage = frames.len() - 2;
        let mut expected = frames;
        if strip_usage {
            expected.remove(usage);
        }
        for lengths in [&[usize::MAX][..], &[1], &lengths] {
            let (out, end, relay) = drive(format(home).relay(&options), cut(&bytes, lengths));
            prop_assert_eq!(end, Ok(()));
            prop_assert!(out == expected.concat());
            prop_assert_eq!(relay.progress().usage, response.usage);
        }
        Ok(true)
    });
}
