//! What one load showed: written by `loadgen`, read by `fkm-bench`.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

/// The figures of one load, of its measured time alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Load {
    /// Seconds measured.
    pub seconds: f64,
    /// Requests answered whole with 200.
    pub requests: u64,
    /// Requests that were not, by what went wrong.
    pub errors: BTreeMap<String, u64>,
    /// From sending (or from when it was due) to the end of the answer.
    pub latency: Option<Quantiles>,
    /// To the first event of a stream.
    pub first_token: Option<Quantiles>,
    /// Events of streams.
    pub events: u64,
    /// CPU of the watched process, in microseconds; 0 where none was.
    pub cpu_micros: f64,
}

/// A distribution of times, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quantiles {
    /// Times in it.
    pub count: u64,
    /// Half are below.
    pub p50: f64,
    /// Nine of ten are below.
    pub p90: f64,
    /// 99 of 100 are below.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

/// Times while they are collected: 100 ns to 100 s, three digits.
#[derive(Clone, Debug)]
pub struct Times(Histogram<u64>);

const LOWEST_NANOS: u64 = 100;
const HIGHEST_NANOS: u64 = 100_000_000_000;

// === impl Load ===

impl Load {
    /// Requests a second.
    pub fn rate(&self) -> f64 {
        to_float(self.requests) / self.seconds
    }

    /// CPU of the watched process per request, in microseconds.
    pub fn cpu_per_request(&self) -> f64 {
        self.cpu_micros / to_float(self.requests)
    }

    /// CPU of the watched process per event, in microseconds.
    pub fn cpu_per_event(&self) -> f64 {
        self.cpu_micros / to_float(self.events)
    }

    /// All errors.
    pub fn error_count(&self) -> u64 {
        self.errors.values().sum()
    }
}

// === impl Times ===

impl Times {
    /// None yet.
    pub fn new() -> Self {
        let histogram = Histogram::new_with_bounds(LOWEST_NANOS, HIGHEST_NANOS, 3);
        Self(histogram.expect("the bounds are in order"))
    }

    /// Takes a time down; one outside of the bounds counts as the bound.
    pub fn record(&mut self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(HIGHEST_NANOS);
        self.0.saturating_record(nanos.max(LOWEST_NANOS));
    }

    /// Takes all of the other's times.
    pub fn add(&mut self, other: &Self) {
        self.0.add(&other.0).expect("equal bounds");
    }

    /// The distribution; `None` without times.
    pub fn quantiles(&self) -> Option<Quantiles> {
        let micros = |nanos: u64| to_float(nanos) / 1e3;
        (!self.0.is_empty()).then(|| Quantiles {
            count: self.0.len(),
            p50: micros(self.0.value_at_quantile(0.5)),
            p90: micros(self.0.value_at_quantile(0.9)),
            p99: micros(self.0.value_at_quantile(0.99)),
            max: micros(self.0.max()),
        })
    }
}

impl Default for Times {
    fn default() -> Self {
        Self::new()
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts and nanoseconds are far below 2^53"
)]
fn to_float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_known_times() {
        let mut times = Times::new();
        assert_eq!(times.quantiles(), None);
        for micros in 1..=100 {
            times.record(Duration::from_micros(micros));
        }
        let mut more = Times::new();
        more.record(Duration::from_secs(1000));
        more.record(Duration::ZERO);
        times.add(&more);
        let quantiles = times.quantiles().unwrap();
        assert_eq!(quantiles.count, 102);
        assert!((quantiles.p50 - 50.0).abs() < 0.1, "{quantiles:?}");
        assert!((quantiles.p99 - 100.0).abs() < 0.1, "{quantiles:?}");
        assert!((quantiles.max / 1e8 - 1.0).abs() < 0.01, "{quantiles:?}");
    }

    #[test]
    fn figures_are_per_request_and_per_event() {
        let load = Load {
            seconds: 2.0,
            requests: 10,
            events: 40,
            cpu_micros: 400.0,
            errors: [("status 500".to_owned(), 2), ("send".to_owned(), 1)].into(),
            ..Load::default()
        };
        let figures = [load.rate(), load.cpu_per_request(), load.cpu_per_event()];
        assert_eq!(figures.map(|figure| figure.to_string()), ["5", "40", "10"]);
        assert_eq!(load.error_count(), 3);
        assert!(Load::default().cpu_per_request().is_nan());
    }
}
