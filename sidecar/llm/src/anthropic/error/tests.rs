//! Both directions.

use fkm_dialect::FailureClass;
use http::{HeaderValue, header};

use super::*;

#[test]
fn a_body_is_read() {
    let mut headers = HeaderMap::new();
    headers.insert("request-id", HeaderValue::from_static("req_header"));
    headers.insert(header::RETRY_AFTER, HeaderValue::from_static("3"));
    let body = br#"{"type":"error","error":{"type":"rate_limit_error","message":"slow down",
        "details":{"error_code":"enforced_spend_limit_reached"}},"request_id":"req_body"}"#;
    let error = decode(429, &headers, body);
    assert_eq!(error.class, Some(FailureClass::RateLimited));
    assert!(
        !error.retryable,
        "an empty account does not fill by waiting"
    );
    assert_eq!(error.request_id.as_deref(), Some("req_body"));
    assert!(error.retry_after.is_some());
    assert_eq!(
        decode(500, &headers, b"").request_id.as_deref(),
        Some("req_header")
    );
}

#[test]
fn what_else_is_said_reaches_clients() {
    let body = br#"{"type":"error","error":{"type":"invalid_request_error","message":"m","hint":{"n":1.0}}}"#;
    let told = encode(&ClientError::from(&decode(400, &HeaderMap::new(), body)));
    let told = String::from_utf8(told).unwrap();
    assert!(
        told.contains(r#","hint":{"n":1.0}},"request_id""#),
        "{told}"
    );
}

#[test]
fn overloaded_inside_an_answer_is_overloaded() {
    let error = decode_inside(
        br#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
    );
    assert_eq!(
        (error.status, error.class),
        (529, Some(FailureClass::Overloaded))
    );
}

#[test]
fn clients_get_the_shape_and_the_status_that_they_know() {
    let error = ClientError::new(ErrorKind::Overloaded, "all busy").with_request_id("ours");
    assert_eq!(status(&error), 529);
    let body: Value = serde_json::from_slice(&encode(&error)).unwrap();
    let expected = serde_json::json!({
        "type": "error",
        "error": {
            "type": "overloaded_error", "message": "all busy", "details": {"error_code": "overloaded"},
        },
        "request_id": "ours",
    });
    assert_eq!(body, expected);
    let statuses: Vec<u16> = ErrorKind::ALL
        .into_iter()
        .map(|kind| status(&ClientError::new(kind, "m")))
        .collect();
    assert_eq!(
        statuses,
        [400, 401, 403, 404, 405, 413, 429, 502, 529, 504, 500]
    );
}

#[test]
fn a_stream_ends_with_an_error_event() {
    let frame = encode_frame(&ClientError::new(ErrorKind::Timeout, "late"));
    let text = std::str::from_utf8(&frame).unwrap();
    assert!(
        text.starts_with("event: error\ndata: {\"type\":\"error\","),
        "{text}"
    );
    assert!(text.ends_with("}\n\n"), "{text}");
}
