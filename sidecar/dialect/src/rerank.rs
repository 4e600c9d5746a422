//! The wire formats of reranking, and how providers depart from them.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{is_default, path_problem};

/// The shape of a request to rank documents, and of its answer.
///
/// The serialised names are part of the snapshot, of logs and of metrics; they never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RerankFormat {
    /// `POST …/rerank` of Cohere, both versions, and of those who speak it (Jina, vLLM, …).
    #[serde(rename = "cohere.rerank")]
    CohereRerank,
    /// `POST …/v1/rerank` of Voyage.
    #[serde(rename = "voyage.rerank")]
    VoyageRerank,
}

/// How a provider's reranking departs from its [`RerankFormat`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RerankDialect {
    /// The wire format.
    pub format: RerankFormat,
    /// Appended to the base URL, with a leading slash, for example `/v2/rerank`.
    pub path: String,
    /// Whether the provider gives documents back when asked to (`return_documents`; Cohere's second version does not know
    /// it). Default false: it is not asked, and clients get the documents that they sent.
    #[serde(default, skip_serializing_if = "is_default")]
    pub returns_documents: bool,
}

// === impl RerankFormat ===

impl RerankFormat {
    /// Every format, in the order of their names.
    pub const ALL: [Self; 2] = [Self::CohereRerank, Self::VoyageRerank];

    /// The stable name, for example `cohere.rerank`.
    pub fn name(self) -> &'static str {
        match self {
            Self::CohereRerank => "cohere.rerank",
            Self::VoyageRerank => "voyage.rerank",
        }
    }
}

impl fmt::Display for RerankFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

// === impl RerankDialect ===

impl RerankDialect {
    /// A provider that does not depart from its format.
    pub fn new(format: RerankFormat, path: impl Into<String>) -> Self {
        Self {
            format,
            path: path.into(),
            returns_documents: false,
        }
    }

    /// What is wrong with the record itself: the field, and what would be right. Both formats obey every field.
    pub fn problems(&self) -> Vec<(&'static str, String)> {
        path_problem("path", &self.path).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serialised_name_is_the_stable_name() {
        for format in RerankFormat::ALL {
            let json = serde_json::to_value(format).unwrap();
            assert_eq!(json, serde_json::Value::from(format.name()));
        }
        let plain = RerankDialect::new(RerankFormat::CohereRerank, "/v2/rerank");
        let json = r#"{"format":"cohere.rerank","path":"/v2/rerank"}"#;
        assert_eq!(serde_json::to_string(&plain).unwrap(), json);
        assert_eq!(plain.problems(), []);
        let relative = RerankDialect::new(RerankFormat::VoyageRerank, "rerank");
        assert_eq!(relative.problems()[0].0, "path");
    }
}
