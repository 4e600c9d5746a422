//! How a provider is reached: proxy, trust, identity.

use fkm_crds::{Http2 as Http2Spec, Proxy as ProxySpec, ProxyType, SecretRef, Tls as TlsSpec};
use fkm_snapshot::{Http2, Network, Proxy, ProxyServer, Tls};

use super::{Judge, NetworkRefs, proxy_url};

// === impl Judge ===

impl Judge<'_> {
    /// What is special about the connections, and the objects that it needs.
    pub(super) fn network(&mut self, base_url: &str, socket: String) -> (Network, NetworkRefs) {
        let spec = self.spec;
        let encrypted = base_url.starts_with("https://");
        if spec.tls.is_some() && !encrypted {
            let message = format!(
                "it is given, but baseURL {base_url:?} is not encrypted; use https or remove tls"
            );
            self.invalid("tls", message);
        }
        let http2 = match spec.http2 {
            Some(Http2Spec::PriorKnowledge) => Http2::PriorKnowledge,
            Some(Http2Spec::Negotiated) | None => Http2::Negotiated,
        };
        if http2 == Http2::PriorKnowledge && encrypted {
            let message = "PriorKnowledge is for http; https negotiates HTTP/2, remove it";
            self.invalid("http2", message);
        }
        let name = |secret: &SecretRef| secret.name.0.clone();
        let tls = spec.tls.as_ref();
        let proxy = spec.proxy.as_ref();
        let refs = NetworkRefs {
            ca: tls
                .and_then(|tls| tls.ca_certificate_ref.as_ref())
                .map(|ca| ca.name.0.clone()),
            identity: tls
                .and_then(|tls| tls.client_certificate_ref.as_ref())
                .map(name),
            proxy: proxy
                .and_then(|proxy| proxy.credentials_ref.as_ref())
                .map(name),
        };
        let network = Network {
            proxy: proxy.map_or(Proxy::Environment, |given| self.proxy(given, &socket)),
            host_header: spec
                .host_header
                .as_ref()
                .map(|host| host.0.clone())
                .unwrap_or_default(),
            http2,
            tls: tls.map(|given| self.tls(given)).unwrap_or_default(),
            socket,
        };
        (network, refs)
    }

    fn proxy(&mut self, given: &ProxySpec, socket: &str) -> Proxy {
        if !socket.is_empty() {
            self.invalid("proxy", "a socket has no proxy; remove it");
        }
        match (given.r#type, &given.url) {
            (ProxyType::HTTP, Some(url)) => match proxy_url(&url.0, self.is_local()) {
                Ok(url) => {
                    return Proxy::Through(ProxyServer {
                        url,
                        credentials: None,
                    });
                }
                Err(message) => self.invalid("proxy.url", message),
            },
            (ProxyType::HTTP, None) => self.invalid("proxy.url", "type HTTP needs a url"),
            (ProxyType::None, None) => {
                if given.credentials_ref.is_some() {
                    let message = "a proxy of type None has no use for it; remove it";
                    self.invalid("proxy.credentialsRef", message);
                }
            }
            (ProxyType::None, Some(_)) => {
                self.invalid("proxy.url", "it is for type HTTP only; remove it");
            }
        }
        Proxy::Direct
    }

    fn tls(&mut self, given: &TlsSpec) -> Tls {
        if given.public_roots.is_some() && given.ca_certificate_ref.is_none() {
            let message =
                "it is for caCertificateRef, without which they are trusted anyway; remove it";
            self.invalid("tls.publicRoots", message);
        }
        Tls {
            public_roots: given.public_roots.unwrap_or_default(),
            server_name: given
                .server_name
                .as_ref()
                .map(|name| name.0.clone())
                .unwrap_or_default(),
            ..Tls::default()
        }
    }
}
