//! A provider's error on its way to a client.

use fkm_dialect::{FailureClass, Format};
use fkm_llm::{ClientError, format};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::cases::ErrorCase;
use crate::outcome::Outcome;

/// What a client of `to` is told of an error of `from`: a body of its own format with the provider's words, under a status
/// that means the same; a refused key is never shown as the client's fault.
pub(crate) fn judge(from: Format, to: Format, case: &ErrorCase) -> Outcome {
    let mut headers = HeaderMap::new();
    for (name, value) in &case.headers {
        let name = HeaderName::try_from(name.as_str()).expect("a hand-written header");
        headers.insert(
            name,
            HeaderValue::try_from(value.as_str()).expect("a hand-written header"),
        );
    }
    let body = case.body.to_string();
    let error = format(from).decode_error(case.status, &headers, body.as_bytes());
    let told = ClientError::from(&error);
    let wire = format(to);
    let status = wire.error_status(&told);
    let written = String::from_utf8_lossy(&wire.encode_error(&told)).into_owned();
    let again = wire.decode_error(status, &HeaderMap::new(), written.as_bytes());
    let problem = match error.class {
        Some(FailureClass::CredentialRejected) => {
            let blamed = (400..500).contains(&status) || again.message == error.message;
            blamed.then_some("the client is blamed for the pool's key")
        }
        _ if again.message != error.message => Some("the provider's words are lost"),
        None if status != error.status => Some("another status"),
        Some(FailureClass::RateLimited) if status != 429 => Some("another status"),
        Some(FailureClass::RateLimited) if case.says_when(&body) && error.retry_after.is_none() => {
            Some("when to ask again is lost")
        }
        _ => None,
    };
    match problem {
        None => Outcome::Pass,
        Some(problem) => Outcome::Failed(format!(
            "{problem}: {} {body} became {status} {written}",
            case.status
        )),
    }
}
