//! Which pods end in which group.

use serde_json::{Value, json};

use super::*;

fn pod(namespace: &str, name: &str, labels: &Value, phase: &str) -> Arc<Pod> {
    let metadata = json!({"namespace": namespace, "name": name, "uid": name, "labels": labels});
    Arc::new(
        serde_json::from_value(json!({"metadata": metadata, "status": {"phase": phase}})).unwrap(),
    )
}

fn routes(all: &[(&str, &str, Value)]) -> BTreeMap<ObjectName, Arc<LLMRoute>> {
    let one = |(namespace, name, selector): &(&str, &str, Value)| {
        let mut spec = json!({"defaults": {"poolRef": {"name": "chat"}}, "rules": [{"name": "r", "backends": [{"name": "b"}]}]});
        if !selector.is_null() {
            spec["workloadSelector"] = selector.clone();
        }
        let route = json!({
            "apiVersion": "fluxkontext.dev/v1alpha1", "kind": "LLMRoute",
            "metadata": {"namespace": namespace, "name": name, "uid": name}, "spec": spec,
        });
        (
            ObjectName::new(*namespace, *name),
            Arc::new(serde_json::from_value(route).unwrap()),
        )
    };
    all.iter().map(one).collect()
}

/// `namespace: route route -> pod pod`, one a group.
fn shown(groups: &Groups) -> Vec<String> {
    let names = |pods: &[Arc<Pod>]| {
        pods.iter()
            .filter_map(|pod| pod.metadata.name.clone())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let key = |key: &GroupKey| key.routes.iter().cloned().collect::<Vec<_>>().join(" ");
    groups
        .iter()
        .map(|(k, pods)| format!("{}: {} -> {}", k.namespace, key(k), names(pods)))
        .collect()
}

#[test]
fn pods_with_the_same_routes_form_a_group() {
    let app = |name: &str| json!({"matchLabels": {"app": name}});
    let routes = routes(&[
        ("shop", "every", Value::Null),
        ("shop", "checkout", app("checkout")),
        ("shop", "nobody", app("nobody")),
        ("other", "every", Value::Null),
    ]);
    let pods = [
        pod(
            "shop",
            "checkout-1",
            &json!({"app": "checkout", "hash": "1"}),
            "Running",
        ),
        pod(
            "shop",
            "checkout-2",
            &json!({"app": "checkout", "hash": "2"}),
            "Pending",
        ),
        pod("shop", "search-1", &json!({"app": "search"}), "Running"),
        pod("shop", "job-1", &json!({"app": "checkout"}), "Succeeded"),
        pod("lonely", "pod-1", &json!({}), "Running"),
    ];
    let expected = [
        "lonely:  -> pod-1",
        "other: every -> ",
        "shop: checkout every -> checkout-1 checkout-2",
        "shop: every -> search-1",
        "shop: nobody -> ",
    ];
    assert_eq!(shown(&groups(&routes, &pods)), expected);
}

#[test]
fn a_route_selects_no_pod_of_another_namespace() {
    let routes = routes(&[("shop", "every", Value::Null)]);
    let pods = [pod("other", "pod-1", &json!({}), "Running")];
    assert_eq!(
        shown(&groups(&routes, &pods)),
        ["other:  -> pod-1", "shop: every -> "]
    );
}

#[test]
fn pools_of_a_route_are_those_that_its_backends_name() {
    let spec = json!({
        "defaults": {"poolRef": {"name": "chat", "namespace": "llm"}},
        "rules": [
            {"name": "a", "backends": [{"name": "a"}, {"name": "b", "poolRef": {"name": "own"}}]},
            {"name": "b", "backends": [{"name": "a"}]},
        ],
    });
    let pools = pools_of("shop", &serde_json::from_value(spec).unwrap());
    assert_eq!(
        pools,
        BTreeSet::from([
            ObjectName::new("llm", "chat"),
            ObjectName::new("shop", "own")
        ])
    );
}

#[test]
fn a_default_pool_that_no_backend_uses_is_not_attached() {
    let spec = json!({
        "defaults": {"poolRef": {"name": "unused"}},
        "rules": [{"name": "a", "backends": [{"name": "b", "poolRef": {"name": "own"}}]}],
    });
    let pools = pools_of("shop", &serde_json::from_value(spec).unwrap());
    assert_eq!(pools, BTreeSet::from([ObjectName::new("shop", "own")]));
}

#[test]
fn a_pool_names_its_secrets_and_bundles() {
    let key = |name: &str| json!({"name": name, "type": "APIKey", "apiKey": {"secretKeyRef": {"name": name, "key": "k"}}});
    let spec = json!({"providers": [
        {"name": "a", "type": "OpenAI", "credentials": [key("one"), key("two")]},
        {"name": "b", "type": "OpenAI", "credentials": [key("one")], "tls": {"caCertificateRef": {"kind": "ConfigMap", "name": "ca"}}},
        {"name": "c", "type": "Simulated", "simulated": {}},
    ]});
    let spec = serde_json::from_value(spec).unwrap();
    assert_eq!(
        secrets_of("llm", &spec),
        BTreeSet::from([ObjectName::new("llm", "one"), ObjectName::new("llm", "two")])
    );
    assert_eq!(
        config_maps_of("llm", &spec),
        BTreeSet::from([ObjectName::new("llm", "ca")])
    );
}
