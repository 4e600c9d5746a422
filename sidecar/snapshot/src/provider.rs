//! Pools, their providers and the models that they offer.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    AnyFormat, Auth, Capabilities, Dialect, EmbeddingDialect, Keeps, MediaFetch, Millis, Network,
    Price, RelayDialect, RerankDialect, SecretId, SignIn, is_default,
};

/// Interchangeable providers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Pool {
    /// The providers, as declared. Names are unique.
    pub providers: Vec<Provider>,
    /// How media are fetched that a provider wants here; absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<MediaFetch>,
}

/// One LLM service with its keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Provider {
    /// Unique in its pool.
    pub name: String,
    /// The service's name in telemetry (`gen_ai.provider.name`), for example `openai`.
    pub system: String,
    /// Failover tier, lower first. Default 0.
    #[serde(default, skip_serializing_if = "is_default")]
    pub priority: i32,
    /// Share of traffic inside its tier; 0 gets none. Default 1.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub weight: u32,
    /// How it is reached.
    pub connection: Connection,
    /// The models that a rule can reach, by their name in the pool.
    pub models: BTreeMap<String, Model>,
}

/// How a provider is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Connection {
    /// Over HTTP.
    Http(Box<HttpConnection>),
    /// Answered by the sidecar itself, without a network.
    Simulated(Simulated),
}

/// A provider behind a base URL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct HttpConnection {
    /// Absolute `http` or `https` URL without a trailing slash; the dialect's path is appended.
    pub base_url: String,
    /// How the provider converses; absent: it does not. Its `auth` says how keys are shown, for every operation; where it
    /// is absent they are bearer tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dialect: Option<Dialect>,
    /// Other formats in which it converses, for clients that speak them and models that know no other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<Dialect>,
    /// How it makes vectors; absent: it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub embeddings: Option<EmbeddingDialect>,
    /// How it ranks documents; absent: it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ranks: Option<RerankDialect>,
    /// What it keeps behind ids, each at most once; empty: nothing that is asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keeps: Vec<Keeps>,
    /// Where it takes what is passed on as it is (pictures, sound, …); empty: nowhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub relays: Vec<RelayDialect>,
    /// Whether loopback and private use is meant.
    #[serde(default, skip_serializing_if = "is_default")]
    pub locality: Locality,
    /// How connections are made.
    #[serde(default, skip_serializing_if = "is_default")]
    pub network: Network,
    /// Keys to use in turn; empty: none is sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<Credential>,
}

/// Where a provider is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Locality {
    /// Outside the pod: loopback addresses are refused when connecting.
    #[default]
    External,
    /// May be inside the pod: loopback addresses are allowed.
    Local,
}

/// One way to sign in at a provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Credential {
    /// Unique in its provider.
    pub name: String,
    /// What it is.
    pub sign_in: SignIn,
}

/// A credential as a payload has it: a key by `secret` alone, everything else by `signIn`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Written {
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<SecretId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sign_in: Option<SignIn>,
}

/// A model as one provider offers it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Model {
    /// The name that the provider wants; empty: the name in the pool.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub upstream_name: String,
    /// Other names under which clients and rules may ask for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
    /// The formats in which it can be asked; empty: in each of its provider's.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub formats: BTreeSet<AnyFormat>,
    /// The most output tokens that the model gives; for formats that must name a limit. Unknown when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_output_tokens: Option<u64>,
    /// What the model can take, where that is known.
    #[serde(default, skip_serializing_if = "is_default")]
    pub capabilities: Capabilities,
    /// What its tokens cost; absent: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
}

/// A provider that answers without a network, with faults on request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Simulated {
    /// Wait before the answer begins. Default none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency: Option<Millis>,
    /// How many of a million attempts fail with `error`. Default 0.
    #[serde(default, skip_serializing_if = "is_default")]
    pub error_per_million: u32,
    /// What a failing attempt fails with.
    #[serde(default, skip_serializing_if = "is_default")]
    pub error: SimulatedError,
    /// Breaks each stream after so many content events; 0 never does.
    #[serde(default, skip_serializing_if = "is_default")]
    pub cut_after_events: u32,
    /// The text of the answer.
    pub text: String,
}

/// The fault of a simulated provider.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SimulatedError {
    /// 503.
    #[default]
    Overloaded,
    /// 429 with `Retry-After: 1`.
    RateLimited,
    /// 500.
    ServerError,
    /// The connection is refused.
    ConnectFailure,
    /// No answer until the attempt's time is over.
    Timeout,
}

fn one() -> u32 {
    1
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn is_one(value: &u32) -> bool {
    *value == 1
}

// === impl Credential ===

impl TryFrom<Written> for Credential {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let sign_in = match (written.secret, written.sign_in) {
            (Some(secret), None) => SignIn::Key(secret),
            (None, Some(sign_in)) => sign_in,
            _ => return Err("a credential has either secret or signIn"),
        };
        Ok(Self {
            name: written.name,
            sign_in,
        })
    }
}

impl From<Credential> for Written {
    fn from(credential: Credential) -> Self {
        let (secret, sign_in) = match credential.sign_in {
            SignIn::Key(secret) => (Some(secret), None),
            other => (None, Some(other)),
        };
        Self {
            name: credential.name,
            secret,
            sign_in,
        }
    }
}

// === impl Model ===

impl Model {
    /// The name to send, for a model that the pool knows as `name`.
    pub fn upstream_name<'a>(&'a self, name: &'a str) -> &'a str {
        if self.upstream_name.is_empty() {
            name
        } else {
            &self.upstream_name
        }
    }
}

// === impl HttpConnection ===

impl HttpConnection {
    /// The formats that the provider speaks, the one that it leads with first.
    pub fn formats(&self) -> impl Iterator<Item = AnyFormat> {
        let chats = self.conversations().map(|one| AnyFormat::Chat(one.format));
        let vectors = self
            .embeddings
            .iter()
            .map(|one| AnyFormat::Embeddings(one.format));
        let ranks = self.ranks.iter().map(|one| AnyFormat::Rerank(one.format));
        let relays = self.relays.iter();
        let relays = relays.map(|one| AnyFormat::Relayed(one.format));
        chats.chain(vectors).chain(ranks).chain(relays)
    }

    /// How it converses, in the order in which that is chosen.
    pub fn conversations(&self) -> impl Iterator<Item = &Dialect> {
        self.dialect.iter().chain(&self.beside)
    }

    /// How keys are shown.
    pub fn auth(&self) -> Auth {
        self.dialect
            .as_ref()
            .map_or(Auth::Bearer, |dialect| dialect.auth)
    }
}

// === impl Provider ===

impl Provider {
    /// The model that this provider offers under `name`, which may be an alias, with its name in the pool.
    pub fn offers(&self, name: &str) -> Option<(&str, &Model)> {
        if let Some((name, model)) = self.models.get_key_value(name) {
            return Some((name, model));
        }
        self.models
            .iter()
            .find(|(_, model)| model.aliases.iter().any(|alias| alias == name))
            .map(|(name, model)| (name.as_str(), model))
    }
}
