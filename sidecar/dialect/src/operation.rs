//! What a model is asked to do, and the formats of all operations together.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{EmbeddingFormat, Format, RelayFormat, RerankFormat};

/// What a model is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// To go on with a conversation or a text.
    Chat,
    /// To make vectors.
    Embeddings,
    /// To rank documents.
    Rerank,
    /// What one format says, which is an operation of its own.
    Relayed(RelayFormat),
}

/// A wire format of any operation. Serialised by its stable name, which is unique among all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AnyFormat {
    /// Of conversations.
    Chat(Format),
    /// Of embeddings.
    Embeddings(EmbeddingFormat),
    /// Of reranking.
    Rerank(RerankFormat),
    /// Of what is passed on as it is.
    Relayed(RelayFormat),
}

// === impl Operation ===

impl Operation {
    /// The name in telemetry (`gen_ai.operation.name`).
    pub fn name(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Embeddings => "embeddings",
            Self::Rerank => "rerank",
            Self::Relayed(format) => format.operation_name(),
        }
    }
}

// === impl AnyFormat ===

impl AnyFormat {
    /// Every format of every operation.
    pub fn all() -> impl Iterator<Item = Self> {
        let chats = Format::ALL.into_iter().map(Self::Chat);
        let embeddings = EmbeddingFormat::ALL.into_iter().map(Self::Embeddings);
        let ranks = RerankFormat::ALL.into_iter().map(Self::Rerank);
        let relays = RelayFormat::ALL.into_iter().map(Self::Relayed);
        chats.chain(embeddings).chain(ranks).chain(relays)
    }

    /// The format of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::all().find(|format| format.name() == name)
    }

    /// What it is for.
    pub fn operation(self) -> Operation {
        match self {
            Self::Chat(_) => Operation::Chat,
            Self::Embeddings(_) => Operation::Embeddings,
            Self::Rerank(_) => Operation::Rerank,
            Self::Relayed(format) => Operation::Relayed(format),
        }
    }

    /// The stable name, for example `openai.embeddings`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Chat(format) => format.name(),
            Self::Embeddings(format) => format.name(),
            Self::Rerank(format) => format.name(),
            Self::Relayed(format) => format.name(),
        }
    }
}

impl fmt::Display for AnyFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_how_a_format_is_serialised() {
        let names: BTreeSet<&str> = AnyFormat::all().map(AnyFormat::name).collect();
        assert_eq!(names.len(), AnyFormat::all().count());
        for format in AnyFormat::all() {
            let text = serde_json::to_string(&format).unwrap();
            assert_eq!(text, format!("{:?}", format.name()));
            assert_eq!(serde_json::from_str::<AnyFormat>(&text).unwrap(), format);
            assert_eq!(AnyFormat::named(format.name()), Some(format));
        }
        assert!(serde_json::from_str::<AnyFormat>("\"of.tomorrow\"").is_err());
    }
}
