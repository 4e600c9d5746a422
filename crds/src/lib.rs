//! The two kinds of group `fluxkontext.dev/v1alpha1`: `ProviderPool` (the platform's) and `LLMRoute` (an app team's).
//!
//! *Guarantees*: a field is in the schema only if something obeys it; everything is bounded; what one object alone can
//! get wrong is refused by the API server, by pattern or by CEL. What needs other objects is judged by `fkm-compile`.
//!
//! *Caveats*: no client and no tokio here. Use [`crd`] for the definition, not the derived `crd()`: it is the one that
//! is checked in beside this crate and that an API server takes without warnings.
#![warn(missing_docs)]
#![expect(
    clippy::duplicated_attributes,
    reason = "each printed column of a kind has a type"
)]
#![expect(
    clippy::doc_markdown,
    reason = "the comments on fields are shown by kubectl explain, which knows no markdown"
)]
#![expect(
    rustdoc::bare_urls,
    reason = "the comments on fields are shown by kubectl explain, which knows no links"
)]

mod bytes;
mod cel;
mod conditions;
mod decimal;
mod duration;
mod names;
mod pool;
mod route;
mod schema;
mod selector;
mod status;

pub use bytes::{ByteSize, InvalidByteSize};
pub use conditions::{ConditionType, Reason};
pub use decimal::{Decimal, InvalidDecimal};
pub use duration::{Duration, InvalidDuration};
pub use names::{
    AwsName, BaseUrl, DnsLabel, DnsSubdomain, HostAndPort, HostPattern, MemberName, ModelName,
    ModelPattern, ProxyUrl, RequestPath, SecretKey, TokenFile, TokenUrl, TokenWord,
};
pub use pool::{
    AllowedRoutes, ApiKey, Aws, AwsKeys, AwsSourceType, AzureEntra, CaCertificateRef, CaKind,
    CacheMarks, ChatFormat, ClientAuthentication, Credential, CredentialType, Dialect, DialectAuth,
    DimensionsField, Documents, Embeddings, EmbeddingsFormat, EntraSourceType, FromNamespaces,
    GoogleServiceAccount, GoogleWorkloadIdentity, Http2, KeptKind, Locality, MaxTokensField, Media,
    MediaAddresses, MediaFetch, MediaUrls, Model, OauthClientCredentials, Provider, ProviderPool,
    ProviderPoolSpec, ProviderPoolStatus, ProviderType, Proxy, ProxyType, RequiredChoice, Rerank,
    RerankFormat, RouteNamespaces, Scope, SecretKeyRef, SecretRef, Simulated, SimulatedError,
    Sound, SpokenFormat, StreamEnd, Thoughts, Tls, ToolCallIds,
};
pub use route::{
    Backend, Defaults, FailureClass, Fallback, LLMRoute, LLMRouteSpec, LLMRouteStatus, Match,
    Policy, PoolRef, Rule, Strategy, StrategyType, Timeouts,
};
pub use schema::{Kind, compiled_schema, crd, openapi_schema, schema_leaves};
pub use selector::{Operator, Requirement, Selector};
pub use status::{Rejection, SidecarCounts};

pub use kube_core::cel::{ValidationError, ValidationErrors, Validator};

/// The API group of both kinds.
pub const GROUP: &str = "fluxkontext.dev";
/// The version of both kinds.
pub const VERSION: &str = "v1alpha1";
/// The key of a ConfigMap that holds a CA bundle.
pub const CA_KEY: &str = "ca.crt";
/// The keys of a Secret of type kubernetes.io/tls: certificate, private key.
pub const TLS_KEYS: [&str; 2] = ["tls.crt", "tls.key"];
/// The keys of a Secret of type kubernetes.io/basic-auth: user, password.
pub const BASIC_AUTH_KEYS: [&str; 2] = ["username", "password"];
