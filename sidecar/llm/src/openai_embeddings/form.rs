//! The forms in which families of clients have the format: what differs is data.

use crate::openai_error::Body;

/// How a family of clients departs from the format.
#[derive(Debug)]
pub(super) struct Form {
    /// Members of a request that only the family's own provider knows, with the value that asks for nothing: what everybody
    /// does anyway.
    pub(super) defaults: &'static [(&'static str, &'static str)],
    /// Whether an answer has an id.
    pub(super) id: bool,
    /// How an error is found in its body.
    pub(super) error: Body,
    /// The header of the provider's request id.
    pub(super) request_id: &'static str,
}

// === impl Form ===

impl Form {
    /// OpenAI's own.
    pub(super) const PLAIN: Self = Self {
        defaults: &[],
        id: false,
        error: Body::Nested,
        request_id: "x-request-id",
    };

    /// Mistral's, as its API describes `EmbeddingRequest` and `EmbeddingResponse`.
    pub(super) const MISTRAL: Self = Self {
        defaults: &[("output_dtype", "\"float\"")],
        id: true,
        error: Body::Flat,
        request_id: "x-kong-request-id",
    };

    /// Voyage's, whose SDK always says how it wants long texts.
    pub(super) const VOYAGE: Self = Self {
        defaults: &[("output_dtype", "\"float\""), ("truncation", "true")],
        id: false,
        error: Body::Text,
        request_id: "x-request-id",
    };
}
