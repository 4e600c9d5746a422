//! Two providers, two pools, one route, one pod.

use fkm_tests::canary::CANARY;
use fkm_tests::installation::SYSTEM;
use fkm_tests::{Installation, Sidecar, TestPod};
use fkm_upstream::Upstream;

/// What most tests here need.
pub(crate) struct Scene {
    pub(crate) a: Upstream,
    pub(crate) b: Upstream,
    pub(crate) sidecar: Sidecar,
    pub(crate) pod: TestPod,
    /// Last, so that the sidecar ends first.
    pub(crate) installation: Installation,
}

impl Scene {
    /// A sidecar that serves `route(&["a", "b"])`.
    pub(crate) async fn start() -> Self {
        let (a, b) = (
            Upstream::start().await.unwrap(),
            Upstream::start().await.unwrap(),
        );
        let installation = Installation::start().await.unwrap();
        installation.cluster.create_namespace("shop").await.unwrap();
        installation.apply(&secret(CANARY)).await.unwrap();
        installation.apply(&pool("a", &a.base_url())).await.unwrap();
        installation.apply(&pool("b", &b.base_url())).await.unwrap();
        installation.apply(&route(&["a", "b"])).await.unwrap();
        let pod = installation
            .create_pod("shop", "app-1", "app")
            .await
            .unwrap();
        let mut sidecar = installation.start_sidecar(&pod).await.unwrap();
        sidecar.until_ready().await.unwrap();
        // Watches are independent of each other: a first snapshot may know the route before it knows a pool.
        for upstream in [&a, &b] {
            let base_url = upstream.base_url();
            sidecar.until_config_holds(&base_url).await.unwrap();
        }
        let route = ["llmroute", "-n", "shop", "assistant"];
        for condition in ["ResolvedRefs", "Ready"] {
            let met = installation.condition(&route, condition, "True");
            met.await.unwrap();
        }
        Self {
            a,
            b,
            sidecar,
            pod,
            installation,
        }
    }

    pub(crate) fn chat_url(&self) -> String {
        format!("{}/chat/completions", self.sidecar.base_url())
    }
}

/// The question that everybody asks.
pub(crate) fn question(stream: bool) -> serde_json::Value {
    serde_json::json!({"model": "m", "stream": stream, "messages": [{"role": "user", "content": "Hi"}]})
}

/// The key of both pools.
pub(crate) fn secret(key: &str) -> String {
    let quoted = serde_json::Value::from(key);
    format!(
        "apiVersion: v1\nkind: Secret\nmetadata: {{ name: keys, namespace: {SYSTEM} }}\nstringData: {{ main: {quoted} }}\n"
    )
}

/// A pool of one provider of its own name.
pub(crate) fn pool(name: &str, base_url: &str) -> String {
    format!(
        r"
apiVersion: fluxkontext.dev/v1alpha1
kind: ProviderPool
metadata: {{ name: {name}, namespace: {SYSTEM} }}
spec:
  allowedRoutes: {{ namespaces: {{ from: All }} }}
  providers:
  - name: {name}
    type: OpenAICompatible
    baseURL: {base_url}
    locality: {{ scope: Local }}
    credentials: [{{ name: main, type: APIKey, apiKey: {{ secretKeyRef: {{ name: keys, key: main }} }} }}]
    models: [{{ name: m, upstreamName: m-upstream }}]
"
    )
}

/// A route whose backends are these pools, in this order.
pub(crate) fn route(pools: &[&str]) -> String {
    let backend = |pool: &&str| {
        format!("    - {{ name: {pool}, poolRef: {{ name: {pool}, namespace: {SYSTEM} }} }}\n")
    };
    let backends = pools.iter().map(backend).collect::<Vec<_>>().concat();
    format!(
        r"
apiVersion: fluxkontext.dev/v1alpha1
kind: LLMRoute
metadata: {{ name: assistant, namespace: shop }}
spec:
  workloadSelector: {{ matchLabels: {{ app: app }} }}
  rules:
  - name: all
    backends:
{backends}"
    )
}
