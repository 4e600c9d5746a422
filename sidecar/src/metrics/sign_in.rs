//! What is counted of signing in: how often token servers were asked, with which outcome, and until when a credential is good.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};

/// Metrics of credentials whose tokens have a life.
#[derive(Clone, Debug, Default)]
pub(crate) struct SignInMetrics {
    fetches: Family<FetchLabels, Counter>,
    expiry: Family<CredentialLabels, Gauge<f64, AtomicU64>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FetchLabels {
    kind: &'static str,
    outcome: &'static str,
}

/// Which credential.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct CredentialLabels {
    /// Its name in the pool.
    pub(crate) credential: Arc<str>,
    /// Host and port of the provider.
    pub(crate) host: Arc<str>,
}

// === impl SignInMetrics ===

impl SignInMetrics {
    pub(super) fn add_to(&self, r: &mut Registry) {
        r.register(
            "token_fetches",
            "Tokens and keys that were asked for, by kind of credential and outcome",
            self.fetches.clone(),
        );
        r.register_with_unit(
            "token_expiry_timestamp",
            "Unix time at which the newest token of a credential ends",
            Unit::Seconds,
            self.expiry.clone(),
        );
    }

    /// Counts one that was asked for.
    pub(crate) fn fetched(&self, kind: &'static str, outcome: &'static str) {
        let labels = FetchLabels { kind, outcome };
        self.fetches.get_or_create(&labels).inc();
    }

    /// A credential holds a token that lasts so long from now on; `None`: for ever, which has no time.
    pub(crate) fn holds(&self, labels: &CredentialLabels, lifetime: Option<Duration>) {
        let ends = lifetime.and_then(|lifetime| SystemTime::now().checked_add(lifetime));
        match ends.and_then(|ends| ends.duration_since(UNIX_EPOCH).ok()) {
            Some(ends) => {
                self.expiry.get_or_create(labels).set(ends.as_secs_f64());
            }
            None => {
                self.expiry.remove(labels);
            }
        }
    }

    /// Nobody uses the credential any more.
    pub(crate) fn gone(&self, labels: &CredentialLabels) {
        self.expiry.remove(labels);
    }
}
