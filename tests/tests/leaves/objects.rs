//! The manifests that scenes are made of: pools in the platform's namespace `llm`, routes in the team's, `shop`.

use fkm_crds::Kind;
use serde_json::{Value, json};

/// The namespace of the pod and of the routes.
pub(crate) const SHOP: &str = "shop";

/// The first object of a kind.
pub(crate) fn of_kind(objects: &[Value], kind: Kind) -> &Value {
    let name = format!("{kind:?}");
    let found = objects.iter().find(|object| object["kind"] == name);
    found.unwrap_or(&Value::Null)
}

/// What every scene has besides pools and routes.
pub(crate) fn surroundings() -> Vec<Value> {
    let secret = |name: &str, keys: Value| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": "llm", "name": name}, "stringData": keys});
    let bundle = |name: &str, pem: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "llm", "name": name}, "data": {"ca.crt": pem}});
    vec![
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SHOP, "labels": {"team": "shop"}}}),
        secret(
            "keys",
            json!({
                "main": "key-main", "spare": "key-spare",
                "google": google_key("main"), "google-spare": google_key("spare"),
            }),
        ),
        secret(
            "more-keys",
            json!({"main": "key-more", "google": google_key("more")}),
        ),
        secret("login", json!({"username": "flux", "password": "one"})),
        secret(
            "other-login",
            json!({"username": "flux", "password": "two"}),
        ),
        secret(
            "client",
            json!({"tls.crt": "$CLIENT", "tls.key": "$CLIENT_KEY"}),
        ),
        secret(
            "other-client",
            json!({"tls.crt": "$OTHER_CLIENT", "tls.key": "$OTHER_CLIENT_KEY"}),
        ),
        bundle("ca", "$CA"),
        bundle("other-ca", "$OTHER_CA"),
    ]
}

/// The JSON key of a service account of Google's.
fn google_key(name: &str) -> String {
    json!({
        "client_email": format!("{name}@google"), "private_key_id": "id",
        "private_key": include_str!("../../../sidecar/tests/proxy/sign_in/key-for-tests.pem"),
        "token_uri": "https://oauth2.googleapis.com/token",
    })
    .to_string()
}

/// A pool in `llm` that every namespace may use.
pub(crate) fn pool(name: &str, providers: &[Value]) -> Value {
    pool_in("llm", name, providers)
}

/// The same elsewhere.
pub(crate) fn pool_in(namespace: &str, name: &str, providers: &[Value]) -> Value {
    json!({
        "apiVersion": "fluxkontext.dev/v1alpha1", "kind": "ProviderPool",
        "metadata": {"namespace": namespace, "name": name},
        "spec": {"allowedRoutes": {"namespaces": {"from": "All"}}, "providers": providers},
    })
}

/// A provider at `base_url` with the model `m`.
pub(crate) fn provider(name: &str, base_url: &str) -> Value {
    json!({
        "name": name, "type": "OpenAICompatible", "baseURL": base_url, "locality": {"scope": "Local"},
        "models": [{"name": "m"}],
    })
}

/// A provider without a network.
pub(crate) fn simulated(behaviour: &Value) -> Value {
    json!({"name": "a", "type": "Simulated", "models": [{"name": "m"}], "simulated": behaviour})
}

/// A route of `shop` with this spec.
pub(crate) fn route(name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "fluxkontext.dev/v1alpha1", "kind": "LLMRoute",
        "metadata": {"namespace": SHOP, "name": name}, "spec": spec,
    })
}

/// A backend of the pool of its own name in `llm`.
pub(crate) fn backend(pool: &str) -> Value {
    json!({"name": pool, "poolRef": {"name": pool, "namespace": "llm"}})
}

/// A rule that matches everything.
pub(crate) fn rule(backends: &[Value]) -> Value {
    json!({"name": "all", "backends": backends})
}
