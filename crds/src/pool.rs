//! Kind `ProviderPool`: providers, models, credentials; and which namespaces may use them.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube_derive::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Selector, cel};

mod credential;
mod dialect;
mod formats;
mod media;
mod network;
mod provider;
mod sign_in;
mod simulated;

pub use credential::{ApiKey, Credential, CredentialType, SecretKeyRef};
pub use dialect::{
    CacheMarks, Dialect, DialectAuth, Documents, MaxTokensField, MediaUrls, RequiredChoice, Sound,
    StreamEnd, Thoughts, ToolCallIds,
};
pub use formats::{
    ChatFormat, DimensionsField, Embeddings, EmbeddingsFormat, Rerank, RerankFormat, SpokenFormat,
};
pub use media::{Media, MediaAddresses, MediaFetch};
pub use network::{CaCertificateRef, CaKind, Http2, Proxy, ProxyType, SecretRef, Tls};
pub use provider::{KeptKind, Locality, Model, Provider, ProviderType, Scope};
pub use sign_in::{
    Aws, AwsKeys, AwsSourceType, AzureEntra, ClientAuthentication, EntraSourceType,
    GoogleServiceAccount, GoogleWorkloadIdentity, OauthClientCredentials,
};
pub use simulated::{Simulated, SimulatedError};

/// The providers of this pool, and who may use them.
#[derive(
    CustomResource, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema,
)]
#[kube(
    group = "fluxkontext.dev",
    version = "v1alpha1",
    kind = "ProviderPool",
    namespaced,
    crates(kube_core = "::kube_core"),
    derive = "PartialEq",
    status = "ProviderPoolStatus",
    shortname = "ppool",
    category = "llm",
    doc = "A ProviderPool is a set of LLM providers with their credentials and models. LLMRoutes send requests to it.",
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].status"
    ),
    printcolumn(
        name = "Routes",
        type_ = "integer",
        json_path = ".status.attachedRoutes",
        description = "routes that use this pool"
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = ".status.conditions[?(@.type==\"Ready\")].reason",
        priority = "1"
    ),
    printcolumn(
        name = "Age",
        type_ = "date",
        json_path = ".metadata.creationTimestamp"
    )
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    cel::rule_at(".providers",
        "self.providers.exists(p, !has(p.weight) || p.weight > 0)",
        "'every provider has weight 0, so the pool could never answer; give at least one a weight above 0'"),
]))]
pub struct ProviderPoolSpec {
    /// The namespaces whose LLMRoutes may use this pool. Omitted: only its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_routes: Option<AllowedRoutes>,
    /// What happens with images and documents that clients give by their address. Omitted: the address is sent to providers that fetch themselves; for others the request is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<Media>,
    /// The providers, each with a name of its own.
    #[schemars(length(min = 1, max = 32), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"]))]
    pub providers: Vec<Provider>,
}

/// Who may use a pool.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct AllowedRoutes {
    /// The namespaces.
    pub namespaces: RouteNamespaces,
}

/// A set of namespaces.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline, extend("x-kubernetes-validations" = [
    cel::rule_at(".selector",
        "has(self.selector) == (self.from == 'Selector')",
        "'selector must be given if and only if from is Selector; from is ' + self.from"),
]))]
pub struct RouteNamespaces {
    /// Same: the pool's own namespace. All: every namespace. Selector: those whose labels match.
    pub from: FromNamespaces,
    /// With from Selector: labels of the namespaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<Selector>,
}

/// How namespaces are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum FromNamespaces {
    #[expect(
        missing_docs,
        reason = "a documented variant would leave the structural schema"
    )]
    #[default]
    Same,
    #[expect(
        missing_docs,
        reason = "a documented variant would leave the structural schema"
    )]
    All,
    #[expect(
        missing_docs,
        reason = "a documented variant would leave the structural schema"
    )]
    Selector,
}

/// What the operator found and did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProviderPoolStatus {
    /// The generation that this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// How many LLMRoutes use this pool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attached_routes: Option<i32>,
    /// Accepted, ResolvedRefs, Programmed, Ready; Reconciling and Stalled only while true.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["type"]))]
    pub conditions: Vec<Condition>,
}
