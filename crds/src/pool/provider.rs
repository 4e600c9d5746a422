//! One provider of a pool and the models that it offers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    BASIC_AUTH_KEYS, BaseUrl, Credential, Dialect, DnsLabel, Embeddings, HostAndPort, Http2,
    ModelName, Proxy, Rerank, Simulated, SpokenFormat, TLS_KEYS, Tls, cel,
};

/// One LLM service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    cel::rule_at(".baseURL",
        "self.type != 'OpenAICompatible' || has(self.baseURL) || has(self.preset)",
        "'provider ' + self.name + ' of type OpenAICompatible needs a baseURL or a preset'"),
    cel::rule_at(".preset",
        "!has(self.preset) || self.type == 'OpenAICompatible'",
        "'preset ' + self.preset + ' is for type OpenAICompatible only; type ' + self.type + ' has its own, remove preset'"),
    cel::rule_at(".models",
        "self.type in ['OpenAI', 'Anthropic'] || has(self.preset) || has(self.models)",
        "'provider ' + self.name + ' needs models: for type ' + self.type + ' without a preset there is no catalogue'"),
    cel::rule_at(".simulated",
        "has(self.simulated) == (self.type == 'Simulated')",
        "'simulated must be given if and only if type is Simulated; provider ' + self.name + ' has type ' + self.type"),
    cel::rule_at(".credentials",
        "self.type != 'Simulated' || !has(self.credentials)",
        "'provider ' + self.name + ' of type Simulated has no use for credentials; remove them'"),
    cel::rule_at(".credentials",
        "self.type in ['OpenAICompatible', 'Simulated'] || !has(self.credentials) || self.credentials.all(c, c.type == 'APIKey')",
        "'provider ' + self.name + ' of type ' + self.type + ' signs in by an APIKey only; for anything else use type OpenAICompatible with its preset'"),
    cel::rule_at(".type",
        "self.type != 'Simulated' || !(has(self.baseURL) || has(self.tls) || has(self.locality) || has(self.proxy) || has(self.hostHeader) || has(self.http2))",
        "'provider ' + self.name + ' of type Simulated uses no network; remove baseURL, tls, locality, proxy, hostHeader and http2'"),
    cel::rule_at(".dialect",
        "self.type != 'Simulated' || !(has(self.dialect) || has(self.formats) || has(self.embeddings) || has(self.rerank) || has(self.keeps))",
        "'provider ' + self.name + ' of type Simulated speaks to nobody; remove dialect, formats, embeddings, rerank and keeps'"),
    cel::rule_at(".tls",
        "!has(self.tls) || !has(self.baseURL) || !self.baseURL.matches('(?i)^(http|unix)://')",
        "'tls is given, but baseURL ' + self.baseURL + ' is not encrypted; use https or remove tls'"),
    cel::rule_at(".http2",
        "!has(self.http2) || self.http2 != 'PriorKnowledge' || (has(self.baseURL) && self.baseURL.matches('(?i)^(http|unix)://'))",
        "'http2 PriorKnowledge is for a baseURL of http or unix; https negotiates it'"),
    cel::rule_at(".proxy",
        "!has(self.proxy) || !has(self.baseURL) || !self.baseURL.startsWith('unix://')",
        "'a socket has no proxy; remove proxy, or give a baseURL of http or https'"),
    cel::rule_at(".baseURL",
        "!has(self.baseURL) || !self.baseURL.startsWith('unix://') || (has(self.locality) && self.locality.scope == 'Local')",
        "'baseURL ' + self.baseURL + ' is inside the pod; if that is meant, set locality.scope to Local'"),
    cel::rule_at(".baseURL",
        r"!has(self.baseURL) || (has(self.locality) && self.locality.scope == 'Local') || !self.baseURL.matches('(?i)^https?://(127[.][0-9.]+|([^/:]*[.])?localhost[.]?|\\[::1\\])(:|/|$)')",
        "'baseURL ' + self.baseURL + ' is inside the pod; if that is meant, set locality.scope to Local'"),
]))]
pub struct Provider {
    /// Unique in this pool; shown in logs, metrics and the header x-fkm-provider.
    pub name: DnsLabel,
    /// OpenAI, Anthropic, OpenAICompatible (with preset, a provider of the catalogue in whatever format; without, anything that speaks OpenAI chat completions), or Simulated (answers without a network).
    pub r#type: ProviderType,
    /// With type OpenAICompatible: a provider of the catalogue, for example groq, gemini, vertex or bedrock. Gives base URL, format, dialect and models.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<DnsLabel>,
    /// Where the provider listens, without the path of the operation: for OpenAI's format with its /v1, for Anthropic's without; for Vertex up to its location. unix:///run/server.sock:/v1 is a socket of a server inside the pod, which the sidecar must mount, with the path that requests begin with. Redirects are not followed. Omitted: the catalogue's.
    #[serde(default, rename = "baseURL", skip_serializing_if = "Option::is_none")]
    pub base_url: Option<BaseUrl>,
    /// How the provider departs from its format. Each field stands instead of the one that the catalogue has for it. Omitted: as the catalogue has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialect: Option<Dialect>,
    /// Further formats of conversations that the provider speaks, so that clients of them pass through. Each stands instead of the catalogue's of the same format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 8), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["format"]))]
    pub formats: Option<Vec<SpokenFormat>>,
    /// How the provider makes vectors. Omitted: as the catalogue has it; without a preset, as OpenAI at /embeddings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embeddings: Option<Embeddings>,
    /// How the provider ranks documents. Omitted: as the catalogue has it; without a preset, it ranks none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rerank: Option<Rerank>,
    /// What clients may keep at the provider and use again by its id. Responses: stored and background answers. Files, Batches: they belong to the account, so that every pod that reaches the same credential can list, read and delete them; and a batch names its models itself, past the rules of routes. Omitted: Responses, where the catalogue's provider keeps them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 3), extend("x-kubernetes-list-type" = "set"))]
    pub keeps: Option<Vec<KeptKind>>,
    /// Failover tier, lower first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1000))]
    pub priority: Option<i32>,
    /// Share of traffic inside its tier. Omitted: 1. With 0 it gets none, not even on failover.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1_000_000))]
    pub weight: Option<i32>,
    /// Where the provider runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locality: Option<Locality>,
    /// Ways to sign in, used in turn. Omitted: nothing is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 8), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub credentials: Option<Vec<Credential>>,
    /// The models that are offered, exactly these. Omitted: all that the catalogue lists for this provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub models: Option<Vec<Model>>,
    /// With https: whom to trust, and as whom to come. Omitted: the provider's certificate is checked against the roots of the sidecar, which are the public ones if its environment does not name others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// The proxy on the way. Omitted: that of the sidecar's environment (HTTPS_PROXY, HTTP_PROXY, NO_PROXY), if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proxy: Option<Proxy>,
    /// The host, perhaps with a port, that requests name (Host, :authority), where the provider wants another than it is reached by. Omitted: that of baseURL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_header: Option<HostAndPort>,
    /// Negotiated: HTTP/2 where https offers it, else HTTP/1.1. PriorKnowledge: HTTP/2 without asking, for servers that take it over plain http (h2c). Omitted: Negotiated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http2: Option<Http2>,
    /// With type Simulated: what it answers and how it fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub simulated: Option<Simulated>,
}

