//! The contract between control plane and data plane: one immutable snapshot for one group of pods.
//!
//! *Guarantees*: the payload is JSON with sorted maps and without defaults, so that equal content has equal bytes; the
//! identity of a snapshot is the SHA-256 of those bytes; [`ValidSnapshot`] is the only way in, and it refuses unknown
//! fields, so an older sidecar never ignores what a newer operator asks of it.
//!
//! *Caveats*: no Kubernetes, no tokio. How a payload travels is crate `fkm-push`; secrets are a message of their own
//! ([`Secrets`]) and no part of the payload.
#![warn(missing_docs)]

mod features;
mod hash;
mod media;
mod network;
mod pattern;
mod payload;
mod policy;
mod provider;
mod rule;
mod secrets;
mod sign_in;
mod validate;

pub use features::{FEATURES, Feature};
pub use hash::SnapshotHash;
pub use media::{
    Addresses, HostPattern, InvalidHostPattern, MAX_MEDIA_BYTES, MAX_MEDIA_ITEMS,
    MAX_MEDIA_TIMEOUT, MediaFetch,
};
pub use network::{ClientCertificate, Http2, Network, Proxy, ProxyCredentials, ProxyServer, Tls};
pub use pattern::{InvalidPattern, ModelPattern};
pub use payload::{MAX_PAYLOAD_BYTES, PodContext, Snapshot};
pub use policy::{Millis, Policy, Timeouts, all_failures};
pub use provider::{
    Connection, Credential, HttpConnection, Locality, Model, Pool, Provider, Simulated,
    SimulatedError,
};
pub use rule::{Backend, Match, Rule, Strategy};
pub use secrets::{SecretId, Secrets};
pub use sign_in::{
    Aws, AwsSource, AzureEntra, ClientAuthentication, EntraSource, GoogleServiceAccount,
    GoogleWorkloadIdentity, OauthClientCredentials, SignIn,
};
pub use validate::{Problem, ProblemCode, ValidSnapshot};

pub use fkm_dialect::{
    AnyFormat, Auth, CacheMarks, Capabilities, Dialect, Documents, FailureClass, Format,
    MODEL_IN_PATH, MaxTokensField, MediaUrls, Medium, RequiredChoice, Sound, StreamEnd, Thoughts,
    ToolCallIds,
};
pub use fkm_dialect::{
    DimensionsField, EmbeddingDialect, EmbeddingFormat, Keeps, Kept, Operation, Price, Rates,
    RelayDialect, RelayFormat, RerankDialect, RerankFormat,
};

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
