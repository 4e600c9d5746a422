//! Tokens for a client's id and secret (RFC 6749, 4.4).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use fkm_snapshot::ClientAuthentication;
use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use super::endpoint::Endpoint;
use super::error::SignInError;
use super::token::{self, Granted};

/// A client of an OAuth 2.0 server.
#[derive(Debug)]
pub(crate) struct Client {
    pub(super) endpoint: Endpoint,
    pub(super) id: String,
    pub(super) secret: SecretString,
    /// With a space between them.
    pub(super) scope: String,
    /// Empty: not sent.
    pub(super) audience: String,
    pub(super) authentication: ClientAuthentication,
}

// === impl Client ===

impl Client {
    pub(super) async fn fetch(&self) -> Result<Granted, SignInError> {
        let secret = self.secret.expose_secret().trim();
        let mut form = vec![("grant_type", "client_credentials")];
        if !self.scope.is_empty() {
            form.push(("scope", &self.scope));
        }
        if !self.audience.is_empty() {
            form.push(("audience", &self.audience));
        }
        let mut authorization = None;
        match self.authentication {
            ClientAuthentication::Basic => authorization = Some(basic(&self.id, secret)),
            ClientAuthentication::Body => {
                form.push(("client_id", &self.id));
                form.push(("client_secret", secret));
            }
        }
        let reply = self.endpoint.post(&form, authorization.as_ref()).await?;
        let reply = reply.good(&[secret])?;
        token::read(&reply.body).map_err(|what| reply.wrong(what))
    }
}

/// Id and secret are form-encoded before they are joined (RFC 6749, 2.3.1).
fn basic(id: &str, secret: &str) -> HeaderValue {
    let encoded =
        |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = BASE64_STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret)));
    let mut value = HeaderValue::try_from(format!("Basic {pair}")).expect("base64 fits a header");
    value.set_sensitive(true);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_and_secret_are_encoded_before_they_are_joined() {
        let value = basic("an:id", "a secret+%");
        let decoded = BASE64_STANDARD.decode(&value.as_bytes()[6..]).unwrap();
        assert_eq!(decoded, b"an%3Aid:a+secret%2B%25");
        assert!(value.is_sensitive());
    }
}
