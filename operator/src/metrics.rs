//! The operator's metrics, one struct a component. Cheap to clone; labels come from closed sets only.

use fkm_telemetry::metrics::{Registry, Unit};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;

/// From a millisecond, a small group, to the second within which a change is to be live.
const COMPILE_BUCKETS: [f64; 9] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct KindOutcome {
    kind: &'static str,
    result: &'static str,
}

/// Of the watches.
#[derive(Clone, Debug, Default)]
pub struct WatchMetrics {
    failures: Family<Kind, Counter>,
}

/// Of the Secret reader.
#[derive(Clone, Debug, Default)]
pub struct SecretMetrics {
    reads: Family<Outcome, Counter>,
}

/// Of compilation and publication.
#[derive(Clone, Debug)]
pub struct GroupMetrics {
    groups: Gauge,
    pods: Gauge,
    denied: Gauge,
    held_back: Gauge,
    compiles: Counter,
    duration: Histogram,
}

/// What one pass of compilation and publication did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GroupCounts {
    /// Workload groups.
    pub groups: usize,
    /// Pods that may have their group's snapshot.
    pub pods: usize,
    /// Pods that are refused everything.
    pub denied: usize,
    /// Groups that keep what they had, because a Secret or a revision is not there yet.
    pub held_back: usize,
}

/// Of what is written to the API server.
#[derive(Clone, Debug, Default)]
pub struct WriteMetrics {
    writes: Family<KindOutcome, Counter>,
}

// === impl WatchMetrics ===

impl WatchMetrics {
    /// Registers `watch_failures`.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "watch_failures",
            "Watches and lists that failed and were tried again",
            metrics.failures.clone(),
        );
        metrics
    }

    pub(crate) fn failed(&self, kind: &'static str) {
        self.failures.get_or_create(&Kind { kind }).inc();
    }
}

// === impl SecretMetrics ===

impl SecretMetrics {
    /// Registers `secret_reads`.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "secret_reads",
            "Reads of referenced Secrets",
            metrics.reads.clone(),
        );
        metrics
    }

    pub(crate) fn read(&self, answered: bool) {
        let result = if answered { "answered" } else { "failed" };
        self.reads.get_or_create(&Outcome { result }).inc();
    }
}

// === impl GroupMetrics ===

impl GroupMetrics {
    /// Registers `workload_groups`, `pods`, `denied_pods`, `held_back_groups`, `compiles`, `compile_duration`.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            groups: Gauge::default(),
            pods: Gauge::default(),
            denied: Gauge::default(),
            held_back: Gauge::default(),
            compiles: Counter::default(),
            duration: Histogram::new(COMPILE_BUCKETS),
        };
        registry.register(
            "workload_groups",
            "Groups of pods that share a snapshot",
            metrics.groups.clone(),
        );
        registry.register(
            "pods",
            "Injected pods that may have their group's snapshot",
            metrics.pods.clone(),
        );
        registry.register(
            "denied_pods",
            "Injected pods that are refused everything",
            metrics.denied.clone(),
        );
        let held_back =
            "Groups that keep what they had: a Secret is not read or a revision not stored yet";
        registry.register("held_back_groups", held_back, metrics.held_back.clone());
        registry.register(
            "compiles",
            "Compilations of a group",
            metrics.compiles.clone(),
        );
        let duration = metrics.duration.clone();
        registry.register_with_unit(
            "compile_duration",
            "Compilation of one group",
            Unit::Seconds,
            duration,
        );
        metrics
    }

    pub(crate) fn compiled(&self, seconds: f64) {
        self.compiles.inc();
        self.duration.observe(seconds);
    }

    pub(crate) fn published(&self, counts: GroupCounts) {
        let set =
            |gauge: &Gauge, count: usize| _ = gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        set(&self.groups, counts.groups);
        set(&self.pods, counts.pods);
        set(&self.denied, counts.denied);
        set(&self.held_back, counts.held_back);
    }
}

// === impl WriteMetrics ===

impl WriteMetrics {
    /// Registers `api_writes`.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "api_writes",
            "Status, revisions and events written to the API server",
            metrics.writes.clone(),
        );
        metrics
    }

    pub(crate) fn wrote(&self, kind: &'static str, written: bool) {
        let result = if written { "written" } else { "failed" };
        self.writes
            .get_or_create(&KindOutcome { kind, result })
            .inc();
    }
}
