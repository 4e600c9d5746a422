use fkm_dialect::FailureClass;

use super::*;

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs
        .iter()
        .map(|(name, value)| {
            (
                http::HeaderName::from_static(name),
                http::HeaderValue::from_static(value),
            )
        })
        .collect()
}

#[test]
fn the_header_says_what_it_is() {
    let found = headers(&[
        (
            "x-amzn-errortype",
            "ThrottlingException:http://internal.amazon.com/coral/",
        ),
        ("x-amzn-requestid", "r-1"),
        ("retry-after", "3"),
    ]);
    let error = decode(
        429,
        &found,
        br#"{"message":"Too many tokens, please wait."}"#,
    );
    assert_eq!(error.kind.as_deref(), Some("ThrottlingException"));
    assert_eq!(error.message, "Too many tokens, please wait.");
    assert_eq!(error.class, Some(FailureClass::RateLimited));
    assert_eq!(error.request_id.as_deref(), Some("r-1"));
    assert!(error.retryable && error.retry_after.is_some());
}

#[test]
fn every_error_has_its_class() {
    use FailureClass::{
        CredentialRejected, ModelUnavailable, Overloaded, RateLimited, ServerError, Timeout,
    };
    for (kind, status, class) in [
        ("ValidationException", 400, None),
        ("AccessDeniedException", 403, Some(CredentialRejected)),
        ("UnrecognizedClientException", 403, Some(CredentialRejected)),
        ("ResourceNotFoundException", 404, Some(ModelUnavailable)),
        ("ModelTimeoutException", 408, Some(Timeout)),
        ("ModelErrorException", 424, Some(ServerError)),
        ("ModelNotReadyException", 429, Some(RateLimited)),
        ("ServiceQuotaExceededException", 400, Some(RateLimited)),
        ("InternalServerException", 500, Some(ServerError)),
        ("ServiceUnavailableException", 503, Some(Overloaded)),
    ] {
        let mut found = HeaderMap::new();
        found.insert("x-amzn-errortype", kind.parse().unwrap());
        let error = decode(status, &found, br#"{"message":"m"}"#);
        assert_eq!(error.class, class, "{kind}");
        // Without the header, by the body.
        let body = format!(r#"{{"__type":"com.amazon.coral#{kind}","Message":"m"}}"#);
        let error = decode(status, &HeaderMap::new(), body.as_bytes());
        assert_eq!((error.class, &*error.message), (class, "m"), "{kind}");
    }
}

#[test]
fn an_unknown_model_is_no_fault_of_the_client() {
    let body = br#"{"message":"The provided model identifier is invalid."}"#;
    let error = decode(400, &HeaderMap::new(), body);
    assert_eq!(error.class, Some(FailureClass::ModelUnavailable));
    assert!(!error.retryable);
}

#[test]
fn what_is_no_json_is_read_all_the_same() {
    let error = decode(503, &HeaderMap::new(), b"upstream is down");
    assert_eq!(error.class, Some(FailureClass::Overloaded));
    assert_eq!(error.message, "upstream is down");
}

#[test]
fn exceptions_of_a_stream_have_their_class() {
    use FailureClass::{Overloaded, RateLimited, ServerError};
    for (name, class) in [
        ("internalServerException", Some(ServerError)),
        ("modelStreamErrorException", Some(ServerError)),
        ("validationException", None),
        ("throttlingException", Some(RateLimited)),
        ("serviceUnavailableException", Some(Overloaded)),
        ("somethingNewException", Some(ServerError)),
    ] {
        let bytes = frame::exception(name, br#"{"message":"m"}"#);
        let error = decode_frame(&Frame::parse(&bytes).unwrap()).unwrap();
        assert_eq!((error.class, &*error.message), (class, "m"), "{name}");
    }
    let payload = br#"{"originalStatusCode":400,"originalMessage":"too long"}"#;
    let bytes = frame::exception("modelStreamErrorException", payload);
    let error = decode_frame(&Frame::parse(&bytes).unwrap()).unwrap();
    assert_eq!((error.status, error.class), (400, None));
    assert_eq!(error.message, "too long");
}

#[test]
fn what_a_client_is_told_is_what_it_would_read() {
    for kind in ErrorKind::ALL {
        let error = ClientError::new(kind, "m");
        let again = decode(status(&error), &HeaderMap::new(), &encode(&error));
        assert_eq!(again.message, "m");
        assert_eq!(again.kind.as_deref(), Some(type_word(kind)));
        let bytes = encode_frame(&error);
        let again = decode_frame(&Frame::parse(&bytes).unwrap()).unwrap();
        assert_eq!(again.message, "m");
    }
}
