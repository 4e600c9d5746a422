//! What providers keep for their clients behind an id: answers, files and batches.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What is kept, in whose words it is asked for.
///
/// The serialised names are part of the snapshot, of logs and of metrics; they never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Kept {
    /// `…/v1/files` of Anthropic.
    #[serde(rename = "anthropic.files")]
    AnthropicFiles,
    /// `…/v1/batches` of OpenAI and of those who speak it.
    #[serde(rename = "openai.batches")]
    OpenAiBatches,
    /// `…/v1/files` of OpenAI and of those who speak it.
    #[serde(rename = "openai.files")]
    OpenAiFiles,
    /// `…/v1/responses/ID` of OpenAI and of those who speak it.
    #[serde(rename = "openai.responses")]
    OpenAiResponses,
}

/// That a provider keeps something, and where it is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Keeps {
    /// What.
    pub kept: Kept,
    /// Appended to the base URL, with a leading slash, for example `/files`; what follows (`/ID`, `/ID/content`) is the
    /// same for everybody.
    pub path: String,
}

// === impl Kept ===

impl Kept {
    /// Everything, in the order of the names.
    pub const ALL: [Self; 4] = [
        Self::AnthropicFiles,
        Self::OpenAiBatches,
        Self::OpenAiFiles,
        Self::OpenAiResponses,
    ];

    /// The stable name, for example `openai.files`.
    pub fn name(self) -> &'static str {
        match self {
            Self::AnthropicFiles => "anthropic.files",
            Self::OpenAiBatches => "openai.batches",
            Self::OpenAiFiles => "openai.files",
            Self::OpenAiResponses => "openai.responses",
        }
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

// === impl Keeps ===

impl Keeps {
    /// What is wrong with the record itself: the field, and what would be right.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        let usable = self.path.starts_with('/')
            && !self.path.ends_with('/')
            && !self.path.contains(['?', '#']);
        let problem = (!usable).then(|| format!("{:?} is not of the form /files", self.path));
        problem.into_iter().map(|why| ("path", why)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serialised_name_is_the_stable_name() {
        for kept in Kept::ALL {
            let json = serde_json::to_value(kept).unwrap();
            assert_eq!(json, serde_json::Value::from(kept.name()));
        }
        assert!(Kept::ALL.is_sorted_by_key(|kept| kept.name()));
        let record: Keeps =
            serde_json::from_str(r#"{"kept":"openai.files","path":"/files"}"#).unwrap();
        assert_eq!(record.problems(), []);
        for path in ["files", "/files/", "/", "", "/files?a=b", "/files#a"] {
            let path = path.to_owned();
            assert_eq!(
                Keeps {
                    path,
                    ..record.clone()
                }
                .problems()[0]
                    .0,
                "path"
            );
        }
    }
}
