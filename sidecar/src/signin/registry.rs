//! The credentials with a life, kept across snapshots for as long as some snapshot uses them: a change of a route costs no
//! token.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use fkm_snapshot::{HttpConnection, Secrets, SignIn};
use parking_lot::Mutex;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::ambient::Ambient;
use super::live::{Called, Live, Shows};
use super::metadata::Metadata;
use super::source::Source;
use crate::metrics::{CredentialLabels, SignInMetrics};
use crate::task::Tasks;

/// What makes two credentials the same: a hash of all that they are made of, the values of their secrets included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LiveKey([u8; 32]);

/// All credentials with a life of the process.
#[derive(Debug)]
pub(crate) struct SignIns {
    pub(crate) ambient: Ambient,
    pub(crate) metadata: Metadata,
    metrics: SignInMetrics,
    tasks: Tasks,
    live: Mutex<HashMap<LiveKey, Arc<Live>>>,
}

// === impl LiveKey ===

impl LiveKey {
    /// `name`: what logs call it, which must not differ between those that share it. `http`: how token servers are reached.
    pub(crate) fn new(
        name: &str,
        http: &HttpConnection,
        sign_in: &SignIn,
        secrets: &SignIn<SecretString>,
        delivered: &Secrets,
    ) -> Self {
        let described = format!("{sign_in:?}");
        let reached = HttpConnection {
            credentials: Vec::new(),
            ..http.clone()
        };
        let reached = format!("{reached:?}");
        // Those of its connections too: another password for the proxy is another way to the token server.
        let network = http.network.secrets();
        let network = network.filter_map(|id| delivered.entries.get(id));
        let secrets = secrets.secrets().into_iter().chain(network);
        let mut hash = Sha256::new();
        for part in [name, &described, &reached]
            .into_iter()
            .chain(secrets.map(ExposeSecret::expose_secret))
        {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }
}

// === impl SignIns ===

impl SignIns {
    pub(crate) fn new(ambient: Ambient, metrics: SignInMetrics, tasks: Tasks) -> Self {
        Self {
            ambient,
            metadata: Metadata::new(),
            metrics,
            tasks,
            live: Mutex::default(),
        }
    }

    /// The one that is used already.
    pub(crate) fn known(&self, key: &LiveKey) -> Option<Arc<Live>> {
        self.live.lock().get(key).cloned()
    }

    /// A new one. Known to others only after [`SignIns::keep`].
    pub(crate) fn open(&self, called: Called, source: Source, shows: Shows) -> Arc<Live> {
        let source = Arc::new(source);
        let fetch = Box::new(move |clock| {
            let source = source.clone();
            let fetched: std::pin::Pin<Box<_>> = Box::pin(async move { source.fetch(clock).await });
            fetched as _
        });
        Arc::new(Live::new(
            called,
            fetch,
            shows,
            self.metrics.clone(),
            self.tasks.clone(),
        ))
    }

    /// Keeps exactly these; exchanges that still hold another one finish on it.
    pub(crate) fn keep(&self, used: HashMap<LiveKey, Arc<Live>>) {
        let mut live = self.live.lock();
        let before = std::mem::replace(&mut *live, used);
        let names: HashSet<&CredentialLabels> = live.values().map(|one| one.labels()).collect();
        for labels in before.values().map(|one| one.labels()) {
            if !names.contains(labels) {
                self.metrics.gone(labels);
            }
        }
    }
}
