//! The CA's Secret.

use std::time::{Duration, SystemTime};

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use secrecy::ExposeSecret;
use tokio::time::timeout;
use tracing::info;

use super::{CA_SECRET, Ca, TrustError};

/// kube's client tries again by itself, for very long; this ends it.
const API_TIMEOUT: Duration = Duration::from_secs(5);

const CERTIFICATE: &str = "tls.crt";
const KEY: &str = "tls.key";

/// The CA of all replicas: what the Secret holds, or a new one that is put there.
pub async fn load_or_create(
    client: Client,
    namespace: &str,
    now: SystemTime,
) -> Result<Ca, TrustError> {
    let store = Store {
        secrets: Api::namespaced(client, namespace),
        namespace,
    };
    if let Some(stored) = store.read().await? {
        return store.parse(stored);
    }
    let ca = Ca::generate(now)?;
    if store.create(&ca).await? {
        info!(secret = CA_SECRET, namespace, "CA created");
        return Ok(ca);
    }
    match store.read().await? {
        Some(stored) => store.parse(stored),
        None => Err(TrustError::Incomplete {
            namespace: namespace.to_owned(),
            key: CERTIFICATE,
        }),
    }
}

struct Store<'a> {
    secrets: Api<Secret>,
    namespace: &'a str,
}

// === impl Store ===

impl Store<'_> {
    async fn read(&self) -> Result<Option<Secret>, TrustError> {
        let read = self.secrets.get_opt(CA_SECRET);
        match timeout(API_TIMEOUT, read).await {
            Ok(read) => read.map_err(|source| self.api("read", source)),
            Err(_) => Err(self.silent("read")),
        }
    }

    /// Whether ours is the one; otherwise another replica was faster.
    async fn create(&self, ca: &Ca) -> Result<bool, TrustError> {
        let secret = secret(ca, self.namespace);
        let params = PostParams::default();
        let create = self.secrets.create(&params, &secret);
        match timeout(API_TIMEOUT, create).await {
            Ok(Ok(_)) => Ok(true),
            Ok(Err(kube::Error::Api(status))) if status.is_already_exists() => Ok(false),
            Ok(Err(source)) => Err(self.api("create", source)),
            Err(_) => Err(self.silent("create")),
        }
    }

    fn parse(&self, secret: Secret) -> Result<Ca, TrustError> {
        let mut data = secret.data.unwrap_or_default();
        let mut text = |key: &'static str| {
            let value = data.remove(key).map(|value| String::from_utf8(value.0));
            match value {
                Some(Ok(text)) if !text.is_empty() => Ok(text),
                _ => Err(TrustError::Incomplete {
                    namespace: self.namespace.to_owned(),
                    key,
                }),
            }
        };
        Ok(Ca {
            certificate_pem: text(CERTIFICATE)?,
            key_pem: text(KEY)?.into(),
        })
    }

    fn api(&self, action: &'static str, source: kube::Error) -> TrustError {
        TrustError::Api {
            action,
            namespace: self.namespace.to_owned(),
            source,
        }
    }

    fn silent(&self, action: &'static str) -> TrustError {
        TrustError::Silent {
            action,
            namespace: self.namespace.to_owned(),
        }
    }
}

fn secret(ca: &Ca, namespace: &str) -> Secret {
    let bytes = |text: &str| ByteString(text.as_bytes().to_vec());
    Secret {
        metadata: ObjectMeta {
            name: Some(CA_SECRET.to_owned()),
            namespace: Some(namespace.to_owned()),
            ..ObjectMeta::default()
        },
        type_: Some("kubernetes.io/tls".to_owned()),
        data: Some(
            [
                (CERTIFICATE.to_owned(), bytes(&ca.certificate_pem)),
                (KEY.to_owned(), bytes(ca.key_pem.expose_secret())),
            ]
            .into(),
        ),
        ..Secret::default()
    }
}
