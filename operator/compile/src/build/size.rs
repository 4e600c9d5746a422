//! How large the payload of some routes would be, without building it.
//!
//! *Guarantees*: what [`Ledger::size`] says is the length of the payload to the byte; taking a route in and giving it back
//! costs as much as that route has parts, whatever else was taken in.

use std::collections::{BTreeMap, BTreeSet};

use fkm_snapshot::{Feature, MediaFetch, Pool};
use serde::Serialize;

use super::reach;
use crate::ObjectName;
use crate::dereference::{Pools, ResolvedRoute, UsableProvider};

/// The parts of the payload, and which of them are taken in.
pub(crate) struct Ledger<'a> {
    pools: &'a Pools<'a>,
    numbers: BTreeMap<Part<'a>, usize>,
    parts: Vec<Entry>,
    size: usize,
}

/// What several routes may need, and is in the payload once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part<'a> {
    /// The fields that are there as soon as there is a rule.
    Frame,
    /// The field of the pools.
    Pools,
    Feature(Feature),
    Pool(&'a ObjectName),
    Provider(&'a ObjectName, &'a str),
    Model(&'a ObjectName, &'a str, &'a str),
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    bytes: usize,
    taken: usize,
}

/// What one route needs.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    parts: Vec<usize>,
    rules: usize,
}

const EMPTY: usize = "{}".len();
const COMMA: usize = ",".len();
const COLON: usize = ":".len();
/// Each entry of a list brings its comma, so the list itself is one short.
const FRAME: usize = r#"{"requires":[],"rules":[]}"#.len() - EMPTY - 2 * COMMA;
const POOLS: usize = r#""pools":{},"#.len() - COMMA;

// === impl Ledger ===

impl<'a> Ledger<'a> {
    /// Nothing is taken in.
    pub(crate) fn new(pools: &'a Pools<'a>) -> Self {
        Self {
            pools,
            numbers: BTreeMap::new(),
            parts: Vec::new(),
            size: EMPTY,
        }
    }

    /// What this route needs.
    pub(crate) fn claim(&mut self, route: &'a ResolvedRoute) -> Claim {
        let mut claim = Claim {
            parts: Vec::new(),
            rules: 0,
        };
        if route.rules.is_empty() {
            return claim;
        }
        let mut numbers = BTreeSet::from([self.number(Part::Frame, || FRAME)]);
        for rule in &route.rules {
            let rule = super::rule(route, rule);
            claim.rules += length(&rule) + COMMA;
            numbers.insert(self.feature(super::strategy_feature(rule.strategy)));
        }
        let pools = self.pools;
        for (name, of_pool) in reach::reached(route.rules.iter(), pools) {
            numbers.insert(self.number(Part::Pools, || POOLS));
            numbers.insert(self.number(Part::Pool(name), || {
                let empty = Pool {
                    providers: Vec::new(),
                    media: reach::state(name, pools).media.clone(),
                };
                length(&name.to_string()) + COLON + length(&empty)
            }));
            if reach::state(name, pools).media.is_some() {
                numbers.insert(self.feature(Feature::from(MediaFetch::FEATURE)));
            }
            for provider in reach::state(name, pools).usable() {
                if let Some(models) = of_pool.get(provider.name.as_str()) {
                    self.provider(name, provider, models, &mut numbers);
                }
            }
        }
        claim.parts = numbers.into_iter().collect();
        claim
    }

    fn provider(
        &mut self,
        pool: &'a ObjectName,
        provider: &'a UsableProvider,
        models: &BTreeSet<&'a str>,
        numbers: &mut BTreeSet<usize>,
    ) {
        let part = Part::Provider(pool, &provider.name);
        numbers.insert(self.number(part, || {
            length(&reach::provider(provider, &BTreeSet::new()))
        }));
        for &model in models {
            let part = Part::Model(pool, &provider.name, model);
            numbers.insert(self.number(part, || {
                length(model) + COLON + length(&provider.models[model]) + COMMA
            }));
        }
        for feature in super::connection_features(&provider.connection) {
            numbers.insert(self.feature(feature));
        }
    }

    fn feature(&mut self, feature: Feature) -> usize {
        let bytes = length(&feature) + COMMA;
        self.number(Part::Feature(feature), || bytes)
    }

    fn number(&mut self, part: Part<'a>, bytes: impl FnOnce() -> usize) -> usize {
        let parts = &mut self.parts;
        *self.numbers.entry(part).or_insert_with(|| {
            parts.push(Entry {
                bytes: bytes(),
                taken: 0,
            });
            parts.len() - 1
        })
    }

    /// The size of the payload of this route alone.
    pub(crate) fn alone(&self, claim: &Claim) -> usize {
        let parts = claim.parts.iter().map(|part| self.parts[*part].bytes);
        EMPTY + claim.rules + parts.sum::<usize>()
    }

    /// The size of the payload of what is taken in.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    pub(crate) fn take(&mut self, claim: &Claim) {
        self.size += claim.rules;
        for part in &claim.parts {
            let entry = &mut self.parts[*part];
            self.size += if entry.taken == 0 { entry.bytes } else { 0 };
            entry.taken += 1;
        }
    }

    /// Undoes a [`take`](Self::take).
    pub(crate) fn give_back(&mut self, claim: &Claim) {
        self.size -= claim.rules;
        for part in &claim.parts {
            let entry = &mut self.parts[*part];
            entry.taken -= 1;
            self.size -= if entry.taken == 0 { entry.bytes } else { 0 };
        }
    }

    /// Undoes every [`take`](Self::take).
    pub(crate) fn clear(&mut self) {
        self.size = EMPTY;
        for entry in &mut self.parts {
            entry.taken = 0;
        }
    }
}

fn length<T: Serialize + ?Sized>(value: &T) -> usize {
    let json = serde_json::to_vec(value).expect("plain data with string keys always serialises");
    json.len()
}
