//! What an answer cost: its usage as a format decodes it, times the rates of the catalogue.

use fkm_catalog::models;
use fkm_llm::fold::fold;
use fkm_llm::ir::Usage;
use fkm_llm::rerank_codec;

use fkm_llm::{Dialect, Format, ServiceTier, StreamFault, cost, embedding_codec, format};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::answer;
use crate::chat::dialect_of;
use crate::codec::Codec;
use crate::command::Body;
use crate::failure;

/// An answer and who gave it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Answered {
    /// Of conversations or of embeddings.
    format: Codec,
    /// A provider of the catalogue, and one of its models.
    provider: String,
    model: String,
    /// Of a provider that does not say it.
    #[serde(default)]
    tier: Option<ServiceTier>,
    #[serde(default)]
    stream: bool,
    /// The name of a preset.
    #[serde(default)]
    dialect: Option<String>,
    body: Body,
}

// === impl Answered ===

impl Answered {
    /// `{"priced", "usage", "nano_usd"}`: whether the catalogue has a price for the model, what was counted (null: the
    /// provider did not say), and what that costs (null: not known).
    pub(crate) fn cost(&self) -> anyhow::Result<Value> {
        let usage = match self.usage()? {
            Ok(usage) => usage,
            Err(failed) => return Ok(failed),
        };
        let record = models(&self.provider).and_then(|models| models.get(&self.model));
        let price = record.and_then(|record| record.price.as_ref());
        let amount = usage.zip(price).and_then(|(usage, price)| {
            let tier = usage.tier.or(self.tier).unwrap_or_default();
            cost(&usage, price, tier)
        });
        Ok(json!({
            "priced": price.is_some(),
            "usage": usage.map(answer::of_usage),
            "nano_usd": amount.map(|amount| amount.0),
        }))
    }

    /// Inside: the result to show where the answer cannot be read.
    fn usage(&self) -> anyhow::Result<Result<Option<Usage>, Value>> {
        let body = &self.body.0;
        match self.format {
            Codec::Chat(from) => {
                let dialect = dialect_of(from, self.dialect.as_deref())?;
                Ok(if self.stream {
                    usage_of_stream(&dialect, body)
                } else {
                    usage_of(from, body)
                })
            }
            Codec::Embedding(from) => {
                let decoded = embedding_codec(from).decode_response(body);
                let usage = decoded.map(|response| response.usage);
                Ok(usage.map_err(|error| failure::of_decode(&error)))
            }
            Codec::Rerank(from) => {
                let decoded = rerank_codec(from).decode_response(body);
                let usage = decoded.map(|response| response.usage);
                Ok(usage.map_err(|error| failure::of_decode(&error)))
            }
        }
    }
}

fn usage_of(name: Format, body: &[u8]) -> Result<Option<Usage>, Value> {
    let decoded = format(name).decode_response(body);
    decoded
        .map(|response| response.usage)
        .map_err(|error| failure::of_decode(&error))
}

fn usage_of_stream(dialect: &Dialect, body: &[u8]) -> Result<Option<Usage>, Value> {
    let mut decoder = format(dialect.format).stream_decoder(dialect);
    let mut events = Vec::new();
    let mut read = || -> Result<(), StreamFault> {
        decoder.push(body, &mut events)?;
        decoder.end(&mut events)
    };
    let end = read();
    let folded = fold(events).and_then(|response| end.map(|()| response));
    folded
        .map(|response| response.usage)
        .map_err(|fault| failure::of_stream(&fault))
}
