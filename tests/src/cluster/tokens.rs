//! Real tokens of service accounts, so that nothing under test runs as the administrator.

use std::path::PathBuf;

use anyhow::{Context, Result};
use k8s_openapi::api::authentication::v1::{BoundObjectReference, TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::Client;
use kube::api::{Api, PostParams};

use super::{Cluster, kubeconfig};

/// Longer than any test.
const SESSION_SECONDS: i64 = 24 * 60 * 60;

/// The token to ask for that a kubelet projects into a Pod.
#[derive(Clone, Copy, Debug)]
pub struct PodToken<'a> {
    pub namespace: &'a str,
    pub service_account: &'a str,
    pub pod_name: &'a str,
    pub pod_uid: &'a str,
    /// Who is to accept it.
    pub audience: &'a str,
    /// The API server grants no less than ten minutes.
    pub expiry_seconds: i64,
}

impl Cluster {
    /// A kubeconfig that acts as the service account, with whatever RBAC grants it.
    pub async fn kubeconfig_for_service_account(
        &self,
        namespace: &str,
        name: &str,
    ) -> Result<PathBuf> {
        let spec = TokenRequestSpec {
            expiration_seconds: Some(SESSION_SECONDS),
            ..TokenRequestSpec::default()
        };
        let token = self.request_token(namespace, name, spec).await?;
        let path = self
            .folder
            .path()
            .join(format!("{namespace}-{name}.kubeconfig"));
        kubeconfig::write(&path, &kubeconfig::with_token(&self.kubeconfig, token)?)?;
        Ok(path)
    }

    /// A client that acts as the service account.
    pub async fn service_account_client(&self, namespace: &str, name: &str) -> Result<Client> {
        let path = self.kubeconfig_for_service_account(namespace, name).await?;
        Ok(Client::try_from(kubeconfig::load(&path).await?)?)
    }

    /// The token that a container of the Pod would find in its volume; it is void once the Pod is gone.
    pub async fn pod_token(&self, wanted: PodToken<'_>) -> Result<String> {
        let spec = TokenRequestSpec {
            audiences: Some(vec![wanted.audience.to_owned()]),
            bound_object_ref: Some(BoundObjectReference {
                api_version: Some("v1".to_owned()),
                kind: Some("Pod".to_owned()),
                name: Some(wanted.pod_name.to_owned()),
                uid: Some(wanted.pod_uid.to_owned()),
            }),
            expiration_seconds: Some(wanted.expiry_seconds),
            ..TokenRequestSpec::default()
        };
        self.request_token(wanted.namespace, wanted.service_account, spec)
            .await
    }

    async fn request_token(
        &self,
        namespace: &str,
        account: &str,
        spec: TokenRequestSpec,
    ) -> Result<String> {
        let accounts: Api<ServiceAccount> = Api::namespaced(self.admin_client()?, namespace);
        let request = TokenRequest {
            spec: Some(spec),
            ..TokenRequest::default()
        };
        let answer = accounts
            .create_token_request(account, &PostParams::default(), &request)
            .await
            .with_context(|| format!("no token for the ServiceAccount {namespace}/{account}"))?;
        answer
            .status
            .and_then(|status| status.token)
            .context("the answer holds no token")
    }
}
