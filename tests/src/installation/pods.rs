//! Pods as the injector will make them: objects that no node runs, but real ones to the API server and the operator.

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, DeleteParams, PostParams};
use serde_json::{Value, json};

use super::{Installation, SIDECAR_IMAGE};
use crate::cluster::PodToken;

/// A pod with a sidecar in it.
#[derive(Clone, Debug)]
pub struct TestPod {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
}

impl TestPod {
    /// The manifest of a pod that may have keys.
    pub fn manifest(namespace: &str, name: &str, app: &str) -> Value {
        json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {
                "name": name, "namespace": namespace,
                "labels": {"app": app, "fluxkontext.dev/injected": "true"},
            },
            "spec": {
                "initContainers": [{
                    "name": "fkm-sidecar", "image": SIDECAR_IMAGE, "restartPolicy": "Always",
                    "volumeMounts": [
                        {"name": "fkm-token", "mountPath": "/var/run/fkm"},
                        {"name": "fkm-state", "mountPath": "/var/lib/fkm"},
                    ],
                }],
                "containers": [{"name": "app", "image": "registry.test/app:1"}],
                "volumes": [
                    {"name": "fkm-token", "projected": {"sources": [
                        {"serviceAccountToken": {"audience": "fkm-operator", "path": "token", "expirationSeconds": 3600}},
                    ]}},
                    {"name": "fkm-state", "emptyDir": {"medium": "Memory"}},
                ],
            },
        })
    }
}

impl Installation {
    /// Creates a pod whose label `app` is `app`.
    pub async fn create_pod(&self, namespace: &str, name: &str, app: &str) -> Result<TestPod> {
        self.create_pod_of(TestPod::manifest(namespace, name, app))
            .await
    }

    /// Creates a pod of this manifest.
    pub async fn create_pod_of(&self, manifest: Value) -> Result<TestPod> {
        let pod: Pod = serde_json::from_value(manifest)?;
        let namespace = pod.metadata.namespace.clone().context("a namespace")?;
        let pods: Api<Pod> = Api::namespaced(self.cluster.admin_client()?, &namespace);
        let made = pods.create(&PostParams::default(), &pod).await?;
        Ok(TestPod {
            namespace,
            name: made.metadata.name.context("a name")?,
            uid: made.metadata.uid.context("a uid")?,
        })
    }

    /// Deletes a pod at once.
    pub async fn delete_pod(&self, pod: &TestPod) -> Result<()> {
        let pods: Api<Pod> = Api::namespaced(self.cluster.admin_client()?, &pod.namespace);
        pods.delete(&pod.name, &DeleteParams::default().grace_period(0))
            .await?;
        Ok(())
    }

    /// The token that the sidecar of this pod would find.
    pub async fn token(&self, pod: &TestPod) -> Result<String> {
        self.cluster
            .pod_token(PodToken {
                namespace: &pod.namespace,
                service_account: "default",
                pod_name: &pod.name,
                pod_uid: &pod.uid,
                audience: "fkm-operator",
                expiry_seconds: 3600,
            })
            .await
    }
}
