//! The tokens' probabilities, which come in pieces: a list for what is said and one for what is refused, one entry a token.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::error::DecodeError;
use crate::ir::RawJson;
use crate::json::{Object, Path, array};

/// The lists as they grow.
#[derive(Default, Serialize)]
pub(super) struct Logprobs {
    content: Option<Vec<RawJson>>,
    refusal: Option<Vec<RawJson>>,
}

// === impl Logprobs ===

impl Logprobs {
    /// Adds a piece.
    pub(super) fn add(&mut self, raw: &RawValue) -> Result<(), DecodeError> {
        let mut object = Object::from_raw(raw, &Path::Root)?;
        for (name, slot) in [
            ("content", &mut self.content),
            ("refusal", &mut self.refusal),
        ] {
            if let Some(raw) = object.raw(name) {
                let items = array(raw, &Path::Root)?;
                let slot = slot.get_or_insert_default();
                slot.extend(items.into_iter().map(RawJson::from));
            }
        }
        Ok(())
    }

    /// All of it as JSON; `None` when nothing came.
    pub(super) fn into_raw(self) -> Option<RawJson> {
        if self.content.is_none() && self.refusal.is_none() {
            return None;
        }
        let text = serde_json::to_string(&self).ok()?;
        RawJson::try_new(&text).ok()
    }
}
