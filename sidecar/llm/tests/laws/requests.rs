//! `decode(encode(v)) = v` for requests.

use fkm_llm::ir::Request;
use fkm_llm::{Capabilities, Encoded, Format, Target, format};
use proptest::prop_assert_eq;

use crate::{check, dialect, generate};

fn encode(request: &Request, to: Format) -> Option<Encoded> {
    let dialect = dialect(to);
    // Nothing is held back.
    let capabilities = Capabilities {
        mid_system: true,
        cache_breakpoints: true,
        anthropic_fields: true,
        ..Capabilities::default()
    };
    let target = Target {
        model: &request.model,
        dialect: &dialect,
        capabilities: &capabilities,
        max_output_tokens: None,
        stream: request.stream,
    };
    format(to).encode_request(request, &target).ok()
}

#[test]
fn what_is_encoded_without_a_drop_comes_back() {
    for home in Format::ALL {
        let applied = check(2_000, &generate::request(home), |request| {
            let Some(encoded) = encode(&request, home) else {
                return Ok(false);
            };
            let again = format(home).decode_request(&encoded.body);
            let text = String::from_utf8_lossy(&encoded.body).into_owned();
            if !encoded.dropped.is_empty() || !encoded.tool_names.is_empty() {
                // What is left is still a request.
                prop_assert_eq!(again.err(), None, "{}", text);
                return Ok(false);
            }
            prop_assert_eq!(again, Ok(request.canonical()), "{}", text);
            Ok(true)
        });
        assert!(
            applied > 200,
            "{home}: only {applied} requests were expressible"
        );
    }
}

#[test]
fn every_request_is_translated_or_refused_and_stays_a_request() {
    for home in Format::ALL {
        for to in Format::ALL {
            let applied = check(500, &generate::request(home), |request| {
                let Some(encoded) = encode(&request, to) else {
                    return Ok(false);
                };
                let again = format(to).decode_request(&encoded.body);
                let text = String::from_utf8_lossy(&encoded.body).into_owned();
                prop_assert_eq!(again.err(), None, "{}", text);
                Ok(true)
            });
            // Hardly a conversation is one text.
            let floor = if generate::home(to).text_only && home != to {
                0
            } else {
                50
            };
            assert!(applied >= floor, "{home} to {to}: only {applied} requests");
        }
    }
}

#[test]
fn canonical_is_the_end_of_it() {
    for home in Format::ALL {
        check(500, &generate::request(home), |request| {
            let once = request.canonical();
            prop_assert_eq!(once.clone().canonical(), once);
            Ok(true)
        });
    }
}
