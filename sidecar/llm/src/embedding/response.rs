//! An answer with embeddings.

use std::collections::BTreeMap;

use fkm_dialect::EmbeddingFormat;

use crate::embedding::Vector;
use crate::ir::{RawJson, Usage};

/// Unknown members of one object, as they were written.
pub type Members = BTreeMap<String, RawJson>;

/// An answer, independent of its wire format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbeddingResponse {
    /// The format in which it was read: unknown members are shown to its clients only.
    pub origin: EmbeddingFormat,
    /// The model that answered, as the provider names it.
    pub model: Option<String>,
    /// One an input, in their order.
    pub embeddings: Vec<Embedding>,
    /// What was used.
    pub usage: Option<Usage>,
    /// Unknown members.
    pub extra: Members,
}

/// The vector of one input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Embedding {
    /// The vector.
    pub vector: Vector,
    /// Unknown members.
    pub extra: Members,
}
