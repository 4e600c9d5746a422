//! Answers.

use fkm_llm::Format;
use fkm_llm::ir::{Choice, Extra, FinishReason, RawJson, Response, Usage};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};

use super::{OPENAI, extra, origin, outputs, raw, text, word};

fn usage() -> BoxedStrategy<Usage> {
    any::<[u32; 5]>()
        .prop_map(|[fresh, cached, written, said, thought]| Usage {
            input_tokens: u64::from(fresh) + u64::from(cached) + u64::from(written),
            cached_input_tokens: cached.into(),
            cache_write_tokens: written.into(),
            output_tokens: u64::from(said) + u64::from(thought),
            reasoning_tokens: thought.into(),
        })
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

fn choice(home: Format) -> BoxedStrategy<Choice> {
    let extra = if home == OPENAI {
        prop_oneof![
            extra(home),
            Just({
                let mut extra = Extra::default();
                let logprobs = r#"{"content":[{"token":"a","logprob":-1e999}],"refusal":null}"#;
                extra.insert(OPENAI, "logprobs", RawJson::try_new(logprobs).unwrap());
                extra.insert(OPENAI, "message.x_audio", RawJson::string("x"));
                extra
            }),
        ]
        .boxed()
    } else {
        of(raw())
            .prop_map(move |details| {
                let mut extra = Extra::default();
                if let Some(details) = details {
                    extra.insert(home, "stop_details", details);
                }
                extra
            })
            .boxed()
    };
    (outputs(home, false), finish_reason(home), extra)
        .prop_map(|(parts, finish_reason, extra)| Choice {
            index: 0,
            parts,
            finish_reason,
            extra,
        })
        .boxed()
}

/// An answer that is shown to a client of `home`. The usage is there: a format that demands one would fill it in.
pub(crate) fn response(home: Format) -> BoxedStrategy<Response> {
    let openai = home == OPENAI;
    let most = if openai { 3 } else { 2 };
    let head = (of(word()), of(word()), of(1..u64::from(u32::MAX)));
    (head, vec(choice(home), 1..most), usage(), extra(home))
        .prop_map(
            move |((id, model, created), choices, usage, extra)| Response {
                id,
                model,
                created: created.filter(|_| openai),
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
