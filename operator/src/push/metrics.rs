//! The metrics of the push service.

use fkm_telemetry::metrics::Registry;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refusal {
    reason: &'static str,
}

/// Cheap to clone; all clones count together. With the registry's prefix, the names begin with `fkm_operator_push_`.
#[derive(Clone, Debug, Default)]
pub struct PushMetrics {
    pub(super) streams: Gauge,
    pub(super) snapshots: Counter,
    pub(super) snapshot_bytes: Counter,
    pub(super) secrets: Counter,
    pub(super) acks: Counter,
    pub(super) nacks: Counter,
    pub(super) overdue: Counter,
    refusals: Family<Refusal, Counter>,
}

// === impl PushMetrics ===

impl PushMetrics {
    /// Registers them.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let registry = registry.sub_registry_with_prefix("push");
        registry.register("streams", "Connected sidecars", metrics.streams.clone());
        let counters = [
            ("snapshots_sent", "Snapshots sent", &metrics.snapshots),
            (
                "snapshot_bytes_sent",
                "Compressed payload bytes of snapshots sent; a sidecar that holds the right hash gets none",
                &metrics.snapshot_bytes,
            ),
            ("secrets_sent", "Secrets messages sent", &metrics.secrets),
            ("acks", "Deliveries taken", &metrics.acks),
            ("nacks", "Deliveries refused", &metrics.nacks),
            (
                "overdue_answers",
                "Deliveries not answered in time",
                &metrics.overdue,
            ),
        ];
        for (name, help, counter) in counters {
            registry.register(name, help, counter.clone());
        }
        let help = "Sidecars refused, by reason";
        registry.register("refusals", help, metrics.refusals.clone());
        metrics
    }

    /// How many were refused for this reason.
    pub fn refusals(&self, reason: &'static str) -> u64 {
        self.refusals.get_or_create(&Refusal { reason }).get()
    }

    pub(super) fn refused(&self, reason: &'static str) {
        self.refusals.get_or_create(&Refusal { reason }).inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_labels_are_the_documented_ones() {
        let mut registry = Registry::default();
        let metrics = PushMetrics::register(registry.sub_registry_with_prefix("fkm_operator"));
        metrics.snapshot_bytes.inc_by(7);
        metrics.refused("WrongPod");
        metrics.streams.inc();
        let page = fkm_telemetry::metrics::encode(&registry);
        for line in [
            "fkm_operator_push_streams 1",
            "fkm_operator_push_snapshots_sent_total 0",
            "fkm_operator_push_snapshot_bytes_sent_total 7",
            "fkm_operator_push_secrets_sent_total 0",
            "fkm_operator_push_acks_total 0",
            "fkm_operator_push_nacks_total 0",
            "fkm_operator_push_overdue_answers_total 0",
            "fkm_operator_push_refusals_total{reason=\"WrongPod\"} 1",
        ] {
            assert!(
                page.lines().any(|shown| shown == line),
                "{line} is not in\n{page}"
            );
        }
    }
}
