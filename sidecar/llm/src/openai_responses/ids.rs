//! Ids of items.
//!
//! The format wants an id on most items; other formats have none. Those that are made up here carry a mark by which they
//! are known when a client sends them back: no provider would know them.

use fkm_dialect::Format;

use crate::ir::{Extra, RawJson};
use crate::json::Object;
use crate::openai_responses::FORMAT;

/// After the kind of an id: made up here.
const MARK: &str = "fkm_";

/// Ids are at most 64 characters long.
const MAX_SOURCE: usize = 40;

/// The member of an item that holds its id.
pub(super) const ID: &str = "id";

/// Makes up the ids of one answer or request.
#[derive(Clone, Debug, Default)]
pub(super) struct Mint {
    /// What is left of the answer's id.
    source: String,
}

// === impl Mint ===

impl Mint {
    /// For an answer with this id; ids of different answers are different, so that clients can keep them together.
    pub(super) fn new(answer: Option<&str>) -> Self {
        let kept = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let source = answer.unwrap_or_default().chars().filter(kept);
        Self {
            source: source.take(MAX_SOURCE).collect(),
        }
    }

    /// The id of the item at `index`: `msg_fkm_0_resp-1` for the kind `msg`.
    pub(super) fn id(&self, kind: &str, index: usize) -> String {
        let separator = if self.source.is_empty() { "" } else { "_" };
        format!("{kind}_{MARK}{index}{separator}{}", self.source)
    }
}

/// Whether an id was made up here.
pub(super) fn is_minted(id: &str) -> bool {
    id.split_once('_')
        .is_some_and(|(_, rest)| rest.starts_with(MARK))
}

/// Takes the id of an item into `extra`, under `name`. One that was made up here says nothing.
pub(super) fn take(object: &mut Object<'_, '_>, extra: &mut Extra, name: &str) {
    let id = object.string(ID).ok().flatten();
    if let Some(id) = id.filter(|id| !id.is_empty() && !is_minted(id)) {
        extra.insert_quiet(FORMAT, name, RawJson::string(&id));
    }
}

/// The text of a member that this format keeps in `extra`.
pub(super) fn text(extra: &Extra, name: &str) -> Option<String> {
    let raw: &RawJson = extra.get(Format::OpenAiResponses, name)?;
    crate::json::string(raw.raw()).map(std::borrow::Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_up_is_known_again() {
        let mint = Mint::new(Some("chatcmpl-1.ü_x"));
        assert_eq!(mint.id("msg", 0), "msg_fkm_0_chatcmpl-1_x");
        assert_eq!(Mint::default().id("rs", 2), "rs_fkm_2");
        let long = Mint::new(Some(&"a".repeat(200))).id("msg", usize::MAX);
        assert!(long.len() <= 80, "{long}");
        for id in [mint.id("msg", 0), mint.id("fc", 7)] {
            assert!(is_minted(&id));
        }
        for id in ["msg_0a4b", "fkm_1", "rs_fk", "", "b594b7e1-3dbb"] {
            assert!(!is_minted(id), "{id}");
        }
    }
}
