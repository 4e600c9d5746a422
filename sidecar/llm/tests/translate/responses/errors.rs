//! Errors, for and from clients and providers of other formats.

use fkm_llm::{ClientError, FailureClass, format};
use http::HeaderMap;
use serde_json::{Value, json};

use super::RESPONSES;
use crate::{ANTHROPIC, OPENAI};

#[test]
fn a_providers_error_for_every_client() {
    let body = json!({"error": {"message": "The requested model 'x' does not exist.", "type": "invalid_request_error",
        "param": "model", "code": "model_not_found"}});
    let error = format(RESPONSES).decode_error(400, &HeaderMap::new(), body.to_string().as_bytes());
    assert_eq!(error.class, Some(FailureClass::ModelUnavailable));
    let shown = |to| -> Value {
        let body = format(to).encode_error(&ClientError::from(&error));
        serde_json::from_slice(&body).unwrap()
    };
    for to in [RESPONSES, OPENAI] {
        assert_eq!(shown(to)["error"]["code"], "model_not_found");
    }
    assert_eq!(shown(ANTHROPIC)["error"]["type"], "not_found_error");
}

#[test]
fn anthropics_overload_for_a_client_of_responses() {
    let body =
        json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}});
    let error = format(ANTHROPIC).decode_error(529, &HeaderMap::new(), body.to_string().as_bytes());
    let client = ClientError::from(&error);
    let wire = format(RESPONSES);
    assert_eq!(wire.error_status(&client), 503);
    let body: Value = serde_json::from_slice(&wire.encode_error(&client)).unwrap();
    assert_eq!(
        body,
        json!({"error": {"message": "Overloaded", "type": "server_error", "param": null, "code": "overloaded"}})
    );
}
