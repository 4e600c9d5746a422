//! Costs worked out by hand, and the laws that hold for all of them.

use proptest::prelude::*;

use super::*;
use crate::ir::Billed;

/// USD per million tokens as a rate.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small positive numbers of a test"
)]
fn usd(dollars: f64) -> u64 {
    (dollars * 1e9).round() as u64
}

/// As Anthropic prices a Sonnet, with rates above 200 000 tokens.
fn sonnet() -> Price {
    Price {
        default: vec![
            Rates {
                input: Some(usd(3.0)),
                output: Some(usd(15.0)),
                cache_read: Some(usd(0.3)),
                cache_write: Some(usd(3.75)),
                cache_write1h: Some(usd(6.0)),
                ..Rates::default()
            },
            Rates {
                above: 200_000,
                input: Some(usd(6.0)),
                output: Some(usd(22.5)),
                cache_read: Some(usd(0.6)),
                cache_write: Some(usd(7.5)),
                cache_write1h: Some(usd(12.0)),
                ..Rates::default()
            },
        ],
        batch: vec![Rates {
            input: Some(usd(1.5)),
            output: Some(usd(7.5)),
            ..Rates::default()
        }],
        ..Price::default()
    }
}

fn nano(usage: &Usage, price: &Price) -> Option<u64> {
    cost(usage, price, ServiceTier::Default).map(|amount| amount.0)
}

#[test]
fn every_part_has_its_rate() {
    // 1 532 read: 1 111 from the cache, 418 into it, of which 100 for an hour, 3 neither; 40 written
    let usage = Usage {
        input_tokens: 1_532,
        cached_input_tokens: 1_111,
        cache_write_tokens: 418,
        cache_write_1h_tokens: 100,
        output_tokens: 40,
        ..Usage::default()
    };
    // 3 x 3000 + 1111 x 300 + 318 x 3750 + 100 x 6000 + 40 x 15000 nano-USD a token
    let expected = 9_000 + 333_300 + 1_192_500 + 600_000 + 600_000;
    assert_eq!(nano(&usage, &sonnet()), Some(expected));
}

#[test]
fn a_threshold_reprices_the_whole_request() {
    let usage = |input_tokens| Usage {
        input_tokens,
        cached_input_tokens: 150_000,
        output_tokens: 1_000,
        ..Usage::default()
    };
    // at it: 50 000 x 3000 + 150 000 x 300 + 1 000 x 15 000
    assert_eq!(nano(&usage(200_000), &sonnet()), Some(210_000_000));
    // one more: 50 001 x 6000 + 150 000 x 600 + 1 000 x 22 500
    assert_eq!(nano(&usage(200_001), &sonnet()), Some(412_506_000));
}

#[test]
fn sound_and_reasoning_have_rates_of_their_own_where_there_are_any() {
    let usage = Usage {
        input_tokens: 1_000,
        cached_input_tokens: 400,
        input_audio_tokens: 200,
        output_tokens: 500,
        reasoning_tokens: 300,
        output_audio_tokens: 100,
        ..Usage::default()
    };
    let plain = Rates {
        input: Some(usd(2.5)),
        output: Some(usd(10.0)),
        ..Rates::default()
    };
    let one = |rates: Rates| Price {
        default: vec![rates],
        ..Price::default()
    };
    assert_eq!(
        nano(&usage, &one(plain.clone())),
        Some(2_500_000 + 5_000_000)
    );
    let rich = Rates {
        input_audio: Some(usd(40.0)),
        output_audio: Some(usd(80.0)),
        reasoning: Some(usd(3.0)),
        cache_read: Some(usd(1.25)),
        ..plain
    };
    // 400 x 2500 + 200 x 40 000 + 400 x 1250, 100 x 10 000 + 300 x 3000 + 100 x 80 000
    let expected = 1_000_000 + 8_000_000 + 500_000 + 1_000_000 + 900_000 + 8_000_000;
    assert_eq!(nano(&usage, &one(rich)), Some(expected));
}

#[test]
fn what_is_billed_counts_instead_of_what_was_read() {
    // Cohere: 69 tokens with its template, 7 of them billed
    let usage = Usage {
        input_tokens: 69,
        output_tokens: 30,
        billed: Some(Billed {
            input_tokens: 7,
            output_tokens: 28,
        }),
        ..Usage::default()
    };
    assert_eq!(nano(&usage, &sonnet()), Some(7 * 3_000 + 28 * 15_000));
}

#[test]
fn unknown_is_not_zero() {
    let usage = Usage {
        input_tokens: 10,
        output_tokens: 10,
        ..Usage::default()
    };
    assert_eq!(cost(&usage, &Price::default(), ServiceTier::Default), None);
    assert_eq!(cost(&usage, &sonnet(), ServiceTier::Flex), None);
    assert_eq!(
        cost(&usage, &sonnet(), ServiceTier::Batch),
        Some(NanoUsd(10 * 1_500 + 10 * 7_500))
    );
    let only_input = Price {
        default: vec![Rates {
            input: Some(usd(1.0)),
            cache_write: Some(usd(1.25)),
            ..Rates::default()
        }],
        ..Price::default()
    };
    assert_eq!(nano(&usage, &only_input), None);
    let silent = Usage {
        output_tokens: 0,
        ..usage
    };
    assert_eq!(nano(&silent, &only_input), Some(10_000));
    // the rate of minutes says nothing of the rate of an hour
    let hour = Usage {
        cache_write_tokens: 5,
        cache_write_1h_tokens: 5,
        ..silent
    };
    assert_eq!(nano(&hour, &only_input), None);
}

