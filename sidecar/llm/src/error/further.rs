//! What else a provider says in the object of its error, kept for clients who know that object.

use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::error::mask::mask_keys;
use crate::error::redactor::{MASK, Redactor};
use crate::ir::RawJson;
use crate::json::{Object, Path};

/// As much of names and values is kept of one error; members that would exceed it are left out.
const MAX_FURTHER_BYTES: usize = 16 * 1024;

/// Formats that have the same object for an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    /// `OpenAI`'s, of all its operations.
    OpenAi,
    /// Anthropic's.
    Anthropic,
}

/// Members of the object that no format has a place for, for example `failed_generation` of Groq, `innererror` of Azure.
///
/// `Debug` shows none of them: a key may be in them.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Further {
    family: Family,
    members: Vec<(String, RawJson)>,
}

/// Members of an object, to be written into another.
pub(crate) struct Members<'a>(&'a [(String, RawJson)]);

// === impl Further ===

impl Further {
    /// The members of the object `error` of a body, without those that are `known`.
    pub(crate) fn read(family: Family, body: &[u8], known: &[&str]) -> Option<Self> {
        let mut body = Object::parse(body, &Path::Root).ok()?;
        let error = Object::from_raw(body.raw("error")?, &Path::Root).ok()?;
        let mut left = MAX_FURTHER_BYTES;
        let mut fits = |name: &str, value: &str| {
            let taken = left.checked_sub(name.len() + value.len());
            left = taken.unwrap_or(left);
            taken.is_some()
        };
        let members: Vec<_> = error
            .members()
            .filter(|(name, value)| !known.contains(name) && value.get() != "null")
            .filter(|(name, value)| fits(name, value.get()))
            .map(|(name, value)| (name.to_owned(), RawJson::from(value)))
            .collect();
        (!members.is_empty()).then_some(Self { family, members })
    }

    /// Masks a key wherever it is repeated. A member that holds it otherwise than in a string is left out.
    pub(super) fn redact(&mut self, redactor: &Redactor) {
        for (_, value) in &mut self.members {
            *value = each_string(value, |text| redactor.redact(text));
        }
        self.members
            .retain(|(name, value)| !redactor.finds(name) && !redactor.finds(value.get()));
    }

    /// The same without what looks like a key.
    pub(super) fn masked(&self) -> Self {
        let masked = |text: &str| {
            let mut out = String::with_capacity(text.len());
            mask_keys(text, &mut out);
            out
        };
        let members = self.members.iter();
        Self {
            family: self.family,
            members: members
                .filter(|(name, _)| masked(name) == *name)
                .map(|(name, value)| (name.clone(), each_string(value, masked)))
                .collect(),
        }
    }

    /// What a client of `family` gets; nothing in another family.
    pub(crate) fn members(further: Option<&Self>, family: Family) -> Members<'_> {
        let same = further.filter(|further| further.family == family);
        Members(same.map_or(&[], |further| &further.members))
    }
}

impl fmt::Debug for Further {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Further").finish_non_exhaustive()
    }
}

// === impl Members ===

impl Serialize for Members<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl fmt::Debug for Members<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Members").finish_non_exhaustive()
    }
}

/// The value with every string in it changed, names of members as well; whatever is not changed stays as it was written.
fn each_string(value: &RawJson, change: impl Fn(&str) -> String) -> RawJson {
    let mut rest = value.get();
    let mut out = String::with_capacity(rest.len());
    while let Some(start) = rest.find('"') {
        let (before, from) = rest.split_at(start);
        let (raw, after) = from.split_at(string_end(from));
        out.push_str(before);
        match serde_json::from_str::<String>(raw) {
            Ok(text) => {
                let changed = change(&text);
                match changed == text {
                    true => out.push_str(raw),
                    false => out.push_str(RawJson::string(&changed).get()),
                }
            }
            // half a surrogate: what cannot be read cannot be looked through
            Err(_) => out.push_str(RawJson::string(MASK).get()),
        }
        rest = after;
    }
    out.push_str(rest);
    RawJson::try_new(&out).expect("strings stand where strings stood")
}

/// Behind the closing quote of the string that `text` begins with.
fn string_end(text: &str) -> usize {
    let mut escaped = false;
    let closes = |&(_, byte): &(usize, u8)| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    };
    let end = text.bytes().enumerate().skip(1).find(closes);
    end.map_or(text.len(), |(at, _)| at + 1)
}

#[cfg(test)]
mod tests;
