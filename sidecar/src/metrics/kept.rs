//! Bytes of what providers keep.

use std::sync::Arc;

use fkm_snapshot::Kept;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;

use super::Metrics;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct KeptLabels {
    provider: Arc<str>,
    kept: &'static str,
    direction: Direction,
}

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Direction {
    /// To the provider.
    Up,
    /// To the client.
    Down,
}

// === impl Metrics ===

impl Metrics {
    /// Counts the bytes of what a provider keeps.
    pub(crate) fn kept(&self, provider: &Arc<str>, kept: Kept, direction: Direction) -> Counter {
        let labels = KeptLabels {
            provider: provider.clone(),
            kept: kept.name(),
            direction,
        };
        self.kept.get_or_create(&labels).clone()
    }
}

impl EncodeLabelValue for Direction {
    fn encode(
        &self,
        encoder: &mut prometheus_client::encoding::LabelValueEncoder<'_>,
    ) -> std::fmt::Result {
        match self {
            Self::Up => "up".encode(encoder),
            Self::Down => "down".encode(encoder),
        }
    }
}
