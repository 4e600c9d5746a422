//! Metrics: one registry a process, shown in the `OpenMetrics` text format.
//!
//! A component keeps its metrics in a struct of its own and registers them when it is built; nothing is global.

use prometheus_client::encoding::text;
pub use prometheus_client::registry::{Registry, Unit};

/// `Content-Type` of what [`encode`] gives.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Bounds of `gen_ai.client.operation.duration`, in seconds.
pub const OPERATION_DURATION_BUCKETS: [f64; 14] = [
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];

/// Bounds of `gen_ai.client.token.usage`, in tokens.
pub const TOKEN_USAGE_BUCKETS: [f64; 14] = [
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1024.0,
    4096.0,
    16384.0,
    65536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];

/// Bounds of `gen_ai.client.operation.time_to_first_chunk`, in seconds.
pub const TIME_TO_FIRST_CHUNK_BUCKETS: [f64; 16] = [
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];

/// Bounds of `gen_ai.client.operation.time_per_output_chunk`, in seconds.
pub const TIME_PER_OUTPUT_CHUNK_BUCKETS: [f64; 13] = [
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5,
];

/// The whole page of `/metrics`, closed by `# EOF`.
pub fn encode(registry: &Registry) -> String {
    let mut page = String::new();
    text::encode(&mut page, registry).expect("writing to a String cannot fail");
    page
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::counter::Counter;
    use prometheus_client::metrics::histogram::Histogram;

    use super::*;
    use crate::names;

    #[test]
    fn page_has_our_prefix_and_the_conventions_names() {
        let mut registry = Registry::default();
        let requests = Counter::<u64>::default();
        registry
            .sub_registry_with_prefix(names::METRIC_PREFIX)
            .register("requests", "Requests", requests.clone());
        let duration = Histogram::new(OPERATION_DURATION_BUCKETS);
        registry.register_with_unit(
            names::prometheus_name(names::GEN_AI_CLIENT_OPERATION_DURATION),
            "Attempts",
            Unit::Seconds,
            duration.clone(),
        );
        requests.inc();
        duration.observe(0.3);
        let page = encode(&registry);
        assert!(page.contains("fkm_requests_total 1\n"), "{page}");
        let bucket = "gen_ai_client_operation_duration_seconds_bucket{le=\"0.32\"} 1\n";
        assert!(page.contains(bucket), "{page}");
        assert!(page.ends_with("# EOF\n"), "{page}");
    }

    #[test]
    fn bounds_rise() {
        let lists: [&[f64]; 4] = [
            &OPERATION_DURATION_BUCKETS,
            &TOKEN_USAGE_BUCKETS,
            &TIME_TO_FIRST_CHUNK_BUCKETS,
            &TIME_PER_OUTPUT_CHUNK_BUCKETS,
        ];
        for list in lists {
            assert!(list.is_sorted_by(|a, b| a < b), "{list:?}");
        }
    }
}
