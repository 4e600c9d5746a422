//! What the sidecar counts. What every answer counts is looked up once a snapshot, so the request path hashes no text for it.

mod kept;
mod offer;
mod outcome;
mod sign_in;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

pub(crate) use self::kept::Direction;
use self::kept::KeptLabels;
pub(crate) use self::offer::OfferMetrics;
use self::offer::{ModelLabels, TokenLabels};
pub(crate) use self::outcome::{AttemptOutcome, Outcome};
pub(crate) use self::sign_in::{CredentialLabels, SignInMetrics};
use crate::error::Reason;

/// Buckets of the GenAI conventions for durations, in seconds.
const SECONDS: [f64; 14] = [
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];

/// All metrics of the process.
#[derive(Clone, Debug)]
pub(crate) struct Metrics {
    requests: Family<RequestLabels, Counter>,
    duration: Family<RuleLabels, Histogram, fn() -> Histogram>,
    first_content: Family<RuleLabels, Histogram, fn() -> Histogram>,
    tokens: Family<TokenLabels, Counter>,
    estimated_tokens: Family<TokenLabels, Counter>,
    cost: Family<ModelLabels, Counter>,
    unpriced: Family<ModelLabels, Counter>,
    images: Family<ModelLabels, Counter>,
    transcribed: Family<ModelLabels, Counter<f64, AtomicU64>>,
    attempts: Family<AttemptLabels, Counter>,
    media: Family<MediaLabels, Counter>,
    media_bytes: Counter,
    /// Of credentials whose tokens have a life.
    pub(crate) sign_ins: SignInMetrics,
    /// Requests to count tokens that were answered by an estimate.
    pub(crate) counts_estimated: Counter,
    kept: Family<KeptLabels, Counter>,
    /// Exchanges that have begun and not ended.
    pub(crate) in_flight: Gauge,
    /// Request body bytes in memory.
    pub(crate) body_bytes: Gauge,
    /// Open connections of clients.
    pub(crate) connections: Gauge,
    /// Snapshots that were taken, refused; and the time of the last one.
    pub(crate) snapshots_applied: Counter,
    pub(crate) snapshots_rejected: Counter,
    pub(crate) snapshot_applied_at: Gauge<f64, AtomicU64>,
    /// Compressed snapshot bytes that an operator sent.
    pub(crate) snapshot_bytes_received: Counter,
    /// 1 while the operator's stream is open.
    pub(crate) push_connected: Gauge,
}

