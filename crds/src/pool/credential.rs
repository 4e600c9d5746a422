//! What a provider is shown, and what it must show.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{DnsLabel, DnsSubdomain, SecretKey, cel};

/// One key of a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    cel::rule_at(".apiKey",
        "has(self.apiKey) == (self.type == 'APIKey')",
        "'apiKey must be given if and only if type is APIKey; credential ' + self.name + ' has type ' + self.type"),
]))]
pub struct Credential {
    /// Unique in this provider; shown in logs and metrics, never the key itself.
    pub name: DnsLabel,
    /// APIKey: a key from a Secret.
    pub r#type: CredentialType,
    /// With type APIKey: the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_key: Option<ApiKey>,
}

/// The kinds of credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[expect(
    missing_docs,
    reason = "a documented variant would leave the structural schema"
)]
pub enum CredentialType {
    APIKey,
}

/// A key that is sent with every request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct ApiKey {
    /// Where the key is.
    pub secret_key_ref: SecretKeyRef,
}

/// One key of a Secret in the pool's namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct SecretKeyRef {
    /// The Secret, in the pool's namespace.
    pub name: DnsSubdomain,
    /// The key in it.
    pub key: SecretKey,
}

/// How a provider's certificate is checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub struct Tls {
    /// The certificates to trust instead of the public roots: PEM in the key ca.crt.
    pub ca_certificate_ref: CaCertificateRef,
}

/// Where CA certificates are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct CaCertificateRef {
    /// ConfigMap.
    pub kind: CaKind,
    /// The object, in the pool's namespace.
    pub name: DnsSubdomain,
}

/// The kinds of objects that hold CA certificates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[expect(
    missing_docs,
    reason = "a documented variant would leave the structural schema"
)]
pub enum CaKind {
    #[default]
    ConfigMap,
}
