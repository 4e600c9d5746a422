//! What changed between two states of the folder, in words. Pure.

use std::collections::BTreeMap;
use std::fmt::Display;

use secrecy::{ExposeSecret, SecretString};

use super::objects::Objects;
use crate::manifests::{Manifests, Options};

/// How many changes a line tells; more would only hide them.
const SHOWN: usize = 8;

/// The objects of the folder, as they stand.
#[derive(Debug)]
pub(super) struct State {
    pub(super) objects: Objects,
    pub(super) manifests: Manifests,
}

// === impl State ===

impl State {
    /// Before anything was read.
    pub(super) fn empty(options: Options) -> Self {
        Self {
            objects: Objects::default(),
            manifests: Manifests::new(options),
        }
    }
}

/// `LLMRoute shop/assistant changed, Secret shop/key added`.
pub(super) fn between(before: &State, after: &State) -> String {
    let mut words = Vec::new();
    let mut tell = |kind: &str, changes: Vec<(String, &str)>| {
        let changes = changes.into_iter();
        words.extend(changes.map(|(name, what)| format!("{kind} {name} {what}")));
    };
    let (old, new) = (&before.objects, &after.objects);
    let routes = changes(&old.routes, &new.routes, |a, b| a.live == b.live);
    tell("LLMRoute", routes);
    let pools = changes(&old.pools, &new.pools, |a, b| a.live == b.live);
    tell("ProviderPool", pools);
    let (old, new) = (&before.manifests, &after.manifests);
    tell("Secret", changes(old.secrets(), new.secrets(), same_keys));
    let (old, new) = (old.world(), new.world());
    let maps = changes(&old.config_maps, &new.config_maps, PartialEq::eq);
    tell("ConfigMap", maps);
    let namespaces = changes(&old.namespaces, &new.namespaces, PartialEq::eq);
    tell("Namespace", namespaces);
    let more = words.len().saturating_sub(SHOWN);
    words.truncate(SHOWN);
    if more > 0 {
        words.push(format!("and {more} more"));
    }
    words.join(", ")
}

fn changes<K: Ord + Display, V>(
    before: &BTreeMap<K, V>,
    after: &BTreeMap<K, V>,
    same: impl Fn(&V, &V) -> bool,
) -> Vec<(String, &'static str)> {
    let there = after
        .iter()
        .filter_map(|(name, value)| match before.get(name) {
            None => Some((name.to_string(), "added")),
            Some(old) if !same(old, value) => Some((name.to_string(), "changed")),
            Some(_) => None,
        });
    let gone = before.keys().filter(|name| !after.contains_key(name));
    there
        .chain(gone.map(|name| (name.to_string(), "removed")))
        .collect()
}

/// Whether two Secrets, or two sets of keys, have the same entries.
pub(super) fn same_keys<K: Ord>(
    a: &BTreeMap<K, SecretString>,
    b: &BTreeMap<K, SecretString>,
) -> bool {
    let same = |((a_key, a), (b_key, b)): ((&K, &SecretString), (&K, &SecretString))| {
        a_key == b_key && a.expose_secret() == b.expose_secret()
    };
    a.len() == b.len() && a.iter().zip(b).all(same)
}
