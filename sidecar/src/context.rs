//! The handles that every exchange needs: made once by `app.rs`, read by the steps.

use std::sync::Arc;

use fkm_telemetry::metrics::Registry;
use prometheus_client::metrics::gauge::Gauge;

use crate::metrics::Metrics;
use crate::steps::accept::BodyBudget;
use crate::store::Store;
use crate::task::Tasks;

/// What the steps share.
#[derive(Debug)]
pub(crate) struct Context {
    /// The snapshot in use.
    pub(crate) store: Arc<Store>,
    pub(crate) metrics: Metrics,
    /// What `/metrics` shows.
    pub(crate) registry: Registry,
    /// Request bodies in memory.
    pub(crate) bodies: BodyBudget,
    pub(crate) tasks: Tasks,
}

/// Counts an exchange for as long as it runs.
#[derive(Debug)]
pub(crate) struct InFlight(Gauge);

// === impl Context ===

impl Context {
    pub(crate) fn in_flight(&self) -> InFlight {
        self.metrics.in_flight.inc();
        InFlight(self.metrics.in_flight.clone())
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}
