//! What is thrown away of each watched object before it is kept: everything that nobody reads.
//!
//! Annotations go with the rest, of Secrets above all: `kubectl apply` writes the values into one.

use fkm_crds::{LLMRoute, ProviderPool};
use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::core::v1::{
    ConfigMap, Container, EphemeralContainer, Namespace, Pod, PodSpec, PodStatus, Secret,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use kube::core::PartialObjectMeta;

use crate::push;

pub(crate) fn route(route: &mut LLMRoute) {
    prune_meta(route);
}

pub(crate) fn pool(pool: &mut ProviderPool) {
    prune_meta(pool);
}

pub(crate) fn namespace(namespace: &mut PartialObjectMeta<Namespace>) {
    prune_meta(namespace);
}

pub(crate) fn secret(secret: &mut PartialObjectMeta<Secret>) {
    prune_meta(secret);
    secret.metadata.labels = None;
}

pub(crate) fn config_map(config_map: &mut ConfigMap) {
    prune_meta(config_map);
    config_map.binary_data = None;
}

pub(crate) fn revision(revision: &mut ControllerRevision) {
    prune_meta(revision);
}

/// Keeps of a pod what selection and the judge of its spec look at.
pub(crate) fn pod(pod: &mut Pod) {
    prune_meta(pod);
    pod.metadata.owner_references = None;
    pod.status = pod.status.take().map(|status| PodStatus {
        phase: status.phase,
        ..PodStatus::default()
    });
    pod.spec = pod.spec.take().map(|spec| PodSpec {
        containers: spec.containers.into_iter().map(container).collect(),
        ephemeral_containers: spec
            .ephemeral_containers
            .map(|all| all.into_iter().map(ephemeral).collect()),
        host_ipc: spec.host_ipc,
        host_network: spec.host_network,
        host_pid: spec.host_pid,
        init_containers: spec
            .init_containers
            .map(|all| all.into_iter().map(container).collect()),
        service_account_name: spec.service_account_name,
        share_process_namespace: spec.share_process_namespace,
        volumes: spec.volumes,
        ..PodSpec::default()
    });
}

fn container(container: Container) -> Container {
    let is_sidecar = container.name == push::SIDECAR;
    Container {
        // Of the others nobody looks at these; they are many, and may hold anything.
        args: container.args.filter(|_| is_sidecar),
        command: container.command.filter(|_| is_sidecar),
        env: container.env.filter(|_| is_sidecar),
        env_from: container.env_from.filter(|_| is_sidecar),
        image: container.image,
        name: container.name,
        restart_policy: container.restart_policy,
        volume_devices: container.volume_devices,
        volume_mounts: container.volume_mounts,
        ..Container::default()
    }
}

fn ephemeral(container: EphemeralContainer) -> EphemeralContainer {
    EphemeralContainer {
        image: container.image,
        name: container.name,
        target_container_name: container.target_container_name,
        volume_devices: container.volume_devices,
        volume_mounts: container.volume_mounts,
        ..EphemeralContainer::default()
    }
}

fn prune_meta<K: Resource>(object: &mut K) {
    let meta: &mut ObjectMeta = object.meta_mut();
    meta.managed_fields = None;
    meta.annotations = None;
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::push::{JudgeSettings, judge};

    #[test]
    fn a_secret_keeps_no_value_anywhere() {
        let applied = json!({"kubectl.kubernetes.io/last-applied-configuration": "{\"data\":{\"k\":\"c2stY2FuYXJ5\"}}"});
        let metadata =
            json!({"name": "key", "uid": "u", "resourceVersion": "1", "annotations": applied});
        let mut pruned: PartialObjectMeta<Secret> =
            serde_json::from_value(json!({"metadata": metadata})).unwrap();
        secret(&mut pruned);
        let kept = serde_json::to_string(&pruned).unwrap();
        assert!(!kept.contains("c2stY2FuYXJ5"), "{kept}");
        assert!(
            kept.contains("\"uid\":\"u\"") && kept.contains("\"resourceVersion\":\"1\""),
            "{kept}"
        );
    }

    /// An injected pod with everything that the judge looks at.
    fn injected() -> Value {
        let mounts = json!([{"name": "fkm-token", "mountPath": "/var/run/fkm"}, {"name": "fkm-state", "mountPath": "/var/lib/fkm"}]);
        let token = json!({"serviceAccountToken": {"path": "token", "audience": "fkm-operator"}});
        json!({
            "metadata": {"name": "p", "labels": {"fluxkontext.dev/injected": "true"}, "annotations": {"a": "b"}},
            "spec": {
                "nodeName": "node",
                "serviceAccountName": "shop",
                "initContainers": [{"name": "fkm-sidecar", "image": "i:1", "restartPolicy": "Always", "volumeMounts": mounts}],
                "containers": [{"name": "app", "image": "app", "env": [{"name": "A", "value": "b"}]}],
                "volumes": [
                    {"name": "fkm-token", "projected": {"sources": [token]}},
                    {"name": "fkm-state", "emptyDir": {"medium": "Memory"}},
                ],
            },
            "status": {"phase": "Running", "podIP": "10.0.0.1"},
        })
    }

    #[test]
    fn a_pod_is_judged_after_pruning_as_before() {
        let settings = JudgeSettings::try_new(["i:1"]).unwrap();
        let mount = json!([{"name": "fkm-state", "mountPath": "/c"}]);
        let debug = |field: &str, value: Value| json!([{"name": "debug", field: value}]);
        let changes = [
            ("/metadata", json!({"name": "p"})),
            ("/spec/shareProcessNamespace", json!(true)),
            ("/spec/hostPID", json!(true)),
            ("/spec/hostNetwork", json!(true)),
            ("/spec/initContainers/0/image", json!("i:2")),
            ("/spec/initContainers/0/restartPolicy", Value::Null),
            ("/spec/initContainers/0/command", json!(["sh"])),
            ("/spec/initContainers/0/args", json!(["--state-dir=/x"])),
            (
                "/spec/initContainers/0/env",
                json!([{"name": "FKM_STATE_DIR", "value": "/x"}]),
            ),
            (
                "/spec/initContainers/0/envFrom",
                json!([{"configMapRef": {"name": "x"}}]),
            ),
            ("/spec/initContainers/0/volumeMounts/1/subPath", json!("x")),
            ("/spec/volumes/1/emptyDir", json!({})),
            ("/spec/containers/0/volumeMounts", mount.clone()),
            ("/spec/ephemeralContainers", debug("volumeMounts", mount)),
            (
                "/spec/ephemeralContainers",
                debug("targetContainerName", json!("fkm-sidecar")),
            ),
        ];
        let mut good: Pod = serde_json::from_value(injected()).unwrap();
        pod(&mut good);
        assert_eq!(judge(&good, &settings), Ok(()));
        for (path, value) in changes {
            let mut other = injected();
            let (parent, field) = path.rsplit_once('/').unwrap();
            other.pointer_mut(parent).unwrap()[field] = value;
            let whole: Pod = serde_json::from_value(other).unwrap();
            let mut pruned = whole.clone();
            pod(&mut pruned);
            assert_eq!(
                judge(&pruned, &settings),
                judge(&whole, &settings),
                "{path}"
            );
            assert!(judge(&pruned, &settings).is_err(), "{path}");
        }
    }

    #[test]
    fn what_nobody_reads_of_a_pod_is_gone() {
        let mut pruned: Pod = serde_json::from_value(injected()).unwrap();
        pod(&mut pruned);
        let kept = serde_json::to_value(&pruned).unwrap();
        for path in [
            "/metadata/annotations",
            "/spec/nodeName",
            "/spec/containers/0/env",
            "/status/podIP",
        ] {
            assert_eq!(kept.pointer(path), None, "{path}");
        }
        assert_eq!(kept["spec"]["serviceAccountName"], "shop");
        assert_eq!(kept["status"]["phase"], "Running");
    }
}
