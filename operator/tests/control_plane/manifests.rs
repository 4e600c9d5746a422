//! What users would write.

/// A pool with a keyed first provider, which alone has the model `big`, and a simulated second.
pub(crate) fn pool(base_url: &str) -> String {
    format!(
        "apiVersion: fluxkontext.dev/v1alpha1
kind: ProviderPool
metadata: {{ name: chat, namespace: fkm-system }}
spec:
  allowedRoutes: {{ namespaces: {{ from: All }} }}
  providers:
  - name: keyed
    type: OpenAICompatible
    baseURL: {base_url}
    credentials: [{{ name: main, type: APIKey, apiKey: {{ secretKeyRef: {{ name: llm-key, key: apiKey }} }} }}]
    models: [{{ name: small }}, {{ name: big }}]
  - name: canned
    type: Simulated
    priority: 1
    simulated: {{ text: A canned answer. }}
    models: [{{ name: small }}]
"
    )
}

/// A route of the shop's checkout to that pool.
pub(crate) fn route(rule: &str) -> String {
    format!(
        "apiVersion: fluxkontext.dev/v1alpha1
kind: LLMRoute
metadata: {{ name: checkout, namespace: shop }}
spec:
  workloadSelector: {{ matchLabels: {{ app: checkout }} }}
  defaults: {{ poolRef: {{ name: chat, namespace: fkm-system }} }}
  rules:
  - name: {rule}
    backends: [{{ name: only, model: small }}]
"
    )
}

/// A route whose first rule only the keyed provider can answer.
pub(crate) fn route_that_needs_the_key() -> String {
    let needs = "rules:
  - name: keyed
    matches: [{ models: [big] }]
    backends: [{ name: only, model: big }]
";
    route("first").replace("rules:\n", needs)
}

/// The key of the pool.
pub(crate) fn secret(value: &str) -> String {
    format!(
        "apiVersion: v1
kind: Secret
metadata: {{ name: llm-key, namespace: fkm-system }}
stringData: {{ apiKey: {value} }}
"
    )
}
