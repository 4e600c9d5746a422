//! Tokens of Microsoft Entra for an application, by its secret or by a token of the pod.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use super::endpoint::Endpoint;
use super::error::SignInError;
use super::token::{self, Granted};
use super::token_file::read_file;

/// Where Entra is, unless pool or platform say otherwise.
pub(super) const AUTHORITY: &str = "https://login.microsoftonline.com";

/// What a client assertion is (RFC 7523, 2.2).
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// An application.
#[derive(Debug)]
pub(crate) struct Application {
    /// `AUTHORITY/TENANT/oauth2/v2.0/token`.
    pub(super) endpoint: Endpoint,
    pub(super) client_id: String,
    pub(super) scope: String,
    pub(super) proof: Proof,
}

/// How it proves who it is.
#[derive(Debug)]
pub(crate) enum Proof {
    Secret(SecretString),
    TokenFile(PathBuf),
}

// === impl Application ===

impl Application {
    pub(super) async fn fetch(&self) -> Result<Granted, SignInError> {
        let shown = match &self.proof {
            Proof::Secret(secret) => secret.expose_secret().trim().to_owned(),
            // Read each time: the kubelet changes it long before it expires.
            Proof::TokenFile(file) => read_file(file).await?,
        };
        let mut form = vec![
            ("grant_type", "client_credentials"),
            ("client_id", self.client_id.as_str()),
            ("scope", self.scope.as_str()),
        ];
        match self.proof {
            Proof::Secret(_) => form.push(("client_secret", &shown)),
            Proof::TokenFile(_) => {
                form.push(("client_assertion_type", ASSERTION));
                form.push(("client_assertion", &shown));
            }
        }
        let reply = self.endpoint.post(&form, None).await?.good(&[&shown])?;
        token::read(&reply.body).map_err(|what| reply.wrong(what))
    }
}
