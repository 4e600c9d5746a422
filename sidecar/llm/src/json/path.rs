//! Where in a body something is, for messages; built on the stack, printed only when something is wrong.

use std::fmt;

/// A place in a JSON document.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Path<'p> {
    /// The document.
    Root,
    /// A member of an object.
    Member(&'p Self, &'p str),
    /// An element of an array.
    Item(&'p Self, usize),
}

// === impl Path ===

impl<'p> Path<'p> {
    pub(crate) fn member(&'p self, name: &'p str) -> Self {
        Self::Member(self, name)
    }

    pub(crate) fn item(&'p self, index: usize) -> Self {
        Self::Item(self, index)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("the body"),
            Self::Member(Self::Root, name) => f.write_str(name),
            Self::Member(parent, name) => write!(f, "{parent}.{name}"),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}
