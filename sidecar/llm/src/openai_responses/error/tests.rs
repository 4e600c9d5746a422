use fkm_dialect::FailureClass;
use serde_json::{Value, json};

use super::*;

fn inside(value: &Value) -> ProviderError {
    decode_inside(value.to_string().as_bytes())
}

#[test]
fn every_place_of_an_error_inside_an_answer_is_read() {
    let flat = json!({"type": "error", "code": "rate_limit_exceeded", "message": "m", "param": null, "sequence_number": 3});
    let nested = json!({"type": "error", "sequence_number": 3, "error": {"type": "rate_limit_error", "code": null, "message": "m"}});
    let failed = json!({"type": "response.failed", "response": {"status": "failed", "error": {"code": "rate_limit_exceeded", "message": "m"}}});
    let answer = json!({"object": "response", "status": "failed", "error": {"code": "rate_limit_exceeded", "message": "m"}});
    for value in [flat, nested, failed, answer] {
        let error = inside(&value);
        assert_eq!(error.class, Some(FailureClass::RateLimited), "{value}");
        assert_eq!(error.message, "m");
    }
}

#[test]
fn the_clients_own_fault_is_told_from_the_providers() {
    let of = |code: &str| {
        inside(&json!({"response": {"status": "failed", "error": {"code": code, "message": "m"}}}))
    };
    assert_eq!(of("invalid_prompt").class, None);
    assert_eq!(of("image_too_large").class, None);
    assert_eq!(of("server_error").class, Some(FailureClass::ServerError));
    assert_eq!(of("brand_new").class, Some(FailureClass::ServerError));
    assert_eq!(
        of("vector_store_timeout").class,
        Some(FailureClass::Timeout)
    );
    assert_eq!(
        inside(&json!({"status": "failed"})).class,
        Some(FailureClass::ServerError)
    );
}

#[test]
fn clients_find_all_members_in_both_places() {
    let error = ClientError::new(ErrorKind::RateLimited, "slow down").with_param("model");
    let detail = json!({"message": "slow down", "type": "rate_limit_error", "param": "model", "code": "rate_limit_exceeded"});
    let frame = encode_frame(&error);
    let data = frame
        .strip_prefix(b"event: error\ndata: ")
        .expect("an event");
    let event: Value = serde_json::from_slice(data).expect("JSON");
    assert_eq!(
        event,
        json!({"type": "error", "code": "rate_limit_exceeded", "message": "slow down", "param": "model",
            "sequence_number": 2_147_483_647, "error": detail})
    );
}
