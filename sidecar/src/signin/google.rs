//! Tokens of Google Cloud: for a service account whose key is at hand, and for the one that the pod runs as.

use std::time::UNIX_EPOCH;

use http::{HeaderName, HeaderValue, Method};
use serde::Deserialize;
use serde_json::json;

use super::clock::Clock;
use super::endpoint::Endpoint;
use super::error::SignInError;
use super::jwt::SigningKey;
use super::metadata::Metadata;
use super::token::{self, Granted};

/// The grant of a signed assertion (RFC 7523, 2.1).
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// How long an assertion is good: Google takes an hour at most.
const ASSERTION_SECONDS: u64 = 3600;

/// Where the metadata server is, unless the platform says otherwise.
pub(super) const METADATA_HOST: &str = "metadata.google.internal";

const FLAVOR: HeaderName = HeaderName::from_static("metadata-flavor");

/// The JSON key of a service account, as far as it is used.
#[derive(Deserialize)]
pub(super) struct KeyFile {
    pub(super) client_email: String,
    pub(super) private_key_id: String,
    pub(super) private_key: String,
    pub(super) token_uri: String,
}

/// A service account with its key.
#[derive(Debug)]
pub(crate) struct Account {
    pub(super) endpoint: Endpoint,
    pub(super) email: String,
    pub(super) key_id: String,
    pub(super) key: SigningKey,
    /// For whom the assertion is: the key's own `token_uri`, wherever it is sent.
    pub(super) audience: String,
    /// With a space between them.
    pub(super) scope: String,
}

/// The service account that the pod runs as.
#[derive(Debug)]
pub(crate) struct Workload {
    pub(super) metadata: Metadata,
    pub(super) uri: String,
}

// === impl Account ===

impl Account {
    pub(super) async fn fetch(&self, clock: &Clock) -> Result<Granted, SignInError> {
        let assertion = self.assertion(clock).ok_or(SignInError::Unsignable)?;
        let mut reply = self.ask(&assertion).await?;
        // An assertion is good by the server's clock.
        if reply.status == 400 && clock.learn(&reply.headers) {
            let assertion = self.assertion(clock).ok_or(SignInError::Unsignable)?;
            reply = self.ask(&assertion).await?;
        }
        let reply = reply.good(&[&assertion])?;
        token::read(&reply.body).map_err(|what| reply.wrong(what))
    }

    async fn ask(&self, assertion: &str) -> Result<super::endpoint::Reply, SignInError> {
        let form = [("grant_type", JWT_BEARER), ("assertion", assertion)];
        self.endpoint.post(&form, None).await
    }

    fn assertion(&self, clock: &Clock) -> Option<String> {
        let now = clock.now().duration_since(UNIX_EPOCH).ok()?.as_secs();
        let claims = json!({
            "iss": self.email,
            "aud": self.audience,
            "scope": self.scope,
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
        });
        self.key.sign(&self.key_id, &claims)
    }
}

// === impl Workload ===

impl Workload {
    pub(super) fn uri(host: &str, account: &str, scopes: &[String]) -> String {
        let account: String = url::form_urlencoded::byte_serialize(account.as_bytes()).collect();
        let mut uri =
            format!("http://{host}/computeMetadata/v1/instance/service-accounts/{account}/token");
        if !scopes.is_empty() {
            let scopes = scopes.join(",");
            let scopes = url::form_urlencoded::byte_serialize(scopes.as_bytes());
            uri.push_str("?scopes=");
            uri.extend(scopes);
        }
        uri
    }

    pub(super) async fn fetch(&self) -> Result<Granted, SignInError> {
        let flavor = [(FLAVOR, HeaderValue::from_static("Google"))];
        let reply = self.metadata.ask(Method::GET, &self.uri, &flavor).await?;
        let reply = reply.good(&[])?;
        token::read(&reply.body).map_err(|what| reply.wrong(what))
    }
}
