//! How a provider is reached: through which proxy, trusting whom, as whom.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{DnsSubdomain, ProxyUrl, cel};

/// The proxy between the sidecar and a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    cel::rule_at(".url",
        "has(self.url) == (self.type == 'HTTP')",
        "'url must be given if and only if type is HTTP; proxy has type ' + self.type"),
    cel::rule_at(".credentialsRef",
        "self.type == 'HTTP' || !has(self.credentialsRef)",
        "'a proxy of type ' + self.type + ' has no use for credentialsRef; remove it'"),
]))]
pub struct Proxy {
    /// HTTP: the proxy at url, asked by CONNECT for https, h2c and where hostHeader is given, by whole URLs for plain http. None: no proxy, whatever the environment of the sidecar has.
    pub r#type: ProxyType,
    /// With type HTTP: http or https (no SOCKS), host and port. An https proxy is checked against the roots of the sidecar and those of tls.caCertificateRef. The rule for addresses holds for the proxy as for the provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<ProxyUrl>,
    /// With type HTTP: the Secret with username and password for the proxy, as type kubernetes.io/basic-auth has them. Omitted: none are sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials_ref: Option<SecretRef>,
}

/// The kinds of proxies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[expect(
    missing_docs,
    reason = "a documented variant would leave the structural schema"
)]
pub enum ProxyType {
    HTTP,
    None,
}

/// When HTTP/2 is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[expect(
    missing_docs,
    reason = "a documented variant would leave the structural schema"
)]
pub enum Http2 {
    Negotiated,
    PriorKnowledge,
}

/// A Secret with well-known keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct SecretRef {
    /// The Secret, in the pool's namespace.
    pub name: DnsSubdomain,
}

/// How TLS is spoken with a provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline, extend("x-kubernetes-validations" = [
    cel::rule("has(self.caCertificateRef) || has(self.serverName) || has(self.clientCertificateRef)",
        "'tls says nothing; give caCertificateRef, serverName or clientCertificateRef, or remove it'"),
    cel::rule_at(".publicRoots",
        "!has(self.publicRoots) || has(self.caCertificateRef)",
        "'publicRoots is for caCertificateRef, without which they are trusted anyway; remove it'"),
]))]
pub struct Tls {
    /// The certificates to trust: PEM in the key ca.crt. They stand instead of the roots of the sidecar, unless publicRoots is true. Omitted: the roots of the sidecar, which are the public ones if its environment does not name others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_certificate_ref: Option<CaCertificateRef>,
    /// With caCertificateRef: whether the roots of the sidecar are trusted too. Omitted: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_roots: Option<bool>,
    /// The name that is asked for (SNI), and that the certificate must have. Omitted: the host of baseURL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_name: Option<DnsSubdomain>,
    /// The Secret with the certificate that the sidecar shows, and its key: PEM in tls.crt and tls.key, as type kubernetes.io/tls has them. New ones are taken at once. Omitted: none is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate_ref: Option<SecretRef>,
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
