use std::time::SystemTime;

use fkm_dialect::FailureClass;

use super::*;

fn read(status: u16, body: &Value) -> ProviderError {
    decode(status, &HeaderMap::new(), body.to_string().as_bytes())
}

#[test]
fn the_wait_is_in_the_body() {
    let body = json!({"error": {
        "code": 429, "message": "You exceeded your current quota.", "status": "RESOURCE_EXHAUSTED",
        "details": [
            {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": "PerDay"}]},
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.4s"},
        ],
    }});
    for body in [body.clone(), json!([body])] {
        let error = read(429, &body);
        assert_eq!(error.class, Some(FailureClass::RateLimited));
        assert!(error.retryable);
        assert_eq!(error.kind.as_deref(), Some("RESOURCE_EXHAUSTED"));
        let wait = error.retry_after.unwrap();
        assert_eq!(
            wait.delay_at(SystemTime::UNIX_EPOCH),
            Duration::from_millis(34_400)
        );
        let error = inside(body.to_string().as_bytes()).unwrap();
        assert_eq!((error.status, error.retry_after), (429, Some(wait)));
    }
}

#[test]
fn a_header_wins_over_the_body() {
    let body = json!({"error": {"code": 503, "status": "UNAVAILABLE", "message": "busy", "details": [
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "9s"}]}});
    let mut headers = HeaderMap::new();
    headers.insert("retry-after", http::HeaderValue::from_static("2"));
    let error = decode(503, &headers, body.to_string().as_bytes());
    assert_eq!(error.class, Some(FailureClass::Overloaded));
    assert_eq!(
        error.retry_after,
        Some(RetryAfter::In(Duration::from_secs(2)))
    );
}

#[test]
fn a_refused_key_is_not_the_clients_fault() {
    let with_detail = json!({"error": {"code": 400, "message": "API key not valid. Please pass a valid API key.",
        "status": "INVALID_ARGUMENT", "details": [
            {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"}]}});
    let account = json!({"error": {"code": 400, "message": "User location is not supported for the API use.",
        "status": "FAILED_PRECONDITION"}});
    for (body, status) in [(with_detail, 401), (account, 403)] {
        let error = read(400, &body);
        assert_eq!(error.status, status);
        assert_eq!(error.class, Some(FailureClass::CredentialRejected));
        let shown = ClientError::from(&error);
        assert_eq!(shown.kind, ErrorKind::Upstream);
    }
}

#[test]
fn a_wrong_request_is_shown_as_it_was_put() {
    let body = json!({"error": {"code": 400, "message": "Invalid value", "status": "INVALID_ARGUMENT", "details": [
        {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [{"field": "contents[0]", "description": "?"}]},
        {"@type": "type.googleapis.com/google.rpc.RequestInfo", "requestId": "r1"}]}});
    let error = read(400, &body);
    assert_eq!(error.class, None);
    assert_eq!(error.param.as_deref(), Some("contents[0]"));
    assert_eq!(error.request_id.as_deref(), Some("r1"));
    let shown: Value = serde_json::from_slice(&encode(&ClientError::from(&error))).unwrap();
    assert_eq!(shown["error"]["code"], 400);
    assert_eq!(shown["error"]["status"], "INVALID_ARGUMENT");
    assert_eq!(
        shown["error"]["details"][1]["fieldViolations"][0]["field"],
        "contents[0]"
    );
}

#[test]
fn an_error_without_its_number_is_known_by_its_word() {
    let body = json!({"error": {"status": "UNAVAILABLE", "message": "overloaded"}});
    let error = inside(body.to_string().as_bytes()).unwrap();
    assert_eq!(error.status, 503);
    assert_eq!(inside(br#"{"candidates":[{"x":"error"}]}"#), None);
    assert_eq!(inside(br#"{"error":null}"#), None);
}
