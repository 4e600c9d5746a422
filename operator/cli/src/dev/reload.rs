//! Reads the folder and brings what is served in line with it, or says why not.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use fkm_compile::ObjectName;
use fkm_sidecar::store::Store;
use fkm_snapshot::{SecretId, Secrets};
use secrecy::SecretString;

use super::build::{self, Build};
use super::changes::{self, State};
use super::found::Found;
use super::settings::{Pod, Settings};
use crate::manifests::{Manifests, Options, ReadError};

/// What was read, what is served, and what was said.
#[derive(Debug)]
pub(super) struct Reloader {
    folder: PathBuf,
    options: Options,
    pod: Option<Pod>,
    /// Keys that are not in the folder.
    given: BTreeMap<SecretId, SecretString>,
    store: Arc<Store>,
    state: State,
    served: Option<Served>,
    /// What was wrong at the last reading, so that nothing is told twice.
    found: Vec<Found>,
    /// How often the keys were other ones.
    keys_version: u64,
}

#[derive(Debug)]
struct Served {
    payload: Vec<u8>,
    keys: BTreeMap<SecretId, SecretString>,
}

// === impl Reloader ===

impl Reloader {
    pub(super) fn new(settings: &Settings, store: Arc<Store>) -> Self {
        let options = Options {
            namespace: settings.namespace.clone(),
            assume_secrets: false,
        };
        Self {
            folder: settings.folder.clone(),
            pod: settings.pod.clone(),
            given: settings.secrets.clone(),
            store,
            state: State::empty(options.clone()),
            options,
            served: None,
            found: Vec::new(),
            keys_version: 0,
        }
    }

    /// Reads everything again. Blocks for as long as that takes.
    pub(super) fn reload(&mut self) {
        match self.read() {
            Ok(state) => self.take(state),
            Err(found) => {
                self.tell(found);
                if self.served.is_none() {
                    tracing::warn!("nothing is served until the folder can be read");
                }
            }
        }
    }

    fn read(&self) -> Result<State, Vec<Found>> {
        let manifests = Manifests::read(std::slice::from_ref(&self.folder), self.options.clone());
        let mut manifests = match manifests {
            // the last file was deleted
            Err(ReadError::Empty { .. }) => Manifests::new(self.options.clone()),
            other => other.map_err(|error| vec![Found::unreadable(&error)])?,
        };
        let unreadable = build::unreadable(&manifests);
        if !unreadable.is_empty() {
            return Err(unreadable);
        }
        for (id, value) in &self.given {
            let mut parts = id.0.splitn(3, '/').map(str::to_owned);
            let mut part = || parts.next().expect("checked when it was read");
            let secret = ObjectName::new(part(), part());
            manifests.add_secret(secret, part(), value.clone());
        }
        Ok(State {
            objects: self.state.objects.updated(&manifests),
            manifests,
        })
    }

    fn take(&mut self, mut state: State) {
        let build = build::build(&mut state, self.pod.as_ref());
        let changed = changes::between(&self.state, &state);
        self.state = state;
        let was_wrong = !self.found.is_empty();
        self.tell(build.found.clone());
        let keys = self.keys(&build.secrets);
        let same = self.served.as_ref().is_some_and(|served| {
            served.payload == build.payload && changes::same_keys(&served.keys, &keys)
        });
        match same {
            false => self.apply(build, keys, &changed),
            true if was_wrong && self.found.is_empty() => {
                tracing::info!("nothing is wrong any more; what is served did not change");
            }
            true => tracing::debug!(changed, "read again; what is served did not change"),
        }
    }

    /// Tells what is wrong, unless it was told before.
    fn tell(&mut self, found: Vec<Found>) {
        if self.found != found {
            found.iter().for_each(Found::log);
            self.found = found;
        }
    }

    /// The values of the keys that are needed; all of them were there when it was compiled.
    fn keys(&self, needed: &BTreeSet<SecretId>) -> BTreeMap<SecretId, SecretString> {
        let mut keys = self.state.manifests.secret_values();
        keys.retain(|id, _| needed.contains(id));
        keys
    }

    fn apply(&mut self, build: Build, keys: BTreeMap<SecretId, SecretString>, changed: &str) {
        let before = self.served.as_ref().map(|served| &served.keys);
        if before.is_none_or(|before| !changes::same_keys(before, &keys)) {
            self.keys_version += 1;
        }
        let secrets = Secrets {
            version: match keys.is_empty() {
                true => String::new(),
                false => self.keys_version.to_string(),
            },
            entries: keys,
        };
        // what it refuses, the store tells itself
        let Ok(hash) = self.store.apply(&build.payload, &secrets) else {
            return;
        };
        let unselected = self.state.objects.unselected(self.pod.as_ref());
        let unselected: Vec<String> = unselected.into_iter().map(ToString::to_string).collect();
        tracing::info!(
            hash = hash.short(),
            rules = build.rules,
            changed,
            not_for_this_pod = (!unselected.is_empty()).then(|| unselected.join(", ")),
            "change applied"
        );
        if build.rules == 0 {
            tracing::warn!(
                "there is no rule: every call is answered with 404 until DIR has an LLMRoute for this pod"
            );
        }
        self.served = Some(Served {
            payload: build.payload,
            keys: secrets.entries,
        });
    }
}
