//! What is to be sent next: pure, from what the sidecar holds and what it should have.
//!
//! *Guarantees*: nothing is sent that the sidecar holds already, and no snapshot whose hash it refused, until it took
//! another; a snapshot that it keeps instead gets its own keys, as far as the pod may still have them, and never those
//! of the refused one in their place.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use fkm_push::{Ack, Hello, Nack};
use fkm_snapshot::{PodContext, SecretId, Secrets, SnapshotHash};
use secrecy::ExposeSecret;

use crate::assignment::Assignment;

/// What a sidecar has in use and what it will not take, as far as this stream knows.
#[derive(Clone, Debug)]
pub(super) struct Holding {
    context: Option<PodContext>,
    hash: Option<SnapshotHash>,
    secrets_version: String,
    /// The keys of the snapshot in use, when it was taken, or found in use, on this stream.
    own: Option<Own>,
    refused_hash: Option<SnapshotHash>,
    refused_secrets: Option<String>,
}

/// A snapshot and its keys.
#[derive(Clone, Debug)]
struct Own {
    hash: SnapshotHash,
    /// All that it needs, and nothing else.
    needed: BTreeSet<SecretId>,
    /// With the values that the sidecar has.
    secrets: Arc<Secrets>,
}

/// The messages to send, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) context: bool,
    pub(super) secrets: bool,
    pub(super) snapshot: bool,
}

/// What a sidecar has in use after it took a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) hash: SnapshotHash,
    pub(super) secrets_version: String,
}

// === impl Holding ===

impl Holding {
    pub(super) fn new(hello: &Hello) -> Self {
        Self {
            context: None,
            hash: hello.applied_hash,
            secrets_version: hello.applied_secrets_version.clone(),
            own: None,
            refused_hash: None,
            refused_secrets: None,
        }
    }

    /// What is missing.
    pub(super) fn plan(&self, wanted: &Assignment) -> Plan {
        let snapshot = self.hash != Some(wanted.snapshot.hash)
            && self.refused_hash != Some(wanted.snapshot.hash);
        // A snapshot that the sidecar keeps in spite of a newer one still gets rotated keys.
        let secrets = match snapshot || self.hash == Some(wanted.snapshot.hash) {
            true => Some(Arc::clone(&wanted.secrets)),
            false => self.keys_of_kept(wanted),
        };
        let is_new = |keys: &Arc<Secrets>| {
            let refused = self.refused_secrets.as_ref() == Some(&keys.version);
            keys.version != self.secrets_version && (snapshot || !refused)
        };
        Plan {
            context: self.context.as_ref() != Some(&wanted.context),
            secrets: secrets.as_ref().is_some_and(is_new),
            snapshot,
        }
    }

    /// The keys that go with a plan.
    pub(super) fn keys(&self, plan: Plan, wanted: &Assignment) -> Arc<Secrets> {
        let kept = !plan.snapshot && self.hash != Some(wanted.snapshot.hash);
        let keys = kept.then(|| self.keys_of_kept(wanted)).flatten();
        keys.unwrap_or_else(|| Arc::clone(&wanted.secrets))
    }

    /// Keys for the snapshot that the sidecar keeps although another is wanted: values of what the pod may have now, and
    /// for what it may not have, or does not need, any more the value that the sidecar has anyway. `None`: none is newer.
    fn keys_of_kept(&self, wanted: &Assignment) -> Option<Arc<Secrets>> {
        let kept = self.hash?;
        let Some(own) = self.own.as_ref().filter(|own| own.hash == kept) else {
            // What it needs is not known here; it refuses what does not hold it all, and loses nothing by that.
            return Some(Arc::clone(&wanted.secrets));
        };
        let now = &wanted.secrets.entries;
        if own.needed.iter().all(|id| now.contains_key(id)) {
            return Some(Arc::clone(&wanted.secrets));
        }
        let mut entries = BTreeMap::new();
        let mut rotated = false;
        for id in &own.needed {
            let had = own.secrets.entries.get(id)?;
            let value = now.get(id).unwrap_or(had);
            rotated |= value.expose_secret() != had.expose_secret();
            entries.insert(id.clone(), value.clone());
        }
        let versions = format!("{kept} {} {}", own.secrets.version, wanted.secrets.version);
        let version = SnapshotHash::of(versions.as_bytes()).to_string();
        rotated.then(|| Arc::new(Secrets { version, entries }))
    }

    /// Whether it is all in use.
    pub(super) fn has(&self, wanted: &Assignment) -> bool {
        self.hash == Some(wanted.snapshot.hash) && self.secrets_version == wanted.secrets.version
    }

    /// What an Ack of this plan says. None: the plan has nothing that is answered.
    pub(super) fn expected(&self, plan: Plan, wanted: &Assignment) -> Option<Expected> {
        let hash = match (plan.snapshot, plan.secrets) {
            (true, _) => wanted.snapshot.hash,
            (false, true) => self.hash?,
            (false, false) => return None,
        };
        let secrets_version = match plan.secrets {
            true => self.keys(plan, wanted).version.clone(),
            false => self.secrets_version.clone(),
        };
        Some(Expected {
            hash,
            secrets_version,
        })
    }

    pub(super) fn sent_context(&mut self, context: &PodContext) {
        self.context = Some(context.clone());
    }

    /// All of this is in use.
    pub(super) fn keep(&mut self, wanted: &Assignment) {
        self.own = Some(Own {
            hash: wanted.snapshot.hash,
            needed: wanted.secrets.entries.keys().cloned().collect(),
            secrets: Arc::clone(&wanted.secrets),
        });
    }

    /// These keys, if the plan had some, were taken with the rest.
    pub(super) fn acked(&mut self, plan: Plan, ack: Ack, secrets: &Arc<Secrets>) {
        self.hash = Some(ack.hash);
        self.secrets_version = ack.secrets_version;
        self.refused_secrets = None;
        if plan.snapshot {
            self.refused_hash = None;
        }
        if let Some(own) = self.own.as_mut().filter(|own| own.hash == ack.hash) {
            own.secrets = Arc::clone(secrets);
        }
    }

    pub(super) fn nacked(&mut self, plan: Plan, expected: Expected, nack: &Nack) {
        self.hash = nack.kept_hash;
        self.secrets_version.clone_from(&nack.kept_secrets_version);
        let kept = |own: &Own| {
            nack.kept_hash == Some(own.hash) && nack.kept_secrets_version == own.secrets.version
        };
        self.own = self.own.take().filter(kept);
        self.refuse(plan, expected);
    }

    /// This delivery is not to be tried again.
    pub(super) fn refuse(&mut self, plan: Plan, expected: Expected) {
        if plan.snapshot {
            self.refused_hash = Some(expected.hash);
        } else {
            self.refused_secrets = Some(expected.secrets_version);
        }
    }
}

// === impl Plan ===

impl Plan {
    pub(super) fn is_empty(self) -> bool {
        !(self.context || self.secrets || self.snapshot)
    }
}

#[cfg(test)]
mod tests;
