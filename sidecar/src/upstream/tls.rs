//! Trust towards providers and proxies, and the certificate that is shown to them.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use fkm_snapshot::Tls;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use secrecy::ExposeSecret;
use thiserror::Error;
use tokio_rustls::TlsConnector;
use url::Host;

use super::material::Identity;
use super::stream::Io;
use crate::network::NetworkSettings;

/// What is offered where HTTP/2 may be spoken, and where not.
const H2_OR_H1: [&[u8]; 2] = [b"h2", b"http/1.1"];
const H1: [&[u8]; 1] = [b"http/1.1"];

/// The roots of the process: public ones or those of its settings. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Roots(Arc<RootCertStore>);

/// A file of roots that cannot be used.
#[derive(Debug, Error)]
pub enum RootsError {
    /// It cannot be read.
    #[error("cannot read the certificates of {path:?} ({variable})")]
    Read {
        /// Which.
        path: PathBuf,
        /// Who named it.
        variable: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// There is nothing to trust in it.
    #[error("{path:?} ({variable}) holds no certificate in PEM that can be used as a root")]
    Empty {
        /// Which.
        path: PathBuf,
        /// Who named it.
        variable: &'static str,
    },
}

/// Settings of a provider's TLS that cannot be used.
#[derive(Debug, Error)]
pub(crate) enum InvalidTls {
    #[error("the CA bundle is not PEM")]
    Pem(#[source] rustls_pki_types::pem::Error),
    #[error("a certificate of the CA bundle cannot be used as a root")]
    Root(#[source] rustls::Error),
    #[error("the CA bundle holds no certificate")]
    Empty,
    #[error("{0:?} cannot be the name of a server")]
    Name(String),
    #[error("the client certificate is not PEM")]
    Certificate(#[source] rustls_pki_types::pem::Error),
    #[error("the private key of the client certificate is not PEM")]
    Key(#[source] rustls_pki_types::pem::Error),
    #[error("client certificate and private key cannot be used together")]
    Pair(#[source] rustls::Error),
}

/// One side of TLS connections: whom they trust, which name they ask for.
#[derive(Clone)]
pub(crate) struct Secured {
    connector: TlsConnector,
    name: ServerName<'static>,
}

// === impl Roots ===

impl Roots {
    /// The roots that the settings name. What a file holds besides usable certificates is passed over, for the bundles of
    /// systems hold this and that.
    pub(crate) fn load(settings: &NetworkSettings) -> Result<Self, RootsError> {
        let mut roots = match &settings.roots {
            Some(path) => read(path, "SSL_CERT_FILE")?,
            None => webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect(),
        };
        if let Some(path) = &settings.extra_roots {
            roots.roots.extend(read(path, "FKM_EXTRA_CA_FILE")?.roots);
        }
        Ok(Self(Arc::new(roots)))
    }
}

fn read(path: &PathBuf, variable: &'static str) -> Result<RootCertStore, RootsError> {
    let pem = std::fs::read(path).map_err(|source| RootsError::Read {
        path: path.clone(),
        variable,
        source,
    })?;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(CertificateDer::pem_slice_iter(&pem).flatten());
    match roots.is_empty() {
        true => Err(RootsError::Empty {
            path: path.clone(),
            variable,
        }),
        false => Ok(roots),
    }
}

// === impl InvalidTls ===

impl InvalidTls {
    /// The field of `network.tls` that is wrong.
    pub(crate) fn field(&self) -> &'static str {
        match self {
            Self::Pem(_) | Self::Root(_) | Self::Empty => "caPem",
            Self::Name(_) => "serverName",
            Self::Certificate(_) => "clientCertificate.certificate",
            Self::Key(_) => "clientCertificate.key",
            Self::Pair(_) => "clientCertificate",
        }
    }
}

// === impl Secured ===

impl Secured {
    /// Towards the provider at `host`.
    pub(crate) fn provider(
        roots: &Roots,
        tls: &Tls,
        identity: Option<&Identity>,
        host: &Host,
    ) -> Result<Self, InvalidTls> {
        let base = (tls.public_roots || tls.ca_pem.is_empty()).then_some(roots);
        let builder = builder(&trusted(base, &tls.ca_pem)?);
        let mut config = match identity {
            None => builder.with_no_client_auth(),
            Some(identity) => {
                let chain =
                    CertificateDer::pem_slice_iter(identity.certificate.expose_secret().as_bytes());
                let chain = chain
                    .collect::<Result<Vec<_>, _>>()
                    .map_err(InvalidTls::Certificate)?;
                let key = PrivateKeyDer::from_pem_slice(identity.key.expose_secret().as_bytes())
                    .map_err(InvalidTls::Key)?;
                builder
                    .with_client_auth_cert(chain, key)
                    .map_err(InvalidTls::Pair)?
            }
        };
        config.alpn_protocols = H2_OR_H1.map(<[u8]>::to_vec).into();
        let name = match tls.server_name.as_str() {
            "" => name_of(host)?,
            given => ServerName::try_from(given.to_owned())
                .map_err(|_| InvalidTls::Name(given.to_owned()))?,
        };
        Ok(Self::new(config, name))
    }

    /// Towards a proxy at `host`, which the process's roots or those of the provider behind it may vouch for.
    pub(crate) fn proxy(roots: &Roots, ca_pem: &str, host: &Host) -> Result<Self, InvalidTls> {
        let mut config = builder(&trusted(Some(roots), ca_pem)?).with_no_client_auth();
        config.alpn_protocols = H1.map(<[u8]>::to_vec).into();
        Ok(Self::new(config, name_of(host)?))
    }

    fn new(config: ClientConfig, name: ServerName<'static>) -> Self {
        Self {
            connector: TlsConnector::from(Arc::new(config)),
            name,
        }
    }

    /// The connection, encrypted; and whether HTTP/2 was agreed on.
    pub(crate) async fn handshake(&self, io: Box<dyn Io>) -> io::Result<(Box<dyn Io>, bool)> {
        let stream = self.connector.connect(self.name.clone(), io).await?;
        let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        Ok((Box::new(stream), http2))
    }
}

impl std::fmt::Debug for Secured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Secured").field(&self.name).finish()
    }
}

fn builder(
    roots: &Arc<RootCertStore>,
) -> rustls::ConfigBuilder<ClientConfig, rustls::client::WantsClientCert> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring supports the default versions")
        .with_root_certificates(roots.clone())
}

/// The roots of `base` and those of a bundle, which must all be usable.
fn trusted(base: Option<&Roots>, ca_pem: &str) -> Result<Arc<RootCertStore>, InvalidTls> {
    if let (Some(Roots(base)), true) = (base, ca_pem.is_empty()) {
        return Ok(base.clone());
    }
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca_pem.as_bytes()) {
        let certificate = certificate.map_err(InvalidTls::Pem)?;
        roots.add(certificate).map_err(InvalidTls::Root)?;
    }
    if roots.is_empty() {
        return Err(InvalidTls::Empty);
    }
    if let Some(Roots(base)) = base {
        roots.roots.extend(base.roots.iter().cloned());
    }
    Ok(Arc::new(roots))
}

fn name_of(host: &Host) -> Result<ServerName<'static>, InvalidTls> {
    match host {
        Host::Ipv4(ip) => Ok(ServerName::from(std::net::IpAddr::V4(*ip))),
        Host::Ipv6(ip) => Ok(ServerName::from(std::net::IpAddr::V6(*ip))),
        Host::Domain(name) => {
            ServerName::try_from(name.clone()).map_err(|_| InvalidTls::Name(name.clone()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secured(tls: &Tls, identity: Option<&Identity>) -> Result<Secured, InvalidTls> {
        let roots = Roots::load(&NetworkSettings::default()).unwrap();
        let host = Host::Domain("a".to_owned());
        Secured::provider(&roots, tls, identity, &host)
    }

    #[test]
    fn public_roots_by_default_and_bad_bundles_are_refused() {
        let with = |ca_pem: &str| {
            let ca_pem = ca_pem.to_owned();
            secured(
                &Tls {
                    ca_pem,
                    ..Tls::default()
                },
                None,
            )
        };
        assert!(with("").is_ok());
        assert!(matches!(with("not pem"), Err(InvalidTls::Empty)));
        let bad = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(with(bad), Err(InvalidTls::Root(_))));
    }

    #[test]
    fn names_and_identities_that_cannot_be_used_are_refused() {
        let named = Tls {
            server_name: "a b".to_owned(),
            ..Tls::default()
        };
        assert_eq!(secured(&named, None).unwrap_err().field(), "serverName");
        let identity = Identity {
            certificate: "none".into(),
            key: "sk-canary".into(),
        };
        let error = secured(&Tls::default(), Some(&identity)).unwrap_err();
        assert_eq!(error.field(), "clientCertificate.key");
        assert!(
            !format!("{error:?} {error}").contains("canary"),
            "{error:?}"
        );
    }

    #[test]
    fn files_of_roots_replace_or_add() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            Some(path)
        };
        let key = rcgen::KeyPair::generate().unwrap();
        let ca = rcgen::CertificateParams::new(vec!["ca".to_owned()]).unwrap();
        let pem = ca.self_signed(&key).unwrap().pem();
        let ca = file("ca.pem", &format!("# corporate\n{pem}"));
        let loaded = |roots, extra_roots| {
            Roots::load(&NetworkSettings {
                roots,
                extra_roots,
                ..NetworkSettings::default()
            })
            .map(|Roots(roots)| roots.len())
        };
        let public = loaded(None, None).unwrap();
        assert_eq!(loaded(ca.clone(), None).unwrap(), 1);
        assert_eq!(loaded(None, ca).unwrap(), public + 1);
        let empty = file("empty.pem", "");
        assert!(matches!(loaded(None, empty), Err(RootsError::Empty { .. })));
        let missing = Some(folder.path().join("none.pem"));
        assert!(matches!(
            loaded(missing, None),
            Err(RootsError::Read { .. })
        ));
    }
}
