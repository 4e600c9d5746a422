//! Signature Version 4 of AWS, over a request whose body is in pieces.
//!
//! The path is signed as it is sent, encoded once more, as every service but S3 wants it: a model id's `:` is `%3A` in the
//! path and `%253A` in what is signed.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SigningSettings, sign as sign_request,
};
use aws_sigv4::sign::v4::SigningParams;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use sha2::{Digest, Sha256};

use super::error::SignInError;

/// For what a signature is good.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope<'a> {
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
}

/// Adds the headers of the signature of a request, given by method and address, and of its time and session.
pub(crate) fn sign(
    (method, uri): (&str, &Uri),
    headers: &mut HeaderMap,
    body: &[Bytes],
    keys: &Credentials,
    scope: &Scope<'_>,
    now: SystemTime,
) -> Result<(), SignInError> {
    let identity = keys.clone().into();
    let params = SigningParams::builder()
        .identity(&identity)
        .region(scope.region)
        .name(scope.service)
        .time(now)
        .settings(SigningSettings::default())
        .build()
        .map_err(|_| SignInError::Unsignable)?
        .into();
    let uri = uri.to_string();
    let given = headers
        .iter()
        .map(|(name, value)| Ok((name.as_str(), value.to_str()?)));
    let given: Result<Vec<_>, http::header::ToStrError> = given.collect();
    let given = given.map_err(|_| SignInError::Unsignable)?;
    let body = SignableBody::Precomputed(digest(body));
    let (signed, _) = SignableRequest::new(method, uri, given.into_iter(), body)
        .and_then(|request| sign_request(request, &params))
        .map_err(|_| SignInError::Unsignable)?
        .into_parts();
    let (signed, _) = signed.into_parts();
    for header in signed {
        let mut value =
            HeaderValue::from_str(header.value()).map_err(|_| SignInError::Unsignable)?;
        value.set_sensitive(true);
        headers.insert(HeaderName::from_static(header.name()), value);
    }
    Ok(())
}

/// SHA-256 of the pieces in their order, in lower-case hex.
fn digest(body: &[Bytes]) -> String {
    let mut hash = Sha256::new();
    for piece in body {
        hash.update(piece);
    }
    hex::encode(hash.finalize())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    /// What botocore's `SigV4Auth` makes of the same request.
    #[test]
    fn signs_as_botocore_does() {
        let uri: Uri = "https://bedrock-runtime.us-east-1.amazonaws.com/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.anthropic.claude-sonnet-4-20250514-v1%3A0/converse".parse().unwrap();
        let keys = Credentials::new(
            "AKIDEXAMPLE",
            "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            Some("session/token==".to_owned()),
            None,
            "test",
        );
        let scope = Scope {
            region: "us-east-1",
            service: "bedrock",
        };
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        let body = [r#"{"messages":"#, "[]", "}"].map(Bytes::from);
        let now = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        sign(("POST", &uri), &mut headers, &body, &keys, &scope, now).unwrap();
        let value = |name: &str| headers[name].to_str().unwrap().to_owned();
        assert_eq!(value("x-amz-date"), "20231114T221320Z");
        assert_eq!(value("x-amz-security-token"), "session/token==");
        assert_eq!(
            value("authorization"),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20231114/us-east-1/bedrock/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature=a5c2f0a1138d123cd9d4cd033870eb68e91820b8b514c3fb203d5ff1cad25a49"
        );
        assert!(!format!("{headers:?}").contains("session/token"));
    }

    #[test]
    fn the_cut_of_the_body_does_not_matter() {
        let whole = digest(&[Bytes::from_static(b"abc")]);
        assert_eq!(whole, digest(&["a", "", "bc"].map(Bytes::from)));
        assert!(whole.starts_with("ba7816bf"));
    }
}
