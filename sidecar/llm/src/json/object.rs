//! One JSON object, its members still as text.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use fkm_dialect::Format;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::DecodeError;
use crate::ir::{Extra, RawJson};
use crate::json::Path;

/// The members of an object that have not been taken yet.
#[derive(Debug)]
pub(crate) struct Object<'a, 'p> {
    members: List<'a>,
    path: &'p Path<'p>,
}

/// Members with their names. On the stack they would be too large to be moved about: that costs more than an allocation.
type List<'a> = Vec<(Cow<'a, str>, &'a RawValue)>;

/// Up to so many names are compared each with each, which is faster than to sort them.
const FEW: usize = 16;

/// What serde makes of an object.
struct Members<'a>(List<'a>);

/// A key, borrowed where it holds no escapes.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

struct MembersVisitor;

// === impl Members ===

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor).map(Self)
    }
}

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = List<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = List::with_capacity(8);
        while let Some((Key(key), value)) = map.next_entry::<Key<'de>, &'de RawValue>()? {
            members.push((key, value));
        }
        Ok(members)
    }
}

// === impl Object ===

impl<'a, 'p> Object<'a, 'p> {
    /// The object that a whole body is.
    pub(crate) fn parse(body: &'a [u8], path: &'p Path<'p>) -> Result<Self, DecodeError> {
        match serde_json::from_slice(body) {
            Ok(Members(members)) => Self::new(members, path),
            Err(error) if error.is_data() => Err(invalid(path, "a JSON object")),
            Err(error) => Err(DecodeError::NotJson {
                detail: error.to_string(),
            }),
        }
    }

    /// The object that a value is.
    pub(crate) fn from_raw(raw: &'a RawValue, path: &'p Path<'p>) -> Result<Self, DecodeError> {
        let Ok(Members(members)) = serde_json::from_str(raw.get()) else {
            return Err(invalid(path, "an object"));
        };
        Self::new(members, path)
    }

    /// An object without members.
    pub(crate) fn empty(path: &'p Path<'p>) -> Self {
        Self {
            members: List::new(),
            path,
        }
    }

    fn new(members: List<'a>, path: &'p Path<'p>) -> Result<Self, DecodeError> {
        match twice(&members) {
            Some(name) => Err(DecodeError::Duplicate {
                path: path.member(name).to_string(),
            }),
            None => Ok(Self { members, path }),
        }
    }

    pub(crate) fn path(&self) -> &'p Path<'p> {
        self.path
    }

    /// Gives a member another name, unless there is one of that name already.
    pub(crate) fn rename(&mut self, from: &str, to: &str) {
        if self.members.iter().any(|(key, _)| key == to) {
            return;
        }
        if let Some((key, _)) = self.members.iter_mut().find(|(key, _)| key == from) {
            *key = Cow::Owned(to.to_owned());
        }
    }

