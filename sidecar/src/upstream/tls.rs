//! Trust towards providers: the public roots, or the bundle that the pool names.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use thiserror::Error;

/// A CA bundle that cannot be used.
#[derive(Debug, Error)]
pub(crate) enum InvalidBundle {
    #[error("the CA bundle is not PEM")]
    Pem(#[source] rustls_pki_types::pem::Error),
    #[error("a certificate of the CA bundle cannot be used as a root")]
    Root(#[source] rustls::Error),
    #[error("the CA bundle holds no certificate")]
    Empty,
}

/// Client settings that trust `ca_pem`, or the public roots when it is empty.
pub(crate) fn client_config(ca_pem: &str) -> Result<ClientConfig, InvalidBundle> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring supports the default versions");
    Ok(builder
        .with_root_certificates(roots(ca_pem)?)
        .with_no_client_auth())
}

fn roots(ca_pem: &str) -> Result<RootCertStore, InvalidBundle> {
    if ca_pem.is_empty() {
        return Ok(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect());
    }
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca_pem.as_bytes()) {
        let certificate = certificate.map_err(InvalidBundle::Pem)?;
        roots.add(certificate).map_err(InvalidBundle::Root)?;
    }
    if roots.is_empty() {
        Err(InvalidBundle::Empty)
    } else {
        Ok(roots)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_roots_by_default_and_bad_bundles_are_refused() {
        assert!(client_config("").is_ok());
        assert!(matches!(
            client_config("not pem"),
            Err(InvalidBundle::Empty)
        ));
        let bad = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(client_config(bad), Err(InvalidBundle::Root(_))));
    }
}
