//! Members that this crate does not know, kept for their own format.

use std::collections::BTreeMap;

use fkm_dialect::Format;

use crate::ir::RawJson;

/// Unknown members of one object, each with the format that it was found in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extra(BTreeMap<String, Member>);

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) origin: Format,
    pub(crate) value: RawJson,
    pub(crate) weight: Weight,
}

/// What it means to leave a member out in another format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// Nothing that its reader could miss (an echo of the request, the id of a part): not a word about it.
    Quiet,
    /// It is reported.
    Told,
    /// The same, and of those who speak the format only the client's own provider knows it: it is never written again.
    Private,
    /// Something else would be asked: the request is refused.
    Needed,
}

// === impl Extra ===

impl Extra {
    /// Keeps a member; one of the same name is replaced. Where another format leaves it out, that is reported.
    pub fn insert(&mut self, origin: Format, name: impl Into<String>, value: RawJson) {
        self.keep(origin, name, value, Weight::Told);
    }

    /// The same for a member that says nothing outside of its format: other formats leave it out without a word.
    pub fn insert_quiet(&mut self, origin: Format, name: impl Into<String>, value: RawJson) {
        self.keep(origin, name, value, Weight::Quiet);
    }

    /// The same for a member that only the client's own provider knows: it is left out for all others, also of its format.
    pub fn insert_private(&mut self, origin: Format, name: impl Into<String>, value: RawJson) {
        self.keep(origin, name, value, Weight::Private);
    }

    /// The same for a member of a request that cannot be left out: other formats refuse the request.
    pub fn insert_needed(&mut self, origin: Format, name: impl Into<String>, value: RawJson) {
        self.keep(origin, name, value, Weight::Needed);
    }

    fn keep(&mut self, origin: Format, name: impl Into<String>, value: RawJson, weight: Weight) {
        let member = Member {
            origin,
            value,
            weight,
        };
        self.0.insert(name.into(), member);
    }

    /// Adds all of `other`; what is in both is taken from there.
    pub(crate) fn extend(&mut self, other: &Self) {
        self.extend_where(other, |_, _| true);
    }

    /// Adds the members of `other` whose name and value `wanted` likes.
    pub(crate) fn extend_where(&mut self, other: &Self, wanted: impl Fn(&str, &RawJson) -> bool) {
        let members = other.0.iter();
        let wanted = members.filter(|(name, member)| wanted(name, &member.value));
        self.0
            .extend(wanted.map(|(name, member)| (name.clone(), member.clone())));
    }

    /// The value of a member that was found in `origin`.
    pub fn get(&self, origin: Format, name: &str) -> Option<&RawJson> {
        let member = self.0.get(name)?;
        (member.origin == origin).then_some(&member.value)
    }

    /// Every member that says something outside of its format, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Format, &RawJson)> {
        self.all()
            .filter(|(_, member)| member.weight != Weight::Quiet)
            .map(|(name, member)| (name, member.origin, &member.value))
    }

    /// Every member, by name.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &Member)> {
        self.0.iter().map(|(name, member)| (name.as_str(), member))
    }

    /// The first member that only `origin` understands and that a request to `format` cannot do without.
    pub(crate) fn needed_elsewhere(&self, format: Format) -> Option<(&str, Format)> {
        self.all()
            .find(|(_, member)| member.weight == Weight::Needed && member.origin != format)
            .map(|(name, member)| (name, member.origin))
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there is nothing that says anything outside of its format.
    pub fn is_quiet(&self) -> bool {
        self.iter().next().is_none()
    }
}
