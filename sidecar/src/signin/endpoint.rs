//! Servers that give tokens: one request, one bounded answer, and words for what went wrong.

use bytes::{Bytes, BytesMut};
use fkm_llm::Redactor;
use http::{HeaderMap, HeaderValue, Method, Request, Uri, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;

use super::error::SignInError;
use crate::upstream::body::Segments;
use crate::upstream::client::{self, HttpClient};
use crate::upstream::connector::describe;

/// The most that is read of an answer. Tokens are a few KiB.
const MOST: usize = 256 * 1024;

/// The most that is repeated of what a token server says.
const MOST_SAID: usize = 300;

const FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// A server that gives tokens, reached as a provider is: pooled, and under the address rule.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub(crate) client: HttpClient,
    pub(crate) uri: Uri,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// For a person.
    pub(crate) server: String,
}

// === impl Endpoint ===

impl Endpoint {
    /// Posts a form, perhaps with an `Authorization`.
    pub(crate) async fn post(
        &self,
        form: &[(&str, &str)],
        authorization: Option<&HeaderValue>,
    ) -> Result<Reply, SignInError> {
        let body = encoded(form);
        let request = || {
            let mut request = Request::new(Segments::from(vec![body.clone()]));
            *request.method_mut() = Method::POST;
            *request.uri_mut() = self.uri.clone();
            let headers = request.headers_mut();
            headers.insert(header::CONTENT_TYPE, FORM);
            headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
            if let Some(authorization) = authorization {
                headers.insert(header::AUTHORIZATION, authorization.clone());
            }
            request
        };
        let server = server(&self.uri);
        let response = client::send(&self.client, request)
            .await
            .map_err(|error| SignInError::Unreached(server.clone(), error.message))?;
        Reply::read(server, response).await
    }
}

// === impl Reply ===

impl Reply {
    /// Reads the rest of an answer.
    pub(crate) async fn read(
        server: String,
        response: http::Response<Incoming>,
    ) -> Result<Self, SignInError> {
        let (head, mut body) = response.into_parts();
        let mut read = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame =
                frame.map_err(|error| SignInError::Unreached(server.clone(), describe(&error)))?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            if read.len() + data.len() > MOST {
                return Err(SignInError::Answer {
                    server,
                    what: "it is too long",
                });
            }
            read.extend_from_slice(&data);
        }
        Ok(Self {
            status: head.status.as_u16(),
            headers: head.headers,
            body: read.freeze(),
            server,
        })
    }

    /// The answer, if it is a good one. `shown`: what the request held and no error may repeat.
    pub(crate) fn good(self, shown: &[&str]) -> Result<Self, SignInError> {
        if self.status == 200 {
            return Ok(self);
        }
        Err(SignInError::Refused {
            said: said(&self.body, shown),
            server: self.server,
            status: self.status,
        })
    }

    /// It is good, but no credentials.
    pub(crate) fn wrong(&self, what: &'static str) -> SignInError {
        SignInError::Answer {
            server: self.server.clone(),
            what,
        }
    }
}

fn encoded(form: &[(&str, &str)]) -> Bytes {
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    text.extend_pairs(form);
    Bytes::from(text.finish())
}

/// The server of a URI, for a person: without path and query.
pub(crate) fn server(uri: &Uri) -> String {
    uri.authority()
        .map_or_else(|| "the token server".to_owned(), ToString::to_string)
}

/// What an error says of itself: OAuth's members, those of Google's and AWS's JSON, or AWS's XML. Everything else is not
/// repeated.
fn said(body: &[u8], shown: &[&str]) -> String {
    let text = match serde_json::from_slice::<Value>(body) {
        Ok(json) => {
            let word = |pointer: &str| json.pointer(pointer).and_then(Value::as_str);
            let code = ["/error", "/error/status", "/Code", "/code"]
                .into_iter()
                .find_map(word);
            let message = [
                "/error_description",
                "/error/message",
                "/Message",
                "/message",
            ]
            .into_iter()
            .find_map(word);
            [code, message]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(": ")
        }
        Err(_) => {
            let text = String::from_utf8_lossy(body);
            let parts = ["Code", "Message"].map(|tag| element(&text, tag));
            parts.into_iter().flatten().collect::<Vec<_>>().join(": ")
        }
    };
    let text = shown
        .iter()
        .fold(text, |text, secret| Redactor::new(secret).redact(&text));
    let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    let text: String = plain.take(MOST_SAID).collect();
    match text.is_empty() {
        true => text,
        false => format!(": {text}"),
    }
}

/// The text of the first element of this name, for answers of AWS: their elements have no attributes, and what is looked
/// for no markup.
pub(crate) fn element<'a>(xml: &'a str, tag: &str) -> Option<&'a str> {
    let (_, rest) = xml.split_once(&format!("<{tag}>"))?;
    let (text, _) = rest.split_once(&format!("</{tag}>"))?;
    (!text.contains(['<', '&'])).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_told_and_secrets_are_not() {
        for (body, expected) in [
            (
                r#"{"error":"invalid_client","error_description":"no client for s3cret-value"}"#,
                ": invalid_client: no client for [redacted]",
            ),
            (
                r#"{"error":{"status":"PERMISSION_DENIED","message":"not you"}}"#,
                ": PERMISSION_DENIED: not you",
            ),
            (
                "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no &amp;</Message></Error></ErrorResponse>",
                ": AccessDenied",
            ),
            ("<html>s3cret-value</html>", ""),
            ("", ""),
        ] {
            assert_eq!(said(body.as_bytes(), &["s3cret-value"]), expected);
        }
        let long = format!(r#"{{"error":"{}"}}"#, "x\\n".repeat(900));
        assert!(said(long.as_bytes(), &[]).len() <= MOST_SAID + 2);
    }
}
