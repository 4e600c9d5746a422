//! The tokens' probabilities, which come in pieces: four lists, one entry a token.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::ir::RawJson;

/// The lists as they grow.
#[expect(clippy::struct_field_names, reason = "the names of the wire")]
#[derive(Debug, Default, Serialize)]
pub(super) struct Logprobs {
    text_offset: Option<Vec<RawJson>>,
    token_logprobs: Option<Vec<RawJson>>,
    tokens: Option<Vec<RawJson>>,
    top_logprobs: Option<Vec<RawJson>>,
}

#[derive(Deserialize)]
struct Piece<'a> {
    #[serde(borrow)]
    text_offset: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    token_logprobs: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    tokens: Option<Vec<&'a RawValue>>,
    #[serde(borrow)]
    top_logprobs: Option<Vec<&'a RawValue>>,
}

// === impl Logprobs ===

impl Logprobs {
    /// Adds a piece; false when it has another shape.
    pub(super) fn add(&mut self, raw: &RawValue) -> bool {
        let Ok(piece) = serde_json::from_str::<Piece<'_>>(raw.get()) else {
            return false;
        };
        for (all, more) in [
            (&mut self.text_offset, piece.text_offset),
            (&mut self.token_logprobs, piece.token_logprobs),
            (&mut self.tokens, piece.tokens),
            (&mut self.top_logprobs, piece.top_logprobs),
        ] {
            if let Some(more) = more {
                let more = more.into_iter().map(RawJson::from);
                all.get_or_insert_default().extend(more);
            }
        }
        true
    }

    /// All of it as JSON; `None` when nothing came.
    pub(super) fn into_raw(self) -> Option<RawJson> {
        let Self {
            text_offset: None,
            token_logprobs: None,
            tokens: None,
            top_logprobs: None,
        } = self
        else {
            let text = serde_json::to_string(&self).expect("JSON text is JSON");
            return Some(RawJson::try_new(&text).expect("just written"));
        };
        None
    }
}
