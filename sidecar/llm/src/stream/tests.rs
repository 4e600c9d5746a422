//! What is accounted for a stream, however it ended.

use super::*;
use crate::ir::{BlockStart, Delta, Extra, Start};

fn usage(input: u64, output: u64) -> Usage {
    Usage {
        input_tokens: input,
        output_tokens: output,
        ..Usage::default()
    }
}

fn estimated(input: u64, output: u64) -> Usage {
    Usage {
        estimated: true,
        ..usage(input, output)
    }
}

fn seen(told: Option<Usage>, written_bytes: u64, finished: bool) -> Progress {
    Progress {
        usage: told,
        written_bytes,
        finished,
        ..Progress::default()
    }
}

#[test]
fn the_providers_word_counts_where_it_is_the_last() {
    let told = Some(usage(7, 9));
    assert_eq!(seen(told, 4000, true).accounted_usage(), told);
    // An answer of nothing.
    let nothing = Some(usage(7, 0));
    assert_eq!(seen(nothing, 0, true).accounted_usage(), nothing);
}

#[test]
fn what_was_not_told_is_estimated_and_marked() {
    for (progress, expected) in [
        // Complete, without usage.
        (seen(None, 9, true), Some(estimated(0, 3))),
        // Broken off, the input told at the start.
        (seen(Some(usage(7, 1)), 9, false), Some(estimated(7, 3))),
        // Broken off, and told on the way.
        (seen(Some(usage(7, 5)), 9, false), Some(estimated(7, 5))),
        // Complete, with nothing told but the input.
        (seen(Some(usage(7, 0)), 8, true), Some(estimated(7, 2))),
        // Broken off before the first word: what was read is known.
        (seen(Some(usage(7, 0)), 0, false), Some(estimated(7, 0))),
        // Nothing at all is known.
        (seen(None, 0, false), None),
        (seen(None, 0, true), None),
    ] {
        assert_eq!(progress.accounted_usage(), expected, "{progress:?}");
    }
}

#[test]
fn texts_thoughts_refusals_and_arguments_are_written() {
    let mut progress = Progress::default();
    progress.note(&Event::Start(Start::default()), 1);
    let extra = Extra::default();
    let start = BlockStart::Text { extra };
    let (choice, block) = (0, 0);
    progress.note(
        &Event::BlockStart {
            choice,
            block,
            start,
        },
        1,
    );
    for delta in [
        Delta::Text("a".to_owned()),
        Delta::Reasoning("bc".to_owned()),
        Delta::Arguments("{}".to_owned()),
        Delta::Refusal("é".to_owned()),
    ] {
        progress.note(
            &Event::Delta {
                choice,
                block,
                delta,
            },
            1,
        );
    }
    assert_eq!(progress.written_bytes, 7);
    assert_eq!(progress.accounted_usage(), Some(estimated(0, 2)));
}
