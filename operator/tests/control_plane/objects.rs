//! Objects as the API server has them: pods that were injected, statuses, events.

use anyhow::{Context, Result, ensure};
use fkm_crds::{LLMRoute, ProviderPool};
use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::{Api, ResourceExt};
use serde_json::{Value, json};

use crate::world::{IMAGE, SHOP, SYSTEM, World, eventually};

/// A pod of the checkout, as the injection leaves it; `change` makes it another one.
pub(crate) fn pod(name: &str, change: impl FnOnce(&mut Value)) -> Value {
    let mounts = json!([
        {"name": "fkm-token", "mountPath": "/var/run/fkm", "readOnly": true},
        {"name": "fkm-state", "mountPath": "/var/lib/fkm"},
    ]);
    let token = json!({"serviceAccountToken": {"path": "token", "audience": "fkm-operator", "expirationSeconds": 3600}});
    let mut pod = json!({
        "metadata": {"name": name, "labels": {"app": "checkout", "fluxkontext.dev/injected": "true"}},
        "spec": {
            "initContainers": [
                {"name": "fkm-sidecar", "image": IMAGE, "restartPolicy": "Always", "volumeMounts": mounts},
            ],
            "containers": [{"name": "app", "image": "registry.example/app:1"}],
            "volumes": [
                {"name": "fkm-token", "projected": {"sources": [token]}},
                {"name": "fkm-state", "emptyDir": {"medium": "Memory"}},
            ],
        },
    });
    change(&mut pod);
    pod
}

impl World {
    /// Creates a pod of the checkout that does what the kubelet would say of it: run.
    pub(crate) async fn running_pod(
        &self,
        name: &str,
        change: impl FnOnce(&mut Value),
    ) -> Result<Pod> {
        let pods: Api<Pod> = Api::namespaced(self.admin.clone(), SHOP);
        pods.create(
            &PostParams::default(),
            &serde_json::from_value(pod(name, change))?,
        )
        .await?;
        let running = json!({"status": {"phase": "Running"}});
        Ok(pods
            .patch_status(name, &PatchParams::default(), &Patch::Merge(&running))
            .await?)
    }

    pub(crate) async fn route(&self) -> Result<LLMRoute> {
        Ok(Api::<LLMRoute>::namespaced(self.admin.clone(), SHOP)
            .get("checkout")
            .await?)
    }

    pub(crate) async fn pool(&self) -> Result<ProviderPool> {
        Ok(Api::<ProviderPool>::namespaced(self.admin.clone(), SYSTEM)
            .get("chat")
            .await?)
    }

    /// Waits until a condition of the route has this status and reason, for the generation that stands there now.
    pub(crate) async fn route_condition(&self, wanted: (&str, &str, &str)) -> Result<Condition> {
        eventually(&format!("route: {wanted:?}"), async || {
            let route = self.route().await?;
            let conditions = route
                .status
                .as_ref()
                .map_or(&[][..], |status| &status.conditions);
            condition(conditions, route.metadata.generation, wanted)
        })
        .await
    }

    /// The same of the pool.
    pub(crate) async fn pool_condition(&self, wanted: (&str, &str, &str)) -> Result<Condition> {
        eventually(&format!("pool: {wanted:?}"), async || {
            let pool = self.pool().await?;
            let conditions = pool
                .status
                .as_ref()
                .map_or(&[][..], |status| &status.conditions);
            condition(conditions, pool.metadata.generation, wanted)
        })
        .await
    }

    /// Waits until so many of so many sidecars run the route.
    pub(crate) async fn programmed(&self, summary: &str) -> Result<()> {
        eventually(&format!("{summary} programmed"), async || {
            let route = self.route().await?;
            let status = route.status.context("no status")?;
            ensure!(
                status.observed_generation == route.metadata.generation,
                "an older generation"
            );
            let actual = status.sidecars.context("no counts")?.summary;
            ensure!(actual == summary, "{actual}");
            Ok(())
        })
        .await
    }

    /// The names of the specs that are kept.
    pub(crate) async fn revisions(&self) -> Result<Vec<String>> {
        let revisions: Api<ControllerRevision> = Api::namespaced(self.admin.clone(), SYSTEM);
        let all = revisions.list(&ListParams::default()).await?;
        Ok(all.iter().map(ResourceExt::name_any).collect())
    }

    /// Waits for an event about an object, and gives what it says.
    pub(crate) async fn event(
        &self,
        namespace: &str,
        regarding: &str,
        reason: &str,
    ) -> Result<String> {
        let events: Api<Event> = Api::namespaced(self.admin.clone(), namespace);
        eventually(&format!("event {reason} about {regarding}"), async || {
            let all = events.list(&ListParams::default()).await?;
            let seen: Vec<_> = all
                .iter()
                .map(|event| (about(event), event.reason.clone()))
                .collect();
            let is_it = |event: &&Event| {
                about(event).as_deref() == Some(regarding)
                    && event.reason.as_deref() == Some(reason)
            };
            let event = all
                .iter()
                .find(is_it)
                .with_context(|| format!("there are {seen:?}"))?;
            event.note.clone().context("an event without a note")
        })
        .await
    }
}

fn about(event: &Event) -> Option<String> {
    event.regarding.as_ref()?.name.clone()
}

fn condition(
    conditions: &[Condition],
    generation: Option<i64>,
    (name, status, reason): (&str, &str, &str),
) -> Result<Condition> {
    let found = conditions
        .iter()
        .find(|condition| condition.type_ == name)
        .context("no such condition")?;
    ensure!(
        found.observed_generation == generation,
        "it is about generation {:?}",
        found.observed_generation
    );
    ensure!(
        (found.status.as_str(), found.reason.as_str()) == (status, reason),
        "{found:?}"
    );
    Ok(found.clone())
}

/// The uid that every stored object has.
pub(crate) fn uid(pod: &Pod) -> String {
    pod.uid().expect("a stored object has a uid")
}
