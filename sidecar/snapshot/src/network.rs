//! How a connection to a provider is made: through what, trusting whom, as whom.

use serde::{Deserialize, Serialize};

use crate::{SecretId, is_default};

/// What is special about the connections to one provider. The default is plain: by the process's own settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Network {
    /// Through which proxy.
    #[serde(default, skip_serializing_if = "is_default")]
    pub proxy: Proxy,
    /// Absolute path of the Unix socket that is dialled instead of the base URL's host; empty: none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub socket: String,
    /// `host` or `host:port` that requests name (`Host`, `:authority`) instead of the base URL's; empty: the base URL's.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub host_header: String,
    /// Whether HTTP/2 is spoken.
    #[serde(default, skip_serializing_if = "is_default")]
    pub http2: Http2,
    /// With an `https` base URL: trust and identity.
    #[serde(default, skip_serializing_if = "is_default")]
    pub tls: Tls,
}

/// Through which proxy connections go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Proxy {
    /// The process's own (`HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`), if it has one.
    #[default]
    Environment,
    /// None, whatever the process has.
    Direct,
    /// This one, whatever the process has.
    Through(ProxyServer),
}

/// An HTTP proxy.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ProxyServer {
    /// `http` or `https` URL of host and port alone.
    pub url: String,
    /// For basic authentication; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<ProxyCredentials>,
}

/// Where the two parts of a basic authentication are in the secrets message.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ProxyCredentials {
    /// The user.
    pub username: SecretId,
    /// The password.
    pub password: SecretId,
}

/// When HTTP/2 is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Http2 {
    /// Over TLS where the server offers it; else HTTP/1.1.
    #[default]
    Negotiated,
    /// Always, without asking; for servers that take it without TLS (h2c).
    PriorKnowledge,
}

/// Whom a TLS connection trusts, and as whom it comes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Tls {
    /// PEM bundle to trust instead of the process's roots; empty: the process's roots.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub ca_pem: String,
    /// Trust the process's roots besides `ca_pem`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub public_roots: bool,
    /// The name that is asked for (SNI) and that the certificate must have; empty: the base URL's host.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub server_name: String,
    /// The certificate that is shown to a server that asks for one; absent: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<ClientCertificate>,
}

/// Where a certificate and its key are in the secrets message, both PEM.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ClientCertificate {
    /// The certificate, then those between it and the CA.
    pub certificate: SecretId,
    /// The private key.
    pub key: SecretId,
}

// === impl Network ===

impl Network {
    /// The secrets that connections need, apart from the provider's keys.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretId> {
        let proxy = match &self.proxy {
            Proxy::Through(ProxyServer { credentials, .. }) => credentials.as_ref(),
            Proxy::Environment | Proxy::Direct => None,
        };
        let proxy = proxy.map(|ProxyCredentials { username, password }| [username, password]);
        let identity = self.tls.client_certificate.as_ref();
        let identity = identity.map(|ClientCertificate { certificate, key }| [certificate, key]);
        proxy.into_iter().chain(identity).flatten()
    }

    /// What a reader must obey.
    pub fn features(&self) -> Vec<&'static str> {
        let Tls {
            ca_pem,
            public_roots,
            server_name,
            client_certificate,
        } = &self.tls;
        let used = [
            (self.proxy != Proxy::Environment, "network.proxy"),
            (!self.socket.is_empty(), "network.socket"),
            (!self.host_header.is_empty(), "network.host_header"),
            (self.http2 != Http2::Negotiated, "network.http2"),
            (!ca_pem.is_empty(), "tls.ca"),
            (*public_roots, "tls.public_roots"),
            (!server_name.is_empty(), "tls.server_name"),
            (client_certificate.is_some(), "tls.client_certificate"),
        ];
        let used = used.into_iter().filter(|(is_used, _)| *is_used);
        used.map(|(_, feature)| feature).collect()
    }

    /// What cannot be, for a provider at `base_url`: the field, and why.
    pub(crate) fn problems(&self, base_url: &str) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        let encrypted = base_url.starts_with("https:");
        if self.tls != Tls::default() && !encrypted {
            problems.push(("tls", "is for an https base URL alone".to_owned()));
        }
        if self.tls.public_roots && self.tls.ca_pem.is_empty() {
            let message = "without caPem the process's roots are trusted anyway";
            problems.push(("tls.publicRoots", message.to_owned()));
        }
        if self.http2 == Http2::PriorKnowledge && encrypted {
            let message = "an https base URL negotiates HTTP/2; PriorKnowledge is for http";
            problems.push(("http2", message.to_owned()));
        }
        if !self.socket.is_empty() && (encrypted || !self.socket.starts_with('/')) {
            let message = "must be an absolute path, with an http base URL";
            problems.push(("socket", message.to_owned()));
        }
        if let Proxy::Through(server) = &self.proxy {
            if !is_proxy_url(&server.url) {
                // Not shown: it may hold a password.
                let message = "must be an http or https URL of host and port alone";
                problems.push(("proxy.through.url", message.to_owned()));
            }
            if !self.socket.is_empty() {
                problems.push(("proxy", "a Unix socket has no proxy".to_owned()));
            }
        }
        problems
    }
}

fn is_proxy_url(text: &str) -> bool {
    url::Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.host().is_some()
            && url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FEATURES;

    fn full() -> Network {
        let id = |key: &str| SecretId::new("a", "b", key);
        Network {
            proxy: Proxy::Through(ProxyServer {
                url: "http://proxy:3128".to_owned(),
                credentials: Some(ProxyCredentials {
                    username: id("username"),
                    password: id("password"),
                }),
            }),
            socket: "/x".to_owned(),
            host_header: "h".to_owned(),
            http2: Http2::PriorKnowledge,
            tls: Tls {
                ca_pem: "x".to_owned(),
                public_roots: true,
                server_name: "n".to_owned(),
                client_certificate: Some(ClientCertificate {
                    certificate: id("tls.crt"),
                    key: id("tls.key"),
                }),
            },
        }
    }

    #[test]
    fn every_field_is_a_feature_that_is_obeyed() {
        assert!(Network::default().features().is_empty());
        let features = full().features();
        assert_eq!(features.len(), 8);
        for feature in features {
            assert!(FEATURES.contains(&feature), "{feature}");
        }
        assert_eq!(full().secrets().count(), 4);
    }

    #[test]
    fn what_contradicts_itself_is_a_problem() {
        let fields = |network: &Network, base: &str| {
            let problems = network.problems(base).into_iter();
            problems.map(|(field, _)| field).collect::<Vec<_>>()
        };
        assert!(fields(&Network::default(), "http://x").is_empty());
        assert_eq!(fields(&full(), "https://x"), ["http2", "socket", "proxy"]);
        let mut network = full();
        network.socket = "x".to_owned();
        network.tls.ca_pem.clear();
        let at_http = ["tls", "tls.publicRoots", "socket", "proxy"];
        assert_eq!(fields(&network, "http://x"), at_http);
        for wrong in ["socks5://p", "http://u:p@p", "http://p/x", "p:1", ""] {
            let proxy = Proxy::Through(ProxyServer {
                url: wrong.to_owned(),
                credentials: None,
            });
            let network = Network {
                proxy,
                ..Network::default()
            };
            assert_eq!(
                fields(&network, "https://x"),
                ["proxy.through.url"],
                "{wrong}"
            );
        }
    }
}