/// The handles of one rule.
#[derive(Clone, Debug)]
pub(crate) struct RuleMetrics {
    duration: Histogram,
    first_content: Histogram,
    labels: RuleLabels,
    /// Of its requests, those with complete answers; from the first one on.
    complete: OnceLock<Counter>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RuleLabels {
    route: Arc<str>,
    rule: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: Arc<str>,
    rule: Arc<str>,
    outcome: Outcome,
}

/// Which attempt.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct AttemptLabels {
    pub(crate) backend: Arc<str>,
    pub(crate) provider: Arc<str>,
    /// Empty where no key is sent.
    pub(crate) credential: Arc<str>,
    pub(crate) model: Arc<str>,
    pub(crate) outcome: AttemptOutcome,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MediaLabels {
    outcome: &'static str,
}

// === impl Metrics ===

impl Metrics {
    /// Creates and registers all metrics.
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            requests: Family::default(),
            duration: Family::new_with_constructor(seconds),
            first_content: Family::new_with_constructor(seconds),
            tokens: Family::default(),
            estimated_tokens: Family::default(),
            cost: Family::default(),
            unpriced: Family::default(),
            images: Family::default(),
            transcribed: Family::default(),
            attempts: Family::default(),
            media: Family::default(),
            media_bytes: Counter::default(),
            sign_ins: SignInMetrics::default(),
            counts_estimated: Counter::default(),
            kept: Family::default(),
            in_flight: Gauge::default(),
            body_bytes: Gauge::default(),
            connections: Gauge::default(),
            snapshots_applied: Counter::default(),
            snapshots_rejected: Counter::default(),
            snapshot_applied_at: Gauge::default(),
            snapshot_bytes_received: Counter::default(),
            push_connected: Gauge::default(),
        };
        let registry = registry.sub_registry_with_prefix("fkm");
        metrics.add_traffic_to(registry);
        metrics.add_measures_to(registry);
        metrics.add_snapshots_to(registry);
        metrics.sign_ins.add_to(registry);
        metrics
    }

    fn add_traffic_to(&self, r: &mut Registry) {
        r.register(
            "requests",
            "Exchanges that ended, by rule and outcome",
            self.requests.clone(),
        );
        r.register_with_unit(
            "request_duration",
            "Whole exchanges",
            Unit::Seconds,
            self.duration.clone(),
        );
        r.register_with_unit(
            "first_content",
            "Until the first content",
            Unit::Seconds,
            self.first_content.clone(),
        );
        r.register(
            "tokens",
            "Tokens of answers, as their providers counted them; where they did not, estimated",
            self.tokens.clone(),
        );
        r.register(
            "estimated_tokens",
            "Of the tokens: those that were estimated, as the answer ended before its provider counted",
            self.estimated_tokens.clone(),
        );
        r.register(
            "cost_nano_usd",
            "What the tokens of answers cost, in billionths of a US dollar",
            self.cost.clone(),
        );
        r.register(
            "answers_unpriced",
            "Answers whose tokens are known and their cost is not",
            self.unpriced.clone(),
        );
        r.register(
            "attempts",
            "Attempts that ended, by provider and outcome",
            self.attempts.clone(),
        );
        r.register_with_unit(
            "kept",
            "Bytes of files, batches and kept answers that went up to a provider or down from it",
            Unit::Bytes,
            self.kept.clone(),
        );
        r.register(
            "media_fetches",
            "Images and documents that were asked of their hosts, by outcome",
            self.media.clone(),
        );
        r.register_with_unit(
            "media_fetched",
            "What their hosts sent and requests got",
            Unit::Bytes,
            self.media_bytes.clone(),
        );
        r.register(
            "counts_estimated",
            "Requests to count tokens that were answered by an estimate",
            self.counts_estimated.clone(),
        );
        r.register(
            "requests_in_flight",
            "Exchanges that have begun and not ended",
            self.in_flight.clone(),
        );
        r.register_with_unit(
            "request_bodies",
            "Request bodies in memory",
            Unit::Bytes,
            self.body_bytes.clone(),
        );
        r.register(
            "client_connections",
            "Open connections of clients",
            self.connections.clone(),
        );
    }

    /// What is counted beside tokens.
    fn add_measures_to(&self, r: &mut Registry) {
        r.register("images", "Pictures in answers", self.images.clone());
        r.register_with_unit(
            "transcribed",
            "Sound that was transcribed or translated, as providers told its length",
            Unit::Seconds,
            self.transcribed.clone(),
        );
    }

    fn add_snapshots_to(&self, r: &mut Registry) {
        r.register(
            "snapshots_applied",
            "Snapshots taken",
            self.snapshots_applied.clone(),
        );
        r.register(
            "snapshots_rejected",
            "Snapshots refused",
            self.snapshots_rejected.clone(),
        );
        let help = "Unix time at which the current snapshot was applied";
        r.register_with_unit(
            "snapshot_applied_timestamp",
            help,
            Unit::Seconds,
            self.snapshot_applied_at.clone(),
        );
        let help = "Compressed snapshot bytes received from the operator";
        r.register_with_unit(
            "snapshot_received",
            help,
            Unit::Bytes,
            self.snapshot_bytes_received.clone(),
        );
        r.register(
            "push_connected",
            "1 while the operator's stream is open",
            self.push_connected.clone(),
        );
    }

    /// The handles of one rule.
    pub(crate) fn rule(&self, route: &str, rule: &str) -> RuleMetrics {
        let labels = RuleLabels {
            route: route.into(),
            rule: rule.into(),
        };
        RuleMetrics {
            duration: self.duration.get_or_create(&labels).clone(),
            first_content: self.first_content.get_or_create(&labels).clone(),
            labels,
            complete: OnceLock::new(),
        }
    }

    /// Counts an exchange that met no rule.
    pub(crate) fn unrouted(&self, reason: Reason) {
        let none: Arc<str> = Arc::from("");
        let outcome = Outcome::Failed(reason);
        self.requests
            .get_or_create(&RequestLabels {
                route: none.clone(),
                rule: none,
                outcome,
            })
            .inc();
    }

    /// Counts an exchange that ended.
    pub(crate) fn ended(
        &self,
        rule: &RuleMetrics,
        outcome: Outcome,
        seconds: f64,
        first_content: Option<f64>,
    ) {
        let requests = || {
            let RuleLabels { route, rule } = rule.labels.clone();
            self.requests.get_or_create_owned(&RequestLabels {
                route,
                rule,
                outcome,
            })
        };
        match outcome {
            Outcome::Complete => rule.complete.get_or_init(requests).inc(),
            Outcome::Cancelled | Outcome::Failed(_) => requests().inc(),
        };
        rule.duration.observe(seconds);
        if let Some(first_content) = first_content {
            rule.first_content.observe(first_content);
        }
    }

    /// Counts an attempt that ended.
    pub(crate) fn attempt(&self, labels: &AttemptLabels) {
        self.attempts.get_or_create(labels).inc();
    }

    /// Counts an image or a document that was asked of its host.
    pub(crate) fn media(&self, outcome: &'static str, bytes: u64) {
        self.media.get_or_create(&MediaLabels { outcome }).inc();
        self.media_bytes.inc_by(bytes);
    }
}

fn seconds() -> Histogram {
    Histogram::new(SECONDS)
}
