//! Classification, and what never gets through.

use super::*;

fn said(kind: &str, code: &str, message: &str) -> Said {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Said {
        status: None,
        message: some(message),
        kind: some(kind),
        code: some(code),
        param: None,
        request_id: None,
    }
}

#[test]
fn words_are_more_exact_than_the_status() {
    use FailureClass::{
        CredentialRejected, ModelUnavailable, Overloaded, RateLimited, ServerError, Timeout,
    };
    for (status, kind, code, class, retryable) in [
        (
            429,
            "requests",
            "rate_limit_exceeded",
            Some(RateLimited),
            true,
        ),
        (
            429,
            "insufficient_quota",
            "insufficient_quota",
            Some(RateLimited),
            false,
        ),
        (400, "", "insufficient_quota", Some(RateLimited), false),
        (
            429,
            "rate_limit_error",
            "enforced_spend_limit_reached",
            Some(RateLimited),
            false,
        ),
        (402, "billing_error", "", Some(CredentialRejected), false),
        (
            401,
            "authentication_error",
            "invalid_api_key",
            Some(CredentialRejected),
            false,
        ),
        (403, "permission_error", "", Some(CredentialRejected), false),
        (404, "", "model_not_found", Some(ModelUnavailable), false),
        (400, "", "model_not_found", Some(ModelUnavailable), false),
        (400, "invalid_request_error", "", None, false),
        (422, "", "", None, false),
        (500, "api_error", "", Some(ServerError), true),
        (500, "overloaded_error", "", Some(Overloaded), true),
        (503, "", "", Some(Overloaded), true),
        (529, "overloaded_error", "", Some(Overloaded), true),
        (408, "", "", Some(Timeout), true),
        (504, "timeout_error", "", Some(Timeout), true),
        (200, "overloaded_error", "", Some(Overloaded), true),
        (200, "", "", Some(ServerError), true),
        (200, "invalid_request_error", "", None, false),
    ] {
        let error = ProviderError::of(status, &said(kind, code, "m"));
        assert_eq!(
            (error.class, error.retryable),
            (class, retryable),
            "{status} {kind} {code}"
        );
    }
}

#[test]
fn a_refused_key_is_our_fault_and_stays_ours() {
    let error = ProviderError::of(
        401,
        &said(
            "",
            "invalid_api_key",
            "Incorrect API key provided: sk-proj-abcd1234",
        ),
    );
    let client = ClientError::from(&error);
    assert_eq!(client.kind.status(), 502);
    assert_eq!(client.code(), "provider_auth");
    assert!(
        !client.message.contains("API key provided"),
        "{}",
        client.message
    );
}

#[test]
fn the_clients_own_fault_keeps_status_and_words() {
    let mut error = ProviderError::of(422, &said("", "bad_value", "temperature is too high"));
    error.param = Some("temperature".to_owned());
    let client = ClientError::from(&error);
    assert_eq!(
        (client.kind, client.status),
        (ErrorKind::InvalidRequest, Some(422))
    );
    assert_eq!(
        (client.message.as_str(), client.code()),
        ("temperature is too high", "bad_value")
    );
    assert_eq!(client.param.as_deref(), Some("temperature"));
}

#[test]
fn what_looks_like_a_key_is_masked() {
    for (text, expected) in [
        (
            "key sk-proj-abcdefgh12345 is wrong",
            "key [redacted] is wrong",
        ),
        (
            "key 'sk-ant-api03-AAAA_bbbb-CCCC', sorry",
            "key '[redacted]', sorry",
        ),
        ("sk-****1234abcd refused", "[redacted] refused"),
        ("AIzaSyD-0123456789", "[redacted]"),
        ("the task is done; risk-free", "the task is done; risk-free"),
        ("line one\r\nline\ttwo", "line one line two"),
        (
            "<html><body>502</body></html>",
            "the provider answered with a page of HTML",
        ),
    ] {
        assert_eq!(clean(text), expected, "{text}");
    }
    let long = clean(&"word ".repeat(10_000));
    assert!(
        long.len() <= MAX_MESSAGE_BYTES + '…'.len_utf8(),
        "{}",
        long.len()
    );
}

#[test]
fn a_known_secret_is_masked_wherever_it_is() {
    let mut error = ProviderError::of(
        400,
        &said("canary-123", "x canary-123 y", "echo canary-123"),
    );
    error.redact(&Redactor::new("canary-123"));
    assert!(!format!("{error:?}").contains("canary-123"), "{error:?}");
    error.redact(&Redactor::default());
    assert_eq!(error.message, "echo [redacted]");
}

#[test]
fn a_key_is_looked_for_in_what_was_said_and_not_in_what_is_left_of_it() {
    // Masking by prefix would cut this key in two, and the bound of a message another one.
    let key = "sk-canary-Zq7/x+\"w\\9=k";
    let redactor = Redactor::new(key);
    for padding in [
        0,
        MAX_MESSAGE_BYTES - 12,
        MAX_MESSAGE_BYTES,
        MAX_RAW_BYTES - 5,
    ] {
        let message = format!("{} {key} is wrong", "x".repeat(padding));
        let mut error = ProviderError::of(400, &said("", "", &message));
        error.redact(&redactor);
        for piece in ["canary", "w\\9=k", "Zq7"] {
            assert!(
                !error.message.contains(piece),
                "{padding}: {}",
                error.message
            );
        }
    }
}

#[test]
fn every_class_has_an_answer_for_the_client() {
    for (status, expected) in [
        (429, 429),
        (529, 503),
        (500, 502),
        (504, 504),
        (404, 404),
        (403, 502),
        (413, 413),
        (405, 405),
    ] {
        let error = ProviderError::of(status, &said("", "", ""));
        let client = ClientError::from(&error);
        let shown = client.status.unwrap_or_else(|| client.kind.status());
        assert_eq!(shown, expected, "{status}");
        assert!(!client.message.is_empty());
    }
}
