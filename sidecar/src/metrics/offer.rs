//! What is counted of the answers of one model at one provider. A series is there from its first count on, and is looked up
//! once for as long as a snapshot serves.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use fkm_llm::ir::Usage;
use fkm_llm::{Measured, NanoUsd};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;

use super::Metrics;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct TokenLabels {
    provider: Arc<str>,
    model: Arc<str>,
    token_type: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct ModelLabels {
    provider: Arc<str>,
    model: Arc<str>,
}

/// The handles of one model at one provider.
#[derive(Debug)]
pub(crate) struct OfferMetrics {
    labels: ModelLabels,
    input: Tokens,
    output: Tokens,
    cost: OnceLock<Counter>,
    unpriced: OnceLock<Counter>,
}

/// Of one type of tokens.
#[derive(Debug)]
struct Tokens {
    token_type: &'static str,
    all: OnceLock<Counter>,
    estimated: OnceLock<Counter>,
}

// === impl OfferMetrics ===

impl OfferMetrics {
    /// Of the model that the provider knows by this name.
    pub(crate) fn new(provider: &Arc<str>, model: &Arc<str>) -> Self {
        Self {
            labels: ModelLabels {
                provider: provider.clone(),
                model: model.clone(),
            },
            input: Tokens::of("input"),
            output: Tokens::of("output"),
            cost: OnceLock::new(),
            unpriced: OnceLock::new(),
        }
    }
}

// === impl Tokens ===

impl Tokens {
    fn of(token_type: &'static str) -> Self {
        Self {
            token_type,
            all: OnceLock::new(),
            estimated: OnceLock::new(),
        }
    }

    fn labels(&self, of: &ModelLabels) -> TokenLabels {
        TokenLabels {
            provider: of.provider.clone(),
            model: of.model.clone(),
            token_type: self.token_type,
        }
    }
}

// === impl Metrics ===

impl Metrics {
    /// Counts the tokens of an answer, and how many of them are an estimate.
    pub(crate) fn used(&self, offer: &OfferMetrics, usage: &Usage) {
        for (tokens, count) in [
            (&offer.input, usage.input_tokens),
            (&offer.output, usage.output_tokens),
        ] {
            let labels = || tokens.labels(&offer.labels);
            if usage.estimated {
                let estimated = || self.estimated_tokens.get_or_create_owned(&labels());
                tokens.estimated.get_or_init(estimated).inc_by(count);
            }
            let all = || self.tokens.get_or_create_owned(&labels());
            tokens.all.get_or_init(all).inc_by(count);
        }
    }

    /// Counts what an answer cost; `None`: not known, which is no zero.
    pub(crate) fn cost(&self, offer: &OfferMetrics, cost: Option<NanoUsd>) {
        let labels = &offer.labels;
        match cost {
            Some(NanoUsd(amount)) => {
                let known = || self.cost.get_or_create_owned(labels);
                offer.cost.get_or_init(known).inc_by(amount)
            }
            None => {
                let unknown = || self.unpriced.get_or_create_owned(labels);
                offer.unpriced.get_or_init(unknown).inc()
            }
        };
    }

    /// Counts what else there was in an answer.
    pub(crate) fn measured(&self, offer: &OfferMetrics, measured: Measured) {
        if measured.images > 0 {
            let images = self.images.get_or_create(&offer.labels);
            images.inc_by(measured.images);
        }
        if measured.audio_millis > 0 {
            let seconds = Duration::from_millis(measured.audio_millis).as_secs_f64();
            let transcribed = self.transcribed.get_or_create(&offer.labels);
            transcribed.inc_by(seconds);
        }
    }
}
