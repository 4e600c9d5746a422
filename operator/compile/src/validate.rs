//! Each object alone: from a spec to a value that cannot be wrong, or everything that is wrong with it.
//!
//! The API server has refused most of this before; it is judged again because an object may be older than its schema.

mod base_url;
mod dialect;
mod pool;
mod route;
mod timeouts;

pub(crate) use pool::{
    HttpTarget, MEDIA_BYTES, MEDIA_ITEMS, MEDIA_TIMEOUT, MEDIA_TOTAL_BYTES, NetworkRefs, SecretAt,
    Target, ValidPool, ValidProvider, is_right_media, pool, providers,
};
pub(crate) use route::{ValidBackend, ValidRoute, ValidRule, route};

use std::collections::BTreeSet;

use crate::Fault;

/// A fault for every name that stands twice in a list.
fn duplicates<'a>(path: &str, names: impl IntoIterator<Item = &'a str>, faults: &mut Vec<Fault>) {
    let mut seen = BTreeSet::new();
    for (index, name) in names.into_iter().enumerate() {
        if !seen.insert(name) {
            let message = format!("{name:?} stands twice; give each a name of its own");
            faults.push(Fault::invalid(format!("{path}[{index}].name"), message));
        }
    }
}

/// A weight as the API has it, which bounds it at 0; omitted: 1.
fn weight(given: Option<i32>) -> u32 {
    given.map_or(1, |weight| u32::try_from(weight).unwrap_or(0))
}
