//! What an answer cost: its usage as a format decodes it, times the rates of the catalogue.

use anyhow::Context as _;
use fkm_catalog::models;
use fkm_llm::fold::fold;
use fkm_llm::ir::Usage;
use fkm_llm::{
    Dialect, EmbeddingFormat, Format, ServiceTier, StreamFault, cost, embedding_codec, format,
};
use serde_json::{Value, json};

use crate::answer;
use crate::command::Body;
use crate::failure;
use crate::run::dialect_of;

/// An answer and who gave it.
pub(crate) struct Answered<'a> {
    /// The name of a format, of conversations or of embeddings.
    pub(crate) format: &'a str,
    /// A provider of the catalogue, and one of its models.
    pub(crate) provider: &'a str,
    pub(crate) model: &'a str,
    pub(crate) tier: ServiceTier,
    pub(crate) is_stream: bool,
    /// The name of a preset.
    pub(crate) dialect: Option<&'a str>,
    pub(crate) body: &'a Body,
}

// === impl Answered ===

impl Answered<'_> {
    /// `{"priced", "usage", "nano_usd"}`: whether the catalogue has a price for the model, what was counted (null: the
    /// provider did not say), and what that costs (null: not known).
    pub(crate) fn cost(&self) -> anyhow::Result<Value> {
        let usage = match self.usage()? {
            Ok(usage) => usage,
            Err(failed) => return Ok(failed),
        };
        let record = models(self.provider).and_then(|models| models.get(self.model));
        let price = record.and_then(|record| record.price.as_ref());
        let amount = usage
            .zip(price)
            .and_then(|(usage, price)| cost(&usage, price, self.tier));
        Ok(json!({
            "priced": price.is_some(),
            "usage": usage.map(answer::of_usage),
            "nano_usd": amount.map(|amount| amount.0),
        }))
    }

    /// Inside: the result to show where the answer cannot be read.
    fn usage(&self) -> anyhow::Result<Result<Option<Usage>, Value>> {
        let name = self.format;
        if let Some(format) = Format::ALL.into_iter().find(|one| one.name() == name) {
            let dialect = dialect_of(format, self.dialect)?;
            return Ok(if self.is_stream {
                usage_of_stream(&dialect, &self.body.0)
            } else {
                usage_of(format, &self.body.0)
            });
        }
        let mut embeddings = EmbeddingFormat::ALL.into_iter();
        let found = embeddings.find(|one| one.name() == name);
        let codec = embedding_codec(found.with_context(|| format!("no format {name}"))?);
        let decoded = codec.decode_response(&self.body.0);
        Ok(decoded
            .map(|response| response.usage)
            .map_err(|error| failure::of_decode(&error)))
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
