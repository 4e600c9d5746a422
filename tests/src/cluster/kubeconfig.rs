//! Kubeconfig files: written as JSON, which is YAML too.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use kube::Config;
use kube::config::{
    AuthInfo, Cluster, Context as NamedPair, KubeConfigOptions, Kubeconfig, NamedAuthInfo,
    NamedCluster, NamedContext,
};

use super::certs::{Identity, Pki};

const NAME: &str = "fkm";

/// The administrator's file of the cluster in `folder`.
pub(crate) fn admin_file(folder: &Path) -> PathBuf {
    folder.join("admin.kubeconfig")
}

/// For a client that proves itself with a certificate.
pub(crate) fn with_certificate(server: &str, pki: &Pki, identity: &Identity) -> Kubeconfig {
    let path = |path: &Path| Some(path.display().to_string());
    let cluster = Cluster {
        server: Some(server.to_owned()),
        certificate_authority: path(&pki.authority),
        ..Cluster::default()
    };
    let user = AuthInfo {
        client_certificate: path(&identity.certificate),
        client_key: path(&identity.key),
        ..AuthInfo::default()
    };
    assemble(cluster, user)
}

/// For a client that proves itself with a token, at the cluster that `admin` names.
pub(crate) fn with_token(admin: &Path, token: String) -> Result<Kubeconfig> {
    let admin = Kubeconfig::read_from(admin)?;
    let context = admin
        .current_context
        .as_deref()
        .context("the kubeconfig has no current context")?;
    let named = admin.contexts.iter().find(|named| named.name == context);
    let cluster = named
        .and_then(|named| named.context.as_ref())
        .map(|pair| pair.cluster.as_str());
    let cluster = admin
        .clusters
        .iter()
        .find(|named| Some(named.name.as_str()) == cluster);
    let cluster = cluster
        .and_then(|named| named.cluster.clone())
        .context("the kubeconfig names no cluster")?;
    let user = AuthInfo {
        token: Some(token.into()),
        ..AuthInfo::default()
    };
    Ok(assemble(cluster, user))
}

/// Writes the file.
pub(crate) fn write(path: &Path, kubeconfig: &Kubeconfig) -> Result<()> {
    fs::write(path, serde_json::to_vec_pretty(kubeconfig)?)
        .with_context(|| format!("cannot write {}", path.display()))
}

/// What a client needs to know, from the file.
pub(crate) async fn load(path: &Path) -> Result<Config> {
    let kubeconfig = Kubeconfig::read_from(path)?;
    Ok(Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await?)
}

fn assemble(cluster: Cluster, user: AuthInfo) -> Kubeconfig {
    let pair = NamedPair {
        cluster: NAME.to_owned(),
        user: Some(NAME.to_owned()),
        ..NamedPair::default()
    };
    Kubeconfig {
        clusters: vec![NamedCluster {
            name: NAME.to_owned(),
            cluster: Some(cluster),
            ..NamedCluster::default()
        }],
        auth_infos: vec![NamedAuthInfo {
            name: NAME.to_owned(),
            auth_info: Some(user),
            ..NamedAuthInfo::default()
        }],
        contexts: vec![NamedContext {
            name: NAME.to_owned(),
            context: Some(pair),
            ..NamedContext::default()
        }],
        current_context: Some(NAME.to_owned()),
        api_version: Some("v1".to_owned()),
        kind: Some("Config".to_owned()),
        ..Kubeconfig::default()
    }
}
