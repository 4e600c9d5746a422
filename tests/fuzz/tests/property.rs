//! Every entry point of fuzzing, on any toolchain: arbitrary bytes, words of the formats in any order, and good documents
//! with some bytes changed.

use std::io::Write as _;

use fkm_fuzz::{seeds, targets};
use fkm_llm::form::Form;
use fkm_llm::{
    AnswerKind, EmbeddingFormat, Format, RelayFormat, Relayed, RerankFormat, embedding_codec,
    format, rerank_codec,
};
use proptest::collection::vec;
use proptest::prelude::{BoxedStrategy, Strategy, any, prop_oneof};
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};

/// As many inputs as each entry point gets.
const CASES: u32 = 2_000;

/// Words that occur in the seeds, and what JSON and streams are made of.
fn words() -> Vec<Vec<u8>> {
    let mut words: Vec<Vec<u8>> = seeds()
        .iter()
        .flat_map(|seed| seed.split(|byte| b",: ".contains(byte)).map(<[u8]>::to_vec))
        .collect();
    let more = [
        "{", "}", "[", "]", ",", ":", "\"", "\\u", "\n\n", "data: ", "1e999", "null",
    ];
    words.extend(more.map(|word| word.as_bytes().to_vec()));
    words.sort();
    words.dedup();
    words
}

fn damaged() -> BoxedStrategy<Vec<u8>> {
    let change = (any::<Index>(), any::<u8>());
    (
        select(seeds()),
        vec(change, 0..4),
        any::<Index>(),
        any::<bool>(),
    )
        .prop_map(|(mut seed, changes, end, cut)| {
            for (at, byte) in changes {
                let at = at.index(seed.len());
                seed[at] = byte;
            }
            if cut {
                seed.truncate(end.index(seed.len()));
            }
            seed
        })
        .boxed()
}

fn input() -> BoxedStrategy<Vec<u8>> {
    prop_oneof![
        1 => vec(any::<u8>(), 0..96),
        2 => vec(select(words()), 0..24).prop_map(|words| words.concat()),
        4 => damaged(),
    ]
    .boxed()
}

#[test]
fn no_entry_point_fails_on_any_input() {
    for target in targets() {
        let config = Config {
            cases: CASES,
            failure_persistence: None,
            ..Config::default()
        };
        let result = TestRunner::new(config).run(&input(), |data| {
            target.run(&data);
            Ok(())
        });
        assert!(result.is_ok(), "{}: {}", target.name, result.unwrap_err());
    }
    let counted = targets().len();
    writeln!(
        std::io::stderr(),
        "{counted} entry points, {CASES} inputs each"
    )
    .unwrap();
}

#[test]
fn no_entry_point_fails_on_a_seed() {
    for target in targets() {
        for seed in seeds() {
            target.run(&seed);
        }
    }
}

#[test]
fn every_seed_is_understood_by_some_entry_point() {
    for seed in seeds() {
        let understood = Format::ALL.into_iter().any(|home| {
            let wire = format(home);
            wire.decode_request(&seed).is_ok()
                || wire.decode_response(&seed).is_ok()
                || fkm_llm::decode_stream(home, &seed).is_ok()
        });
        let vectors = EmbeddingFormat::ALL.into_iter().any(|home| {
            let codec = embedding_codec(home);
            codec.decode_request(&seed).is_ok() || codec.decode_response(&seed).is_ok()
        });
        let ranks = RerankFormat::ALL.into_iter().any(|home| {
            let codec = rerank_codec(home);
            codec.decode_request(&seed).is_ok() || codec.decode_response(&seed).is_ok()
        });
        let passes = RelayFormat::ALL
            .into_iter()
            .any(|format| passes(Relayed(format), &seed));
        assert!(
            understood || vectors || ranks || passes || is_form(&seed),
            "{}",
            String::from_utf8_lossy(&seed)
        );
    }
}

/// A form after its content type.
fn is_form(seed: &[u8]) -> bool {
    let mut lines = seed.splitn(2, |byte| *byte == b'\n');
    let content_type = lines.next().and_then(|line| std::str::from_utf8(line).ok());
    let body = lines.next().unwrap_or_default();
    content_type.is_some_and(|content_type| Form::scan(content_type, body).is_ok())
}

/// An answer or a stream of an operation that passes as it is. Speech says nothing of itself: any JSON is an answer of it.
fn passes(relayed: Relayed, seed: &[u8]) -> bool {
    let mut stream = relayed.relay(2);
    let mut out = Vec::new();
    let pushed = stream.push(seed.to_vec().into(), &mut out);
    let streams = pushed.and_then(|()| stream.end(&mut out)).is_ok();
    let is_answer = relayed.facts(AnswerKind::Json, seed).is_ok();
    streams || (is_answer && relayed.0 != RelayFormat::Speech)
}
