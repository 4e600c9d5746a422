//! Writes a status: server-side apply under a field manager of its own, and only when there is something to say.
//!
//! *Guarantees*: an equal status is not written; a status about an older generation never replaces one about a newer;
//! a status never lands on another object of the same name (the uid is part of the request).

use std::fmt;
use std::time::Duration;

use fkm_crds::{LLMRoute, LLMRouteStatus, ProviderPool, ProviderPoolStatus};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::api::{Patch, PatchParams};
use kube::{Api, Client, Error, Resource, ResourceExt};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use thiserror::Error as ThisError;
use tokio::time::timeout;

use crate::STATUS_FIELD_MANAGER;

/// How long one write may take.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);

/// A kind whose status we write.
pub(crate) trait Reported:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + Clone
    + fmt::Debug
    + DeserializeOwned
    + Send
    + Sync
    + 'static
{
    /// Its name, for logs and metrics.
    const KIND: &'static str;

    /// Its status.
    type Status: Serialize + PartialEq + Clone + fmt::Debug + Send + Sync;

    /// What stands there now.
    fn status(&self) -> Option<&Self::Status>;

    /// The conditions of a status.
    fn conditions(status: &Self::Status) -> &[Condition];
}

impl Reported for LLMRoute {
    const KIND: &'static str = "LLMRoute";

    type Status = LLMRouteStatus;

    fn status(&self) -> Option<&LLMRouteStatus> {
        self.status.as_ref()
    }

    fn conditions(status: &LLMRouteStatus) -> &[Condition] {
        &status.conditions
    }
}

impl Reported for ProviderPool {
    const KIND: &'static str = "ProviderPool";

    type Status = ProviderPoolStatus;

    fn status(&self) -> Option<&ProviderPoolStatus> {
        self.status.as_ref()
    }

    fn conditions(status: &ProviderPoolStatus) -> &[Condition] {
        &status.conditions
    }
}

/// What became of a status.
#[derive(Debug)]
pub(crate) enum Applied<K> {
    /// It was written, and the object looks like this now.
    Written(Box<K>),
    /// It stood there already.
    Equal,
    /// What stands there is about a newer generation.
    Outdated,
    /// The object is gone.
    Gone,
    /// Another object has its name, or somebody else wrote at the same moment.
    Conflict,
}

/// Why a status could not be written.
#[derive(Debug, ThisError)]
pub(crate) enum ApplyError {
    #[error("the API server did not answer within {WRITE_TIMEOUT:?}")]
    Timeout,
    #[error(
        "the API server did not take the status; maybe the ClusterRole of the operator is not applied"
    )]
    Api(#[source] Error),
}

/// Whether there is nothing to write, and why: pure.
fn needless<K: Reported>(current: Option<&K::Status>, desired: &K::Status) -> Option<Applied<K>> {
    let newest = |status| {
        K::conditions(status)
            .iter()
            .filter_map(|condition| condition.observed_generation)
            .max()
    };
    match current {
        Some(current) if current == desired => Some(Applied::Equal),
        Some(current) if newest(current) > newest(desired) => Some(Applied::Outdated),
        _ => None,
    }
}

/// Writes the desired status of an object that looked like this when the status was made.
pub(crate) async fn apply<K: Reported>(
    client: &Client,
    object: &K,
    desired: &K::Status,
) -> Result<Applied<K>, ApplyError> {
    if let Some(needless) = needless(object.status(), desired) {
        return Ok(needless);
    }
    let name = object.name_any();
    let api: Api<K> = Api::namespaced(client.clone(), &object.namespace().unwrap_or_default());
    let patch = json!({
        "apiVersion": K::api_version(&()),
        "kind": K::kind(&()),
        "metadata": {"name": name, "uid": object.uid()},
        "status": desired,
    });
    let params = PatchParams::apply(STATUS_FIELD_MANAGER).force();
    match timeout(
        WRITE_TIMEOUT,
        api.patch_status(&name, &params, &Patch::Apply(&patch)),
    )
    .await
    {
        Ok(Ok(object)) => Ok(Applied::Written(Box::new(object))),
        Ok(Err(Error::Api(status))) if status.is_not_found() => Ok(Applied::Gone),
        Ok(Err(Error::Api(status))) if status.is_conflict() => Ok(Applied::Conflict),
        Ok(Err(error)) => Err(ApplyError::Api(error)),
        Err(_) => Err(ApplyError::Timeout),
    }
}

#[cfg(test)]
mod tests;
