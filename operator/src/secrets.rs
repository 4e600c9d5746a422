//! The values of referenced Secrets: read by name, held in memory, followed through the metadata watch.
//!
//! *Guarantees*: only Secrets that a pool references are read; a rotation or deletion is seen through the watch and
//! read at once; only the API server's own answer makes a Secret count as missing, never a watch that lags behind; an API
//! server that fails for a moment never makes a key disappear, and one that fails for long holds up nobody for ever.
//!
//! *Caveats*: the end of a value is trimmed of white space (a line feed sneaks in easily and no key ends with one);
//! what is then empty, or no text, counts as not there.

mod plan;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use fkm_compile::Form;
use futures_util::{StreamExt, stream};
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::Store;
use kube::{Api, Client, ResourceExt};
use parking_lot::RwLock;
use secrecy::SecretString;
use thiserror::Error;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::{debug, warn};

use self::plan::{Failure, Retries};
use crate::metrics::SecretMetrics;
use crate::object::{ObjectName, name_of};
use crate::watch::Changes;

/// How long one read may take.
const READ_TIMEOUT: Duration = Duration::from_secs(5);
/// Reads at one time.
const CONCURRENCY: usize = 8;

/// Which content of a Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretVersion {
    /// Another after it was deleted and made again.
    pub uid: String,
    /// Another after every change.
    pub resource_version: String,
}

/// The usable keys of one Secret. `Debug` hides the values.
#[derive(Clone, Debug)]
pub struct SecretValues {
    /// The version that was read.
    pub version: SecretVersion,
    /// By the Secret's own keys.
    pub entries: BTreeMap<String, SecretString>,
}

/// What is known of one referenced Secret.
#[derive(Clone, Debug)]
pub enum SecretState {
    /// It was read, when the watch knew it as `asked`.
    Held {
        /// The version that the watch had told; none: it had told none yet.
        asked: Option<SecretVersion>,
        /// What was read.
        values: Arc<SecretValues>,
    },
    /// It does not exist.
    Missing {
        /// The version that the watch still told when the read found nothing.
        asked: Option<SecretVersion>,
    },
    /// The API server has not given it to us for a while; tried again all the time.
    Refused {
        /// For a person.
        why: String,
    },
}

/// What is known of the referenced Secrets; one that is not there yet is still being read.
pub type SecretStates = BTreeMap<ObjectName, SecretState>;

/// A handle to the values, and the reader that keeps them.
#[derive(Clone)]
pub struct SecretReader {
    client: Client,
    metadata: Vec<Store<PartialObjectMeta<Secret>>>,
    wanted: watch::Sender<BTreeSet<ObjectName>>,
    states: Arc<RwLock<SecretStates>>,
    changes: Changes,
    metrics: SecretMetrics,
}

/// Why a Secret was not read.
#[derive(Debug, Error)]
enum ReadError {
    #[error("the API server did not answer within {READ_TIMEOUT:?}")]
    Timeout,
    #[error(
        "the API server did not give the Secret; maybe the Role of this namespace is not applied"
    )]
    Api(#[source] kube::Error),
}

// === impl SecretReader ===

impl SecretReader {
    /// Reads nothing before [`run`](Self::run).
    pub fn new(
        client: Client,
        metadata: Vec<Store<PartialObjectMeta<Secret>>>,
        changes: Changes,
        metrics: SecretMetrics,
    ) -> Self {
        Self {
            client,
            metadata,
            wanted: watch::Sender::default(),
            states: Arc::default(),
            changes,
            metrics,
        }
    }

    /// Says which Secrets are referenced from now on; the others are forgotten.
    pub fn want(&self, wanted: BTreeSet<ObjectName>) {
        self.wanted.send_if_modified(|current| {
            let modified = *current != wanted;
            *current = wanted;
            modified
        });
    }

    /// What is known now.
    pub fn states(&self) -> SecretStates {
        self.states.read().clone()
    }

    /// Reads what is wanted and follows it, for ever. Nothing may be wanted before the metadata stores are synced.
    pub async fn run(self) {
        let mut wanted = self.wanted.subscribe();
        let mut changes = self.changes.subscribe();
        let mut retries = Retries::default();
        loop {
            let set = wanted.borrow_and_update().clone();
            let again = self.pass(&set, &mut retries).await;
            tokio::select! {
                Ok(()) = wanted.changed() => {}
                Ok(()) = changes.changed() => {}
                () = sleep_until(again.unwrap_or_else(Instant::now)), if again.is_some() => {}
            }
        }
    }

    /// Brings the values up to date; gives when something must be tried again.
    async fn pass(&self, wanted: &BTreeSet<ObjectName>, retries: &mut Retries) -> Option<Instant> {
        let mut plan = plan::plan(wanted, &self.known(), &self.states.read());
        retries.put_off_at(Instant::now(), &mut plan);
        let mut changed = !plan.missing.is_empty();
        {
            let mut states = self.states.write();
            states.retain(|name, _| !plan.forget.contains(name));
            states.extend(
                plan.missing
                    .into_iter()
                    .map(|name| (name, SecretState::Missing { asked: None })),
            );
        }
        let mut reads = stream::iter(plan.read)
            .map(async |(name, asked)| (self.read(&name).await, name, asked))
            .buffer_unordered(CONCURRENCY);
        while let Some((read, name, asked)) = reads.next().await {
            self.metrics.read(read.is_ok());
            changed |= self.keep(name, asked, read, retries);
        }
        drop(reads);
        if changed {
            self.changes.notify();
        }
        let mut rest = plan::plan(wanted, &self.known(), &self.states.read());
        retries.put_off_at(Instant::now(), &mut rest)
    }