    /// Takes a member; `null` is as good as none.
    pub(crate) fn raw(&mut self, name: &str) -> Option<&'a RawValue> {
        let at = self.members.iter().position(|(key, _)| key == name)?;
        let (_, value) = self.members.swap_remove(at);
        (value.get() != "null").then_some(value)
    }

    /// Looks at a member without taking it.
    pub(crate) fn peek(&self, name: &str) -> Option<&'a RawValue> {
        let (_, value) = self.members.iter().find(|(key, _)| key == name)?;
        Some(value)
    }

    /// Takes a member of type `T`, which `expected` describes.
    pub(crate) fn take<T: Deserialize<'a>>(
        &mut self,
        name: &str,
        expected: &'static str,
    ) -> Result<Option<T>, DecodeError> {
        let Some(raw) = self.raw(name) else {
            return Ok(None);
        };
        match serde_json::from_str(raw.get()) {
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(invalid(&self.path.member(name), expected)),
        }
    }

    pub(crate) fn string(&mut self, name: &str) -> Result<Option<String>, DecodeError> {
        self.take(name, "a string")
    }

    pub(crate) fn required_string(&mut self, name: &str) -> Result<String, DecodeError> {
        self.string(name)?.ok_or_else(|| self.missing(name))
    }

    pub(crate) fn required(&mut self, name: &str) -> Result<&'a RawValue, DecodeError> {
        self.raw(name).ok_or_else(|| self.missing(name))
    }

    /// The text of member `type`, which is left where it is; empty when there is none.
    pub(crate) fn kind(&self) -> Cow<'a, str> {
        self.peek("type").and_then(string).unwrap_or_default()
    }

    fn missing(&self, name: &str) -> DecodeError {
        DecodeError::Missing {
            path: self.path.member(name).to_string(),
        }
    }

    pub(crate) fn invalid(&self, name: &str, expected: impl Into<String>) -> DecodeError {
        invalid(&self.path.member(name), expected)
    }

    /// The only member, when there is one and no other; `null` is as good as none.
    pub(crate) fn only(&self) -> Option<(&str, &'a RawValue)> {
        let mut members = self
            .members
            .iter()
            .filter(|(_, value)| value.get() != "null");
        let (name, value) = members.next()?;
        members.next().is_none().then_some((&**name, *value))
    }

    /// Whether no member but these is left.
    pub(crate) fn has_only(&self, names: &[&str]) -> bool {
        self.members.iter().all(|(key, _)| names.contains(&&**key))
    }

    /// The members that have not been taken, in the order in which they were written (as long as none was taken).
    pub(crate) fn members(&self) -> impl Iterator<Item = (&str, &'a RawValue)> {
        self.members.iter().map(|(name, value)| (&**name, *value))
    }

    /// Whether every member has been taken.
    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Takes every member that is left.
    pub(crate) fn take_members(&mut self) -> BTreeMap<String, RawJson> {
        let members = std::mem::take(&mut self.members);
        let path = self.path;
        Self { members, path }.into_members()
    }

    /// What has not been taken, by name. `null` says nothing and is left out.
    pub(crate) fn into_members(self) -> BTreeMap<String, RawJson> {
        self.members
            .into_iter()
            .filter(|(_, value)| value.get() != "null")
            .map(|(name, value)| (name.into_owned(), RawJson::from(value)))
            .collect()
    }

    /// What has not been taken, with its origin.
    pub(crate) fn rest(self, origin: Format) -> Extra {
        let mut extra = Extra::default();
        self.rest_into(&mut extra, origin, "");
        extra
    }

    /// Adds what has not been taken to `extra`, its names after `prefix`. `null` says nothing and is left out.
    pub(crate) fn rest_into(self, extra: &mut Extra, origin: Format, prefix: &str) {
        for (name, value) in self.members {
            if value.get() != "null" {
                extra.insert(origin, format!("{prefix}{name}"), RawJson::from(value));
            }
        }
    }
}

/// A name that stands twice.
fn twice<'m>(members: &'m List<'_>) -> Option<&'m str> {
    let name = |at: usize| &*members[at].0;
    if members.len() <= FEW {
        let mut all = (0..members.len()).map(|at| (name(at), 0..at));
        let found = all.find(|(one, before)| before.clone().any(|at| name(at) == *one));
        return found.map(|(one, _)| one);
    }
    let mut names: Vec<&str> = members.iter().map(|(name, _)| &**name).collect();
    names.sort_unstable();
    let pair = names.windows(2).find(|pair| pair[0] == pair[1])?;
    Some(pair[0])
}

/// The elements of an array.
pub(crate) fn array<'a>(
    raw: &'a RawValue,
    path: &Path<'_>,
) -> Result<Vec<&'a RawValue>, DecodeError> {
    serde_json::from_str(raw.get()).map_err(|_| invalid(path, "an array"))
}

/// The text of a string value.
pub(crate) fn string(raw: &RawValue) -> Option<Cow<'_, str>> {
    let Key(text) = serde_json::from_str(raw.get()).ok()?;
    Some(text)
}

/// Whether a value is a string.
pub(crate) fn is_string(raw: &RawValue) -> bool {
    raw.get().starts_with('"')
}

/// What an object that is kept as JSON text is: its member `type`; without one, the name of its only member, or of the first
/// object in it; empty when there is none of them.
pub(crate) fn kind_of(text: &[u8]) -> String {
    let Ok(object) = Object::parse(text, &Path::Root) else {
        return String::new();
    };
    let kind = object.kind();
    if !kind.is_empty() || object.peek("type").is_some() {
        return kind.into_owned();
    }
    let only = object.members.len() == 1;
    let inner = object
        .members()
        .find(|(_, value)| only || value.get().starts_with('{'));
    inner.map(|(name, _)| name.to_owned()).unwrap_or_default()
}

fn invalid(path: &Path<'_>, expected: impl Into<String>) -> DecodeError {
    DecodeError::Invalid {
        path: path.to_string(),
        expected: expected.into(),
    }
}
