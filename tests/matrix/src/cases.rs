//! The cases behind the cells: hand-written requests and answers of every format (`cases/FORMAT.json`), and what a provider's
//! documentation says where there can be none (`not_applicable.json`).

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use fkm_dialect::Format;
use serde::Deserialize;
use serde_json::Value;

use crate::feature::Feature;

/// The cases of one format.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cases {
    /// What its clients send.
    #[serde(default)]
    pub(crate) requests: BTreeMap<Feature, Vec<Value>>,
    /// What its providers answer.
    #[serde(default)]
    pub(crate) answers: BTreeMap<Feature, Vec<Value>>,
    /// What its providers answer instead.
    #[serde(default)]
    pub(crate) errors: Vec<ErrorCase>,
}

/// An error as it comes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ErrorCase {
    pub(crate) status: u16,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
}

/// Why a cell has no case, or loses what it is about.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NotApplicable {
    /// The client's format; any when absent.
    pub(crate) client: Option<Format>,
    /// The provider's format; any when absent.
    pub(crate) provider: Option<Format>,
    pub(crate) feature: Feature,
    /// The provider's own words.
    pub(crate) quote: String,
    /// Where they stand.
    pub(crate) source: String,
}

/// Reads the cases of every format.
pub(crate) fn load(folder: &Path) -> Result<BTreeMap<Format, Cases>> {
    let read = |format: Format| {
        let path = folder.join("cases").join(format!("{format}.json"));
        let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let cases: Cases =
            serde_json::from_str(&text).with_context(|| path.display().to_string())?;
        Ok((format, cases))
    };
    Format::ALL.into_iter().map(read).collect()
}

/// Reads what is not applicable.
pub(crate) fn load_not_applicable(folder: &Path) -> Result<Vec<NotApplicable>> {
    let path = folder.join("not_applicable.json");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let all: Vec<NotApplicable> =
        serde_json::from_str(&text).with_context(|| path.display().to_string())?;
    for one in &all {
        let named = one.client.is_some() || one.provider.is_some();
        ensure!(
            named && one.quote.len() > 20 && one.source.starts_with("https://"),
            "{one:?}"
        );
    }
    Ok(all)
}

// === impl ErrorCase ===

impl ErrorCase {
    /// Whether the provider says when to ask again.
    pub(crate) fn says_when(&self, body: &str) -> bool {
        self.headers.contains_key("retry-after") || body.contains("retryDelay")
    }
}

// === impl NotApplicable ===

impl NotApplicable {
    /// Whether it speaks of this cell.
    pub(crate) fn covers(&self, client: Format, provider: Format, feature: Feature) -> bool {
        self.feature == feature
            && self.client.is_none_or(|one| one == client)
            && self.provider.is_none_or(|one| one == provider)
    }
}