#[test]
fn rounds_once_and_halves_go_up() {
    let price = |rate| Price {
        default: vec![Rates {
            input: Some(rate),
            output: Some(rate),
            ..Rates::default()
        }],
        ..Price::default()
    };
    let usage = Usage {
        input_tokens: 1,
        output_tokens: 1,
        ..Usage::default()
    };
    // 2 x 0.25 = 0.5, which goes up; each alone would be 0
    assert_eq!(nano(&usage, &price(250_000)), Some(1));
    assert_eq!(nano(&usage, &price(249_999)), Some(0));
    assert_eq!(NanoUsd(1_250_000).to_string(), "0.001250000");
}

prop_compose! {
    fn any_usage(most: u64)(
        counts in prop::array::uniform8(0..=most),
        billed in prop::option::of((0..=most, 0..=most)),
    ) -> Usage {
        Usage {
            input_tokens: counts[0],
            cached_input_tokens: counts[1],
            cache_write_tokens: counts[2],
            cache_write_1h_tokens: counts[3],
            input_audio_tokens: counts[4],
            output_tokens: counts[5],
            reasoning_tokens: counts[6],
            output_audio_tokens: counts[7],
            billed: billed.map(|(input_tokens, output_tokens)| Billed { input_tokens, output_tokens }),
            tier: None,
            estimated: false,
        }
    }
}

prop_compose! {
    fn any_rates(most: u64)(rates in prop::array::uniform8(prop::option::of(0..=most)), base in 0..=most) -> Rates {
        Rates {
            above: 0,
            input: Some(base),
            output: rates[0].or(Some(base)),
            cache_read: rates[1],
            cache_write: rates[2],
            cache_write1h: rates[3].or(rates[2]),
            input_audio: rates[4],
            output_audio: rates[5],
            reasoning: rates[6],
        }
    }
}

fn flat(rates: Rates) -> Price {
    Price {
        default: vec![rates],
        ..Price::default()
    }
}

/// A usage whose parts fit into each other, so that two of them add up part by part.
fn consistent(usage: &Usage) -> Usage {
    let parts = Parts::of(&Usage {
        billed: None,
        ..*usage
    });
    Usage {
        input_tokens: parts.input,
        cached_input_tokens: parts.cached,
        cache_write_tokens: parts.written + parts.written_1h,
        cache_write_1h_tokens: parts.written_1h,
        input_audio_tokens: parts.input_audio,
        output_tokens: parts.output + parts.output_audio + parts.reasoning,
        reasoning_tokens: parts.reasoning,
        output_audio_tokens: parts.output_audio,
        ..Usage::default()
    }
}

fn together(a: &Usage, b: &Usage) -> Usage {
    Usage {
        input_tokens: a.input_tokens + b.input_tokens,
        cached_input_tokens: a.cached_input_tokens + b.cached_input_tokens,
        cache_write_tokens: a.cache_write_tokens + b.cache_write_tokens,
        cache_write_1h_tokens: a.cache_write_1h_tokens + b.cache_write_1h_tokens,
        input_audio_tokens: a.input_audio_tokens + b.input_audio_tokens,
        output_tokens: a.output_tokens + b.output_tokens,
        reasoning_tokens: a.reasoning_tokens + b.reasoning_tokens,
        output_audio_tokens: a.output_audio_tokens + b.output_audio_tokens,
        ..Usage::default()
    }
}

proptest! {
    /// No count that a provider can send and no rate that a file can hold overflows or panics.
    #[test]
    fn never_overflows(usage in any_usage(u64::MAX), rates in any_rates(u64::MAX)) {
        let _ = nano(&usage, &flat(rates));
    }

    /// Every token is paid for once: under one rate for everything, only the sums count.
    #[test]
    fn parts_add_up(usage in any_usage(1_000_000_000), rate in 0u64..1_000_000_000_000) {
        let price = flat(Rates { input: Some(rate), output: Some(rate), ..Rates::default() });
        let (input, output) = usage.billed.map_or(
            (usage.input_tokens, usage.output_tokens),
            |billed| (billed.input_tokens, billed.output_tokens),
        );
        let exact = u128::from(input + output) * u128::from(rate);
        prop_assert_eq!(nano(&usage, &price).map(u128::from), Some((exact + 500_000) / 1_000_000));
    }

    /// More output never costs less, nor more input under a list without thresholds.
    #[test]
    fn more_never_costs_less(usage in any_usage(1_000_000), more in 0u64..1_000_000, rates in any_rates(1_000_000_000_000)) {
        // what is added has no part of its own, and takes nothing from the others
        let usage = consistent(&usage);
        let price = flat(rates);
        let before = nano(&usage, &price);
        let output = Usage { output_tokens: usage.output_tokens + more, ..usage };
        let input = Usage { input_tokens: usage.input_tokens + more, ..usage };
        prop_assert!(before.is_some());
        prop_assert!(nano(&output, &price) >= before);
        prop_assert!(nano(&input, &price) >= before);
    }

    /// Two answers together cost what they cost apart, but for the rounding of each.
    #[test]
    fn costs_add_up(a in any_usage(1_000_000), b in any_usage(1_000_000), rates in any_rates(1_000_000_000_000)) {
        let (a, b, price) = (consistent(&a), consistent(&b), flat(rates));
        let apart = nano(&a, &price).zip(nano(&b, &price)).map(|(a, b)| a + b);
        let sum = nano(&together(&a, &b), &price);
        let gap = apart.zip(sum).map(|(apart, sum)| apart.abs_diff(sum));
        prop_assert!(gap.is_some_and(|gap| gap <= 1), "{apart:?} {sum:?}");
    }
}
