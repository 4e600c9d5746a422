//! What is compiled: the routes of one group of pods, and the world that they may refer to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use fkm_crds::{LLMRouteSpec, ProviderPoolSpec};

/// A namespaced object of a kind that the context tells. Prints as `namespace/name`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// The routes that select the group, and everything else.
#[derive(Clone, Debug)]
pub struct Inputs<'a> {
    /// In any order.
    pub routes: Vec<RouteInput<'a>>,
    /// What they may refer to.
    pub world: &'a World<'a>,
}

/// Everything that a route may refer to; the same for every group.
#[derive(Clone, Debug, Default)]
pub struct World<'a> {
    /// The pools.
    pub pools: BTreeMap<ObjectName, PoolInput<'a>>,
    /// The labels of the namespaces.
    pub namespaces: BTreeMap<String, BTreeMap<String, String>>,
    /// The Secrets in the pools' namespaces, without their values.
    pub secrets: BTreeMap<ObjectName, SecretKeys>,
    /// Further Secrets that exist, of which nothing is known but the name; an error names near ones.
    pub other_secrets: BTreeSet<ObjectName>,
    /// The config maps in the pools' namespaces: the content of their key `ca.crt`, if they have one.
    pub config_maps: BTreeMap<ObjectName, Option<String>>,
}

/// What is known of a Secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretKeys {
    /// The keys that it has with text in them, and of which form that is.
    Present(BTreeMap<String, Form>),
    /// It exists, but could not be read; why.
    Unreadable(String),
}

/// The form of a value of a Secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One line, which can stand in a header.
    Line,
    /// Several lines, as PEM has them.
    Lines,
}

/// A route.
#[derive(Clone, Copy, Debug)]
pub struct RouteInput<'a> {
    /// Which.
    pub meta: Meta<'a>,
    /// As it stands in the object.
    pub live: &'a LLMRouteSpec,
    /// The newest that was accepted, if any was kept.
    pub accepted: Option<Stored<'a, LLMRouteSpec>>,
}

/// A pool.
#[derive(Clone, Copy, Debug)]
pub struct PoolInput<'a> {
    /// Of the live spec.
    pub generation: i64,
    /// As it stands in the object.
    pub live: &'a ProviderPoolSpec,
    /// The newest that was accepted, if any was kept.
    pub accepted: Option<Stored<'a, ProviderPoolSpec>>,
}

/// A spec that was accepted when it was live.
#[derive(Debug)]
pub struct Stored<'a, S> {
    /// Its generation.
    pub generation: i64,
    /// The spec.
    pub spec: &'a S,
}

/// What is needed of a route's metadata.
#[derive(Clone, Copy, Debug)]
pub struct Meta<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Of the live spec.
    pub generation: i64,
    /// When it was created, in seconds since 1970.
    pub created: i64,
}

// === impl Form ===

impl Form {
    /// The form of a value; `None`: it can be of no use, for it is empty or holds control characters.
    pub fn of(value: &str) -> Option<Self> {
        let is_text =
            |byte: u8| matches!(byte, b'\t' | b'\r' | b'\n') || byte >= b' ' && byte != 0x7f;
        match value.bytes().all(is_text) && !value.trim().is_empty() {
            false => None,
            true if value.contains(['\r', '\n']) => Some(Self::Lines),
            true => Some(Self::Line),
        }
    }
}

// === impl ObjectName ===

impl ObjectName {
    /// The object `name` in `namespace`.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
        }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

// === impl Meta ===

impl Meta<'_> {
    /// The route's name.
    pub fn object_name(&self) -> ObjectName {
        ObjectName::new(self.namespace, self.name)
    }
}

// === impl Stored ===

impl<S> Clone for Stored<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Stored<'_, S> {}
