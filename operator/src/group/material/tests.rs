//! What makes a group be compiled again, and what does not.

use kube::core::PartialObjectMeta;
use serde_json::{Value, json};

use super::*;
use crate::secrets::{SecretValues, SecretVersion};

fn object<K: DeserializeOwned>(value: Value) -> Arc<K> {
    Arc::new(serde_json::from_value(value).unwrap())
}

fn route(namespace: &str, generation: i64) -> Value {
    json!({
        "apiVersion": "fluxkontext.dev/v1alpha1", "kind": "LLMRoute",
        "metadata": {"namespace": namespace, "name": "route", "uid": namespace, "generation": generation},
        "spec": {
            "defaults": {"poolRef": {"name": "chat", "namespace": "llm"}},
            "rules": [{"name": "r", "backends": [{"name": "b"}]}],
        },
    })
}

fn pool(name: &str, generation: i64) -> Value {
    let key = json!({"name": "k", "type": "APIKey", "apiKey": {"secretKeyRef": {"name": "key", "key": "apiKey"}}});
    let ca = json!({"caCertificateRef": {"kind": "ConfigMap", "name": "ca"}});
    json!({
        "apiVersion": "fluxkontext.dev/v1alpha1", "kind": "ProviderPool",
        "metadata": {"namespace": "llm", "name": name, "uid": name, "generation": generation},
        "spec": {"providers": [{"name": "p", "type": "OpenAI", "credentials": [key], "tls": ca}]},
    })
}

fn secret(version: &str, keys: &[&str]) -> SecretState {
    let version = SecretVersion {
        uid: "u".to_owned(),
        resource_version: version.to_owned(),
    };
    let entries = keys
        .iter()
        .map(|key| ((*key).to_owned(), "sk".into()))
        .collect();
    SecretState::Held {
        asked: Some(version.clone()),
        values: Arc::new(SecretValues { version, entries }),
    }
}

/// One route, one pool, and what the pool names.
fn material() -> Material {
    let mut material = Material::default();
    add_route(&mut material, route("shop", 1));
    add_pool(&mut material, pool("chat", 1));
    add_namespace(&mut material, "shop", "a");
    add_config_map(&mut material, "ca", "1");
    material
        .secrets
        .insert(ObjectName::new("llm", "key"), secret("1", &["apiKey"]));
    material
}

fn add_route(material: &mut Material, value: Value) {
    let namespace = value["metadata"]["namespace"].as_str().unwrap().to_owned();
    material
        .view
        .routes
        .insert(ObjectName::new(namespace, "route"), object(value));
}

fn add_pool(material: &mut Material, value: Value) {
    let name = value["metadata"]["name"].as_str().unwrap().to_owned();
    material
        .view
        .pools
        .insert(ObjectName::new("llm", name), object(value));
}

fn add_namespace(material: &mut Material, name: &str, label: &str) {
    let namespace = json!({"metadata": {"name": name, "labels": {"label": label}}});
    let namespace: Arc<PartialObjectMeta<_>> = object(namespace);
    material.view.namespaces.insert(name.to_owned(), namespace);
}

fn add_config_map(material: &mut Material, name: &str, version: &str) {
    let map = json!({"metadata": {"namespace": "llm", "name": name, "resourceVersion": version}, "data": {}});
    material
        .view
        .config_maps
        .insert(ObjectName::new("llm", name), object(map));
}

fn group() -> GroupKey {
    GroupKey {
        namespace: "shop".to_owned(),
        routes: BTreeSet::from(["route".to_owned()]),
    }
}

fn moves(change: impl FnOnce(&mut Material)) -> bool {
    let before = material().fingerprint(&group());
    let mut changed = material();
    change(&mut changed);
    changed.fingerprint(&group()) != before
}

#[test]
fn moves_with_everything_that_the_group_reaches() {
    assert!(moves(|m| add_route(m, route("shop", 2))), "the route");
    assert!(moves(|m| add_pool(m, pool("chat", 2))), "its pool");
    assert!(moves(|m| m.view.pools.clear()), "the pool's absence");
    assert!(
        moves(|m| add_namespace(m, "shop", "b")),
        "the labels that allowedRoutes looks at"
    );
    assert!(moves(|m| add_config_map(m, "ca", "2")), "the pool's CA");
    assert!(
        moves(|m| _ = m
            .secrets
            .insert(ObjectName::new("llm", "key"), secret("1", &["other"]))),
        "the keys there are"
    );
    let missing = SecretState::Missing { asked: None };
    assert!(
        moves(|m| _ = m.secrets.insert(ObjectName::new("llm", "key"), missing)),
        "a missing Secret"
    );
    let refused = SecretState::Refused {
        why: "forbidden".to_owned(),
    };
    assert!(
        moves(|m| _ = m.secrets.insert(ObjectName::new("llm", "key"), refused)),
        "a Secret that is refused"
    );
    let spec = || serde_json::from_value(route("shop", 0)["spec"].clone()).unwrap();
    assert!(
        moves(|m| _ = m
            .accepted_routes
            .insert(ObjectName::new("shop", "route"), (7, spec()))),
        "the accepted spec"
    );
}

#[test]
fn stays_when_something_else_changes() {
    assert!(!moves(|_| {}));
    assert!(
        !moves(|m| add_route(m, route("other", 1))),
        "a route of another namespace"
    );
    assert!(
        !moves(|m| add_pool(m, pool("unused", 1))),
        "a pool that no route names"
    );
    assert!(
        !moves(|m| add_namespace(m, "other", "b")),
        "another namespace"
    );
    assert!(
        !moves(|m| add_config_map(m, "other", "1")),
        "another config map"
    );
    assert!(
        !moves(|m| _ = m
            .secrets
            .insert(ObjectName::new("llm", "key"), secret("2", &["apiKey"]))),
        "a rotated key"
    );
}

#[test]
fn a_secret_that_is_refused_is_another_one_than_a_missing_one() {
    let with = |state| {
        let mut material = material();
        let secret = ObjectName::new("llm", "key");
        material.secrets.insert(secret, state);
        material.fingerprint(&group())
    };
    let refused = |why: &str| SecretState::Refused {
        why: why.to_owned(),
    };
    let missing = with(SecretState::Missing { asked: None });
    assert_ne!(with(refused("forbidden")), missing);
    assert_ne!(with(refused("forbidden")), with(refused("no answer")));
}

#[test]
fn a_config_map_on_its_way_holds_up_only_who_needs_it() {
    let mut material = material();
    material.view.config_maps.clear();
    let missing = material.missing_maps();
    assert_eq!(missing, BTreeSet::from([ObjectName::new("llm", "ca")]));
    assert!(!material.is_group_pending(&group()));
    material.awaited_maps = missing;
    assert!(material.is_group_pending(&group()));
    material.awaited_maps = BTreeSet::from([ObjectName::new("llm", "other")]);
    assert!(!material.is_group_pending(&group()));
}

#[test]
fn a_secret_that_is_not_read_yet_holds_up_only_who_needs_it() {
    let mut material = material();
    assert!(!material.is_group_pending(&group()));
    material.secrets.clear();
    assert!(material.is_group_pending(&group()));
    assert!(material.is_pending(&ObjectName::new("llm", "chat")));
    let other = GroupKey {
        namespace: "other".to_owned(),
        routes: BTreeSet::new(),
    };
    assert!(!material.is_group_pending(&other));
    assert_eq!(
        material.wanted_secrets(),
        BTreeSet::from([ObjectName::new("llm", "key")])
    );
}
