//! Namespaces and service accounts, made ready to create Pods in.
//!
//! The admission of service accounts is on, as in production: it refuses Pods whose account does not exist and mounts the
//! token that the injected sidecar sees. What the controller manager would make for it is made here when there is none.

use std::time::Duration;

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::api::{Api, ObjectMeta, PostParams};
use kube::{Client, Error};
use tokio::time::{sleep, timeout};

use super::Cluster;

const DEFAULT: &str = "default";
const APPEARS_WITHIN: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(50);

impl Cluster {
    /// Creates a namespace and returns when Pods can be created in it.
    pub async fn create_namespace(&self, name: &str) -> Result<()> {
        let client = self.admin_client()?;
        let namespace = Namespace {
            metadata: named(name),
            ..Namespace::default()
        };
        Api::all(client.clone())
            .create(&PostParams::default(), &namespace)
            .await?;
        ensure_default_account(&client, name, self.has_controller_manager()).await
    }

    /// Creates a service account that may do nothing yet.
    pub async fn create_service_account(&self, namespace: &str, name: &str) -> Result<()> {
        create_account(&self.admin_client()?, namespace, name).await
    }
}

/// Waits for the namespace `default`, which the API server makes shortly after it is ready.
pub(crate) async fn prepare_default(client: &Client, controller_manager: bool) -> Result<()> {
    appears(&Api::<Namespace>::all(client.clone()), DEFAULT).await?;
    ensure_default_account(client, DEFAULT, controller_manager).await
}

async fn ensure_default_account(
    client: &Client,
    namespace: &str,
    controller_manager: bool,
) -> Result<()> {
    if controller_manager {
        appears(
            &Api::<ServiceAccount>::namespaced(client.clone(), namespace),
            DEFAULT,
        )
        .await
    } else {
        create_account(client, namespace, DEFAULT).await
    }
}

async fn create_account(client: &Client, namespace: &str, name: &str) -> Result<()> {
    let account = ServiceAccount {
        metadata: named(name),
        ..ServiceAccount::default()
    };
    Api::namespaced(client.clone(), namespace)
        .create(&PostParams::default(), &account)
        .await?;
    Ok(())
}

/// Waits until an object exists.
async fn appears<K>(api: &Api<K>, name: &str) -> Result<()>
where
    K: Clone + std::fmt::Debug + for<'de> k8s_openapi::serde::Deserialize<'de>,
{
    let found = async {
        while api.get_opt(name).await?.is_none() {
            sleep(POLL).await;
        }
        Ok::<_, Error>(())
    };
    let waited = timeout(APPEARS_WITHIN, found).await;
    waited.with_context(|| format!("`{name}` does not appear within {APPEARS_WITHIN:?}"))??;
    Ok(())
}

fn named(name: &str) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        ..ObjectMeta::default()
    }
}
