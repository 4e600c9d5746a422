//! Orders of events that make no answer.

use super::*;

fn stop(choice: u32) -> Event {
    Event::Stop {
        choice,
        reason: FinishReason::Stop,
        extra: Extra::default(),
    }
}

fn text_start(choice: u32) -> Event {
    Event::BlockStart {
        choice,
        block: 0,
        start: BlockStart::Text {
            extra: Extra::default(),
        },
    }
}

#[test]
fn no_choice_or_an_unfinished_one_is_incomplete() {
    assert_eq!(fold([]), Err(StreamFault::Incomplete));
    assert_eq!(fold([text_start(0)]), Err(StreamFault::Incomplete));
    assert_eq!(fold([stop(0), text_start(1)]), Err(StreamFault::Incomplete));
    assert!(fold([stop(0)]).is_ok());
}

#[test]
fn a_piece_without_its_part_is_malformed() {
    let delta = |delta| Event::Delta {
        choice: 0,
        block: 0,
        delta,
    };
    for events in [
        vec![delta(Delta::Text("x".to_owned())), stop(0)],
        vec![
            text_start(0),
            delta(Delta::Arguments("{}".to_owned())),
            stop(0),
        ],
    ] {
        let fault = fold(events).unwrap_err();
        assert!(matches!(fault, StreamFault::Malformed { .. }), "{fault}");
    }
}

#[test]
fn an_error_is_the_end() {
    let headers = http::HeaderMap::new();
    let error = crate::format(crate::Format::OpenAiChat).decode_error(500, &headers, b"");
    let fault = fold([text_start(0), Event::Error(error.clone()), stop(0)]);
    assert_eq!(fault, Err(StreamFault::Provider(Box::new(error))));
}

#[test]
fn the_last_usage_counts() {
    let usage = |output_tokens| {
        Event::Usage(crate::ir::Usage {
            output_tokens,
            ..crate::ir::Usage::default()
        })
    };
    let answer = fold([usage(1), stop(0), usage(7)]).unwrap();
    assert_eq!(answer.usage.unwrap().output_tokens, 7);
}
