//! Answers.

use fkm_llm::Format;
use fkm_llm::ir::{Billed, Choice, Extra, FinishReason, RawJson, Response, Usage};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};

use super::{Home, extra, home, origin, outputs, raw, text, word};

fn usage(home: &Home) -> BoxedStrategy<Usage> {
    let can = *home;
    any::<[u32; 8]>()
        .prop_map(
            move |[fresh, cached, written, said, thought, long, heard, spoken]| Usage {
                input_tokens: u64::from(fresh) + u64::from(cached) + u64::from(written),
                cached_input_tokens: cached.into(),
                cache_write_tokens: if can.no_cache_writes {
                    0
                } else {
                    written.into()
                },
                output_tokens: u64::from(said) + u64::from(thought),
                reasoning_tokens: if can.plain_usage { 0 } else { thought.into() },
                cache_write_1h_tokens: if can.cache_1h_usage {
                    long.min(written).into()
                } else {
                    0
                },
                input_audio_tokens: if can.audio_usage { heard.into() } else { 0 },
                output_audio_tokens: if can.audio_usage { spoken.into() } else { 0 },
                billed: can.billed_usage.then_some(Billed {
                    input_tokens: heard.into(),
                    output_tokens: spoken.into(),
                }),
                tier: None,
                estimated: false,
            },
        )
        .boxed()
}

fn finish_reason(home: Format) -> BoxedStrategy<FinishReason> {
    prop_oneof![
        8 => Just(FinishReason::Stop),
        4 => Just(FinishReason::ToolCalls),
        2 => Just(FinishReason::Length),
        2 => Just(FinishReason::ContentFilter),
        1 => text().prop_map(FinishReason::StopSequence),
        1 => Just(FinishReason::Pause),
        1 => (origin(home), word()).prop_map(|(origin, name)| FinishReason::Other { origin, name }),
    ]
    .boxed()
}

fn choice(home: &Home) -> BoxedStrategy<Choice> {
    let format = home.format;
    let extra = if home.choice_extra {
        prop_oneof![
            extra(format),
            Just({
                let mut extra = Extra::default();
                let logprobs = r#"{"content":[{"token":"a","logprob":-1e999}],"refusal":null}"#;
                extra.insert(format, "logprobs", RawJson::try_new(logprobs).unwrap());
                extra.insert(format, "message.x_audio", RawJson::string("x"));
                extra
            }),
        ]
        .boxed()
    } else {
        let member = home.stop_member;
        of(raw())
            .prop_map(move |details| {
                let mut extra = Extra::default();
                if let (Some(details), Some(member)) = (details, member) {
                    extra.insert(format, member, details);
                }
                extra
            })
            .boxed()
    };
    (outputs(home, false), finish_reason(format), extra)
        .prop_map(|(parts, finish_reason, extra)| Choice {
            index: 0,
            parts,
            finish_reason,
            extra,
        })
        .boxed()
}

/// An answer that is shown to a client of `home`. The usage is there: a format that demands one would fill it in.
pub(crate) fn response(format: Format) -> BoxedStrategy<Response> {
    let can = home(format);
    let home = &can;
    let most = can.choices as usize + 1;
    let head = (of(word()), of(word()), of(1..u64::from(u32::MAX)));
    (head, vec(choice(home), 1..most), usage(home), extra(format))
        .prop_map(
            move |((id, model, created), choices, usage, extra)| Response {
                id: id.filter(|_| !can.nameless),
                model: model.filter(|_| !can.nameless),
                created: created.filter(|_| can.created),
                choices: (0..)
                    .zip(choices)
                    .map(|(index, choice)| Choice { index, ..choice })
                    .collect(),
                usage: Some(usage),
                extra,
            },
        )
        .boxed()
}
