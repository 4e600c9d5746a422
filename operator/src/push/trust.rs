//! The operator's own CA, kept in a Secret, and the certificate that it serves with.
//!
//! *Flow*: every replica reads the Secret; whoever finds none makes one and creates it; who loses that race reads what
//! the winner made. The serving certificate is made anew at every start and lives in memory only.
//!
//! *Guarantees*: all replicas have one CA; a certificate is verified as a sidecar would before anything is served.

mod store;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{RootCertStore, crypto};
use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

pub use store::load_or_create;

/// The Secret, in the operator's namespace.
pub const CA_SECRET: &str = "fkm-ca";

/// The operator's Service.
const SERVICE: &str = "fkm-operator";

/// Ten years: there is no rotation that a shorter life could lean on.
const LIFETIME: Duration = Duration::from_hours(10 * 365 * 24);

/// Certificates are valid from before they were made, for nodes whose clocks are behind.
const BACKDATED: Duration = Duration::from_hours(1);

/// A certificate authority with its key. `Debug` hides the key.
#[derive(Clone, Debug)]
pub struct Ca {
    certificate_pem: String,
    key_pem: SecretString,
}

/// What the push listener serves with. `Debug` hides the key.
#[derive(Clone, Debug)]
pub struct ServingCertificate {
    chain_pem: String,
    key_pem: SecretString,
}

/// Why there is no certificate.
#[derive(Debug, Error)]
pub enum TrustError {
    /// The API server.
    #[error(
        "cannot {action} Secret {namespace}/{CA_SECRET}; the operator's Role needs get and create of secrets there"
    )]
    Api {
        /// What was tried.
        action: &'static str,
        /// Where.
        namespace: String,
        /// Why.
        #[source]
        source: kube::Error,
    },
    /// The API server is silent.
    #[error("cannot {action} Secret {namespace}/{CA_SECRET}: the API server does not answer")]
    Silent {
        /// What was tried.
        action: &'static str,
        /// Where.
        namespace: String,
    },
    /// A key of the Secret is missing or not text.
    #[error(
        "Secret {namespace}/{CA_SECRET} has no usable {key}; restore it, or delete the Secret and replace every injected pod"
    )]
    Incomplete {
        /// Where.
        namespace: String,
        /// Which key.
        key: &'static str,
    },
    /// It cannot be made, or what is stored cannot be read.
    #[error("cannot make a certificate with the CA; is Secret {CA_SECRET} damaged?")]
    Make(#[from] rcgen::Error),
    /// The certificate is not one that a sidecar would accept.
    #[error(
        "the CA's certificate and key do not fit together; restore Secret {CA_SECRET}, or delete it and replace every injected pod"
    )]
    Mismatch(#[source] rustls::Error),
    /// Not a name.
    #[error("{0:?} is no DNS name and no IP address; it cannot stand in the certificate")]
    Name(String),
}

/// The names of the operator's Service in a namespace: what sidecars dial.
pub fn service_names(namespace: &str) -> Vec<String> {
    let service = format!("{SERVICE}.{namespace}.svc");
    vec![
        service.clone(),
        format!("{service}.cluster.local"),
        format!("{SERVICE}.{namespace}"),
        SERVICE.to_owned(),
    ]
}

// === impl Ca ===

impl Ca {
    /// A new one.
    pub fn generate(now: SystemTime) -> Result<Self, TrustError> {
        let key = KeyPair::generate()?;
        let mut params = params(now, "fkm-operator CA")?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let certificate = params.self_signed(&key)?;
        Ok(Self {
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem().into(),
        })
    }

    /// What sidecars trust.
    pub fn certificate_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// A serving certificate for these DNS names and IP addresses, verified against the CA.
    pub fn issue(
        &self,
        names: &[String],
        now: SystemTime,
    ) -> Result<ServingCertificate, TrustError> {
        let ca_key = KeyPair::from_pem(self.key_pem.expose_secret())?;
        let issuer = Issuer::from_ca_cert_pem(&self.certificate_pem, ca_key)?;
        let key = KeyPair::generate()?;
        let mut params = params(now, SERVICE)?;
        params.subject_alt_names = CertificateParams::new(names)?.subject_alt_names;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let certificate = params.signed_by(&key, &issuer)?;
        for name in names {
            self.verify(certificate.der(), name, now)?;
        }
        Ok(ServingCertificate {
            chain_pem: certificate.pem(),
            key_pem: key.serialize_pem().into(),
        })
    }

    /// As a sidecar does.
    fn verify(
        &self,
        certificate: &CertificateDer<'_>,
        name: &str,
        now: SystemTime,
    ) -> Result<(), TrustError> {
        let server = server_name(name)?;
        let root = CertificateDer::from_pem_slice(self.certificate_pem.as_bytes())
            .map_err(|_| rcgen::Error::CouldNotParseCertificate)?;
        let mut roots = RootCertStore::empty();
        roots.add(root).map_err(TrustError::Mismatch)?;
        let provider = Arc::new(crypto::ring::default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .expect("one root was added and there are no revocation lists");
        let since = now
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let now = UnixTime::since_unix_epoch(since);
        verifier
            .verify_server_cert(certificate, &[], &server, &[], now)
            .map_err(TrustError::Mismatch)?;
        Ok(())
    }
}

// === impl ServingCertificate ===

impl ServingCertificate {
    /// The certificate, PEM.
    pub fn chain_pem(&self) -> &str {
        &self.chain_pem
    }

    /// Its key, PEM. Not to be shown.
    pub(super) fn key_pem(&self) -> &str {
        self.key_pem.expose_secret()
    }
}

fn params(now: SystemTime, common_name: &str) -> Result<CertificateParams, TrustError> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.not_before = (now - BACKDATED).into();
    params.not_after = (now + LIFETIME).into();
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    Ok(params)
}

fn server_name(name: &str) -> Result<ServerName<'static>, TrustError> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(address.into());
    }
    ServerName::try_from(name.to_owned()).map_err(|_| TrustError::Name(name.to_owned()))
}

#[cfg(test)]
mod tests;
