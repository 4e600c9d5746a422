//! Ranked documents.

use fkm_dialect::RerankFormat;
use serde_json::value::RawValue;

use crate::embedding::Members;
use crate::error::DecodeError;
use crate::ir::{RawJson, Usage};
use crate::json::{Object, Path};
use crate::rerank::{RerankDocument, RerankReply};

/// An answer, independent of its wire format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RerankResponse {
    /// The format in which it was read: unknown members are shown to its clients only.
    pub origin: RerankFormat,
    /// The provider's id of the answer.
    pub id: Option<String>,
    /// The model that answered, as the provider names it, where the format has it.
    pub model: Option<String>,
    /// The best first.
    pub results: Vec<Ranked>,
    /// Tokens, where the provider counts them.
    pub usage: Option<Usage>,
    /// Searches that are paid for, where the provider counts those (Cohere: a query with up to 100 documents).
    pub search_units: Option<u64>,
    /// Unknown members.
    pub extra: Members,
}

/// One document and how well it answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ranked {
    /// The place of the document in the request, from 0.
    pub index: usize,
    /// The higher the better: a number, as the provider wrote it.
    pub score: RawJson,
    /// The document, where the provider gave it back.
    pub document: Option<RerankDocument>,
    /// Unknown members.
    pub extra: Members,
}

// === impl Ranked ===

impl Ranked {
    /// Reads a result.
    pub(crate) fn decode(raw: &RawValue, path: &Path<'_>) -> Result<Self, DecodeError> {
        let mut object = Object::from_raw(raw, path)?;
        let index = object.take("index", "a whole number")?;
        let index = index.ok_or_else(|| object.invalid("index", "a whole number"))?;
        let score = object.required("relevance_score")?;
        if !score
            .get()
            .starts_with(|c: char| c == '-' || c.is_ascii_digit())
        {
            return Err(object.invalid("relevance_score", "a number"));
        }
        let document = match object.raw("document") {
            Some(raw) => Some(RerankDocument::decode(raw, &path.member("document"))?),
            None => None,
        };
        Ok(Self {
            index,
            score: score.into(),
            document,
            extra: object.into_members(),
        })
    }

    /// The document to show: the provider's, or the client's own.
    pub(crate) fn shown<'a>(&'a self, reply: &'a RerankReply) -> Option<&'a RerankDocument> {
        let own = reply.documents.as_deref();
        let own = own.and_then(|documents| documents.get(self.index));
        self.document.as_ref().or(own)
    }
}