/// What a provider keeps behind ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[expect(
    missing_docs,
    reason = "a documented variant would leave the structural schema"
)]
pub enum KeptKind {
    Responses,
    Files,
    Batches,
}

/// The families of sign-in and endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[expect(
    missing_docs,
    reason = "a documented variant would leave the structural schema"
)]
pub enum ProviderType {
    OpenAI,
    Anthropic,
    OpenAICompatible,
    Simulated,
}

/// Where a provider runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct Locality {
    /// External: outside of the pod. Local: loopback addresses are allowed. Omitted: External.
    pub scope: Scope,
}

/// Inside or outside of the pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
#[expect(
    missing_docs,
    reason = "a documented variant would leave the structural schema"
)]
pub enum Scope {
    External,
    Local,
}

/// A model that a provider offers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Model {
    /// The name that clients and routes use.
    pub name: ModelName,
    /// The name that is sent to the provider. Omitted: name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_name: Option<ModelName>,
    /// Further names that clients and routes may use; unique in this provider.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "set"))]
    pub aliases: Vec<ModelName>,
}

// === impl Provider ===

impl Provider {
    /// The keys of Secrets that the provider names, as (Secret, key).
    pub fn secret_keys(&self) -> impl Iterator<Item = (&str, &str)> {
        let credentials = self.credentials.iter().flatten();
        let keys = credentials.flat_map(Credential::secrets);
        let keys = keys.map(|(_, key)| (key.name.0.as_str(), key.key.0.as_str()));
        keys.chain(self.network_secret_keys())
    }

    fn network_secret_keys(&self) -> impl Iterator<Item = (&str, &str)> {
        let identity = self.tls.as_ref();
        let identity = identity.and_then(|tls| tls.client_certificate_ref.as_ref());
        let proxy = self.proxy.as_ref();
        let proxy = proxy.and_then(|proxy| proxy.credentials_ref.as_ref());
        let identity = identity.map(|secret| TLS_KEYS.map(|key| (secret.name.0.as_str(), key)));
        let proxy = proxy.map(|secret| BASIC_AUTH_KEYS.map(|key| (secret.name.0.as_str(), key)));
        identity.into_iter().chain(proxy).flatten()
    }
}
