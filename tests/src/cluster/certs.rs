//! The keys and certificates of one cluster: its authority, the API server, clients, and the signer of tokens.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

/// Paths of everything generated, all in PEM.
#[derive(Debug)]
pub(crate) struct Pki {
    /// The authority that clients and servers trust.
    pub(crate) authority: PathBuf,
    pub(crate) api_server: Identity,
    /// In `system:masters`: RBAC is not asked.
    pub(crate) admin: Identity,
    pub(crate) controller_manager: Identity,
    /// Signs the tokens of service accounts, with the public half in a file of its own: the API server takes no PKCS #8
    /// private key for verifying.
    pub(crate) token_key: PathBuf,
    pub(crate) token_public_key: PathBuf,
}

/// A certificate and its key.
#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// Who a certificate is for.
struct Subject {
    file: &'static str,
    common_name: &'static str,
    organization: Option<&'static str>,
    usage: ExtendedKeyUsagePurpose,
    names: &'static [&'static str],
}

const API_SERVER: Subject = Subject {
    file: "api-server",
    common_name: "kube-apiserver",
    organization: None,
    usage: ExtendedKeyUsagePurpose::ServerAuth,
    names: &["127.0.0.1", "localhost", "kubernetes.default.svc"],
};
const ADMIN: Subject = client("admin", "admin", Some("system:masters"));
const CONTROLLER_MANAGER: Subject =
    client("controller-manager", "system:kube-controller-manager", None);

const fn client(
    file: &'static str,
    common_name: &'static str,
    organization: Option<&'static str>,
) -> Subject {
    Subject {
        file,
        common_name,
        organization,
        usage: ExtendedKeyUsagePurpose::ClientAuth,
        names: &[],
    }
}

// === impl Pki ===

impl Pki {
    /// Generates all of it into `folder`.
    pub(crate) fn generate(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let issuer = authority(&folder.join("authority.crt"))?;
        let token_key = KeyPair::generate()?;
        let pki = Self {
            authority: folder.join("authority.crt"),
            api_server: API_SERVER.issue(folder, &issuer)?,
            admin: ADMIN.issue(folder, &issuer)?,
            controller_manager: CONTROLLER_MANAGER.issue(folder, &issuer)?,
            token_key: folder.join("tokens.key"),
            token_public_key: folder.join("tokens.pub"),
        };
        fs::write(&pki.token_key, token_key.serialize_pem())?;
        fs::write(&pki.token_public_key, token_key.public_key_pem())?;
        Ok(pki)
    }
}

/// A new authority, its certificate written to `path`; its key never leaves memory.
fn authority(path: &Path) -> Result<Issuer<'static, KeyPair>> {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, "fkm-tests");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    let key = KeyPair::generate()?;
    fs::write(path, params.self_signed(&key)?.pem())?;
    Ok(Issuer::new(params, key))
}

// === impl Subject ===

impl Subject {
    fn issue(self, folder: &Path, issuer: &Issuer<'static, KeyPair>) -> Result<Identity> {
        let names: Vec<_> = self.names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names)?;
        params
            .distinguished_name
            .push(DnType::CommonName, self.common_name);
        if let Some(organization) = self.organization {
            params
                .distinguished_name
                .push(DnType::OrganizationName, organization);
        }
        params.extended_key_usages = vec![self.usage];
        let key = KeyPair::generate()?;
        let identity = Identity {
            certificate: folder.join(format!("{}.crt", self.file)),
            key: folder.join(format!("{}.key", self.file)),
        };
        fs::write(&identity.certificate, params.signed_by(&key, issuer)?.pem())?;
        fs::write(&identity.key, key.serialize_pem())?;
        Ok(identity)
    }
}
