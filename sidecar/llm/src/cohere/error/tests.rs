//! Error bodies, and the ones that clients get.

use fkm_dialect::FailureClass;

use super::*;

fn read(status: u16, body: &str) -> ProviderError {
    decode(status, &HeaderMap::new(), body.as_bytes())
}

#[test]
fn statuses_say_whose_fault_it_is() {
    let body = r#"{"id":"7321d3c5","message":"model 'command-r' was removed"}"#;
    for (status, class) in [
        (400, None),
        (401, Some(FailureClass::CredentialRejected)),
        (404, Some(FailureClass::ModelUnavailable)),
        (422, None),
        (429, Some(FailureClass::RateLimited)),
        (498, Some(FailureClass::CredentialRejected)),
        (499, None),
        (500, Some(FailureClass::ServerError)),
        (503, Some(FailureClass::Overloaded)),
        (504, Some(FailureClass::Timeout)),
    ] {
        let error = read(status, body);
        assert_eq!(error.class, class, "{status}");
        assert_eq!(error.message, "model 'command-r' was removed");
        assert_eq!(error.request_id.as_deref(), Some("7321d3c5"));
    }
}

#[test]
fn every_shape_is_read() {
    for (body, message) in [
        (r#"{"message":"m1"}"#, "m1"),
        (r#"{"error":"m2"}"#, "m2"),
        (r#"{"message":{"x":1}}"#, r#"{"x":1}"#),
        (r#"{"detail":"m3"}"#, r#""m3""#),
        (r#""m4""#, "m4"),
        ("plain text", "plain text"),
        ("", "the provider answered with status 400"),
    ] {
        assert_eq!(read(400, body).message, message, "{body}");
    }
}

#[test]
fn the_trace_is_the_request_id_where_the_body_has_none() {
    let mut headers = HeaderMap::new();
    headers.insert(TRACE_HEADER, "t1".parse().unwrap());
    headers.insert("retry-after", "3".parse().unwrap());
    let error = decode(429, &headers, br#"{"message":"slow down"}"#);
    assert_eq!(error.request_id.as_deref(), Some("t1"));
    assert!(error.retry_after.is_some() && error.retryable);
}

#[test]
fn an_answer_that_failed_is_an_error() {
    assert_eq!(of_finish("COMPLETE", None), None);
    let error = of_finish("TIMEOUT", None).unwrap();
    assert_eq!(error.class, Some(FailureClass::Timeout));
    let error = of_finish("ERROR", Some("overheated".to_owned())).unwrap();
    assert_eq!(error.class, Some(FailureClass::ServerError));
    assert_eq!(error.message, "overheated");
}

#[test]
fn clients_get_a_flat_body() {
    let error = ClientError::new(ErrorKind::RateLimited, "slow down").with_request_id("r1");
    assert_eq!(encode(&error), br#"{"id":"r1","message":"slow down"}"#);
    let frame = encode_frame(&ClientError::new(ErrorKind::Timeout, "too late"));
    assert_eq!(
        frame,
        "event: message-end\ndata: {\"type\":\"message-end\",\"delta\":{\"error\":\"too late\",\"finish_reason\":\"TIMEOUT\"}}\n\n"
    );
}
