//! `decode(encode(v)) = v` for whole answers, and what pass-through reads of them.

use fkm_llm::{Format, format};
use proptest::prop_assert_eq;

use crate::{check, generate};

#[test]
fn what_is_encoded_without_a_drop_comes_back() {
    for home in Format::ALL {
        let wire = format(home);
        let applied = check(2_000, &generate::response(home), |response| {
            let Ok(encoded) = wire.encode_response(&response) else {
                return Ok(false);
            };
            let text = String::from_utf8_lossy(&encoded.body).into_owned();
            let again = wire.decode_response(&encoded.body);
            if !encoded.dropped.is_empty() {
                prop_assert_eq!(again.err(), None, "{}", text);
                return Ok(false);
            }
            prop_assert_eq!(again, Ok(response.canonical()), "{}", text);
            Ok(true)
        });
        assert!(
            applied > 400,
            "{home}: only {applied} answers were expressible"
        );
    }
}

#[test]
fn pass_through_reads_what_decode_reads() {
    for home in Format::ALL {
        let wire = format(home);
        check(500, &generate::response(home), |response| {
            let Ok(encoded) = wire.encode_response(&response) else {
                return Ok(false);
            };
            let facts = wire.response_facts(&encoded.body);
            let facts = facts
                .map_err(|fault| proptest::test_runner::TestCaseError::fail(format!("{fault}")))?;
            let decoded = wire.decode_response(&encoded.body).unwrap();
            prop_assert_eq!(facts.usage, decoded.usage);
            prop_assert_eq!(facts.model, decoded.model);
            prop_assert_eq!(facts.finish_reasons.len(), decoded.choices.len());
            for end in 0..encoded.body.len() {
                let cut = wire.response_facts(&encoded.body[..end]);
                prop_assert_eq!(cut.is_err(), true, "cut at {}", end);
            }
            Ok(true)
        });
    }
}