    /// Reads one Secret; `None`: it is not there.
    async fn read(&self, name: &ObjectName) -> Result<Option<SecretValues>, ReadError> {
        debug!(secret = %name, "reading secret");
        let api: Api<Secret> = Api::namespaced(self.client.clone(), &name.namespace);
        match timeout(READ_TIMEOUT, api.get_opt(&name.name)).await {
            Ok(Ok(secret)) => Ok(secret.map(|secret| values(name, secret))),
            Ok(Err(error)) => Err(ReadError::Api(error)),
            Err(_) => Err(ReadError::Timeout),
        }
    }

    /// Takes in the answer to a read; `true`: something is new. What was held stays when a read fails.
    fn keep(
        &self,
        name: ObjectName,
        asked: Option<SecretVersion>,
        read: Result<Option<SecretValues>, ReadError>,
        retries: &mut Retries,
    ) -> bool {
        let now = Instant::now();
        let mut states = self.states.write();
        let before = states.get(&name);
        let state = match read {
            Ok(Some(values)) => {
                retries.answered_at(now, &name, asked.is_some());
                SecretState::Held {
                    asked,
                    values: Arc::new(values),
                }
            }
            // Deleted meanwhile, if the watch knows it; it will say so.
            Ok(None) => {
                retries.answered_at(now, &name, true);
                SecretState::Missing { asked }
            }
            Err(error) => {
                let lasts = retries.failed_at(now, &name, error.failure());
                let text = &error as &dyn std::error::Error;
                if let Some(SecretState::Refused { .. }) = before {
                    debug!(secret = %name, error = text, "secret still not read");
                } else {
                    warn!(secret = %name, error = text, "secret not read; trying again");
                }
                if !lasts || before.is_some() {
                    return false;
                }
                SecretState::Refused { why: error.why() }
            }
        };
        let is_new = before.is_none_or(|before| !before.is_same(&state));
        states.insert(name, state);
        is_new
    }

    fn known(&self) -> BTreeMap<ObjectName, SecretVersion> {
        let all = self.metadata.iter().flat_map(Store::state);
        all.map(|secret| (name_of(&*secret), SecretVersion::of(&*secret)))
            .collect()
    }
}

impl std::fmt::Debug for SecretReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretReader")
            .field("states", &self.states)
            .finish_non_exhaustive()
    }
}

// === impl ReadError ===

impl ReadError {
    fn failure(&self) -> Failure {
        match self {
            Self::Api(kube::Error::Api(status)) if status.code == 403 => Failure::Forbidden,
            Self::Api(_) | Self::Timeout => Failure::Other,
        }
    }

    /// For a person: what the API server said, if it said something.
    fn why(&self) -> String {
        match self {
            Self::Api(kube::Error::Api(status)) => status.message.clone(),
            Self::Api(error) => error.to_string(),
            Self::Timeout => self.to_string(),
        }
    }
}

// === impl SecretState ===

impl SecretState {
    /// Whether nobody who reads it could tell the difference.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Held { values: one, .. }, Self::Held { values: other, .. }) => {
                one.version == other.version
            }
            (Self::Missing { .. }, Self::Missing { .. }) => true,
            (Self::Refused { why: one }, Self::Refused { why: other }) => one == other,
            _ => false,
        }
    }

    /// Whether nothing new can be read while the watch knows the Secret as `known`.
    fn answers(&self, known: &SecretVersion) -> bool {
        match self {
            Self::Held { asked, values } => {
                asked.as_ref() == Some(known) || values.version == *known
            }
            Self::Missing { asked } => asked.as_ref() == Some(known),
            Self::Refused { .. } => false,
        }
    }

    /// The usable values, if it was read.
    pub fn values(&self) -> Option<&SecretValues> {
        match self {
            Self::Held { values, .. } => Some(values),
            Self::Missing { .. } | Self::Refused { .. } => None,
        }
    }
}

// === impl SecretVersion ===

impl SecretVersion {
    fn of(object: &impl ResourceExt) -> Self {
        Self {
            uid: object.uid().unwrap_or_default(),
            resource_version: object.resource_version().unwrap_or_default(),
        }
    }
}

/// The usable entries of a Secret.
fn values(name: &ObjectName, secret: Secret) -> SecretValues {
    let version = SecretVersion::of(&secret);
    let mut entries = BTreeMap::new();
    for (key, ByteString(bytes)) in secret.data.unwrap_or_default() {
        match usable(bytes) {
            Some(value) => _ = entries.insert(key, value),
            None => debug!(secret = %name, key, "entry is empty or no text"),
        }
    }
    SecretValues { version, entries }
}

/// The value without trailing white space, if it is of a [`Form`].
fn usable(bytes: Vec<u8>) -> Option<SecretString> {
    let mut text = String::from_utf8(bytes).ok()?;
    text.truncate(text.trim_end().len());
    Form::of(&text).map(|_| SecretString::from(text))
}

#[cfg(test)]
mod tests;
