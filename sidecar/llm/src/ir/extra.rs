//! Members that this crate does not know, kept for their own format.

use std::collections::BTreeMap;

use fkm_dialect::Format;

use crate::ir::RawJson;

/// Unknown members of one object, each with the format that it was found in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extra(BTreeMap<String, (Format, RawJson)>);

// === impl Extra ===

impl Extra {
    /// Keeps a member; one of the same name is replaced.
    pub fn insert(&mut self, origin: Format, name: impl Into<String>, value: RawJson) {
        self.0.insert(name.into(), (origin, value));
    }

    /// The value of a member that was found in `origin`.
    pub fn get(&self, origin: Format, name: &str) -> Option<&RawJson> {
        let (found_in, value) = self.0.get(name)?;
        (*found_in == origin).then_some(value)
    }

    /// Every member, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Format, &RawJson)> {
        self.0
            .iter()
            .map(|(name, (origin, value))| (name.as_str(), *origin, value))
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
