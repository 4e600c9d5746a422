//! The only place that makes answers: headers, and errors in the client's own format.

use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use crate::codec::Codec;
use crate::error::ExchangeError;
use crate::exchange::RequestId;
use crate::media_type::{EVENT_STREAM, JSON};
use crate::relay::AnswerBody;

pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-fkm-request-id");
pub(crate) const X_PROVIDER: HeaderName = HeaderName::from_static("x-fkm-provider");
pub(crate) const X_MODEL: HeaderName = HeaderName::from_static("x-fkm-model");
pub(crate) const X_ATTEMPTS: HeaderName = HeaderName::from_static("x-fkm-attempts");
pub(crate) const X_DROPPED: HeaderName = HeaderName::from_static("x-fkm-dropped");
const RETRY_AFTER_MS: HeaderName = HeaderName::from_static("retry-after-ms");
const X_SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// The answer for an exchange that failed before anything was committed.
pub(crate) fn error(format: Codec, error: &ExchangeError, id: &RequestId) -> Response<AnswerBody> {
    let mut client = (*error.client).clone();
    client.request_id = Some(id.as_str().to_owned());
    let status =
        StatusCode::from_u16(format.error_status(&client)).unwrap_or(StatusCode::BAD_GATEWAY);
    let body = Bytes::from(format.encode_error(&client));
    let mut response = Response::new(AnswerBody::whole(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(X_REQUEST_ID, id.header());
    headers.insert(X_ATTEMPTS, HeaderValue::from(error.attempts));
    headers.insert(
        X_SHOULD_RETRY,
        HeaderValue::from_static(if error.retryable { "true" } else { "false" }),
    );
    if let Some(delay) = error.retry_after {
        insert_retry_after(headers, delay);
    }
    if let Some(methods) = error.allow {
        headers.insert(ALLOW, HeaderValue::from_static(methods));
    }
    response
}

/// The media type of a stream to a client of this format.
pub(crate) fn stream_type(format: Codec) -> HeaderValue {
    match format.stream_content_type() {
        "text/event-stream" => EVENT_STREAM,
        other => HeaderValue::from_static(other),
    }
}

/// An answer in JSON that no provider gave.
pub(crate) fn json(body: Vec<u8>, id: &RequestId) -> Response<AnswerBody> {
    let mut response = Response::new(AnswerBody::whole(Bytes::from(body)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_REQUEST_ID, id.header());
    response
}

/// Leaves out what no header can carry.
pub(crate) fn insert_text(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        headers.insert(name, value);
    }
}

/// Whole seconds, rounded up, for everybody, and milliseconds for those who read them.
fn insert_retry_after(headers: &mut HeaderMap, delay: Duration) {
    let millis = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
    headers.insert(RETRY_AFTER, HeaderValue::from(millis.div_ceil(1000)));
    headers.insert(RETRY_AFTER_MS, HeaderValue::from(millis));
}
