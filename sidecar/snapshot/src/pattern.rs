//! Model patterns of a match: a literal name, or one `*` at its start or end.

use std::fmt;

use thiserror::Error;

/// What a rule matches the requested model name with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelPattern {
    /// Exactly this name.
    Literal(String),
    /// `prefix*`; `*` alone is the empty prefix.
    Prefix(String),
    /// `*suffix`.
    Suffix(String),
}

/// A pattern that is none of the three forms.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is not a model pattern: give a name, or a name with one * at its start or end")]
pub struct InvalidPattern(pub String);

impl ModelPattern {
    /// Reads a pattern; refuses the empty string and a `*` anywhere but at one end.
    pub fn try_new(text: &str) -> Result<Self, InvalidPattern> {
        let invalid = || InvalidPattern(text.to_owned());
        match text.matches('*').count() {
            0 if !text.is_empty() => Ok(Self::Literal(text.to_owned())),
            1 => match (text.strip_suffix('*'), text.strip_prefix('*')) {
                (Some(prefix), _) => Ok(Self::Prefix(prefix.to_owned())),
                (None, Some(suffix)) => Ok(Self::Suffix(suffix.to_owned())),
                (None, None) => Err(invalid()),
            },
            _ => Err(invalid()),
        }
    }

    /// Whether the name, as the client sent it, matches.
    pub fn matches(&self, name: &str) -> bool {
        match self {
            Self::Literal(literal) => literal == name,
            Self::Prefix(prefix) => name.starts_with(prefix.as_str()),
            Self::Suffix(suffix) => name.ends_with(suffix.as_str()),
        }
    }

    /// Whether every name that `other` matches is matched by `self` too.
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::Literal(name)) => self.matches(name),
            (Self::Prefix(mine), Self::Prefix(theirs)) => theirs.starts_with(mine.as_str()),
            (Self::Suffix(mine), Self::Suffix(theirs)) => theirs.ends_with(mine.as_str()),
            (Self::Prefix(mine), Self::Suffix(_)) | (Self::Suffix(mine), Self::Prefix(_)) => {
                mine.is_empty()
            }
            (Self::Literal(_), _) => false,
        }
    }
}

impl fmt::Display for ModelPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(name) => f.write_str(name),
            Self::Prefix(prefix) => write!(f, "{prefix}*"),
            Self::Suffix(suffix) => write!(f, "*{suffix}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn forms() {
        assert!(ModelPattern::try_new("gpt-*").unwrap().matches("gpt-4o"));
        assert!(
            ModelPattern::try_new("*-mini")
                .unwrap()
                .matches("gpt-4o-mini")
        );
        assert!(ModelPattern::try_new("*").unwrap().matches("anything"));
        assert!(
            !ModelPattern::try_new("gpt-4o")
                .unwrap()
                .matches("gpt-4o-mini")
        );
        for bad in ["", "a*b", "**", "*a*"] {
            assert!(ModelPattern::try_new(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn covers_agrees_with_matches(a in "[ab]{0,2}\\*|\\*[ab]{1,2}|[ab]{1,3}", b in "[ab]{0,2}\\*|\\*[ab]{1,2}|[ab]{1,3}", name in "[ab]{0,4}") {
            let (a, b) = (ModelPattern::try_new(&a).unwrap(), ModelPattern::try_new(&b).unwrap());
            if a.covers(&b) && b.matches(&name) {
                prop_assert!(a.matches(&name));
            }
        }
    }
}
