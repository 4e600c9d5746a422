//! Models of the catalogue, as `data/models.json` has them, which `generate.py` writes.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use fkm_dialect::{Capabilities, Price};
use serde::Deserialize;

/// What is known of a model of one provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
pub struct ModelRecord {
    /// What it is asked for.
    pub kind: ModelKind,
    /// The names of the wire formats in which it can be asked, the one that its provider leads with first. A name need not
    /// be one of [`fkm_dialect::Format`]: the catalogue knows of models that are not served yet. Empty: in none that has a
    /// name.
    #[serde(default = "usual_formats")]
    pub formats: Vec<String>,
    /// The most tokens that it reads at once; unknown when absent.
    pub context_window: Option<u64>,
    /// The most output tokens that it gives; unknown when absent.
    pub max_output_tokens: Option<u64>,
    /// The day from which its provider no longer offers it, as `2027-05-07`; absent: none is announced.
    pub ends: Option<String>,
    /// What it can take.
    pub capabilities: Capabilities,
    /// What its tokens cost; absent: not known.
    pub price: Option<Price>,
}

/// What a model is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ModelKind {
    /// An answer in a conversation.
    #[default]
    Chat,
    /// How a text goes on.
    Completion,
    /// A vector.
    Embedding,
    /// An order of documents.
    Rerank,
    /// A picture.
    Image,
    /// A text, spoken.
    Speech,
    /// What is spoken, as a text.
    Transcription,
    /// Whether a text may be said.
    Moderation,
}

type Models = BTreeMap<String, BTreeMap<String, ModelRecord>>;

static MODELS: LazyLock<Models> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../data/models.json")).expect("checked by a test")
});

/// The models of a provider of the catalogue, by the names that it wants, of every kind and format; `None`: the catalogue does
/// not know it.
pub fn models(provider: &str) -> Option<&'static BTreeMap<String, ModelRecord>> {
    MODELS.get(provider)
}

/// The providers of the catalogue, sorted. Not all of them have a [preset](crate::preset()).
pub fn providers() -> impl Iterator<Item = &'static str> {
    MODELS.keys().map(String::as_str)
}

fn usual_formats() -> Vec<String> {
    vec!["openai.chat".to_owned()]
}

#[cfg(test)]
mod tests;
