//! The secrets that connections themselves need: a proxy's password, a client certificate. Never a provider's key.

use std::hash::{Hash, Hasher};

use fkm_snapshot::{Network, Proxy, ProxyServer, SecretId, Secrets};
use secrecy::{ExposeSecret, SecretString};

/// Values of the secrets that a [`Network`] names. `Debug` hides them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Material {
    pub(crate) proxy: Option<BasicCredentials>,
    pub(crate) identity: Option<Identity>,
}

/// User and password for a proxy.
#[derive(Clone, Debug)]
pub(crate) struct BasicCredentials {
    pub(crate) username: SecretString,
    pub(crate) password: SecretString,
}

/// Certificates and their key, both PEM.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) certificate: SecretString,
    pub(crate) key: SecretString,
}

// === impl Material ===

impl Material {
    /// The values that `network` names; or those that were not delivered.
    pub(crate) fn of(network: &Network, secrets: &Secrets) -> Result<Self, Vec<SecretId>> {
        let missing: Vec<SecretId> = network
            .secrets()
            .filter(|id| !secrets.entries.contains_key(id))
            .cloned()
            .collect();
        if !missing.is_empty() {
            return Err(missing);
        }
        let value = |id: &SecretId| secrets.entries[id].clone();
        let proxy = match &network.proxy {
            Proxy::Through(ProxyServer { credentials, .. }) => credentials.as_ref(),
            Proxy::Environment | Proxy::Direct => None,
        };
        let identity = network.tls.client_certificate.as_ref();
        Ok(Self {
            proxy: proxy.map(|named| BasicCredentials {
                username: value(&named.username),
                password: value(&named.password),
            }),
            identity: identity.map(|named| Identity {
                certificate: value(&named.certificate),
                key: value(&named.key),
            }),
        })
    }
}

/// For a keyed hasher alone: equal values have equal hashes, so that a rotation is told from none.
impl Hash for Material {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let proxy = self.proxy.as_ref();
        let proxy = proxy.map(|one| (one.username.expose_secret(), one.password.expose_secret()));
        let identity = self.identity.as_ref();
        let identity =
            identity.map(|one| (one.certificate.expose_secret(), one.key.expose_secret()));
        (proxy, identity).hash(state);
    }
}
