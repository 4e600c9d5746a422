//! Many model patterns at once: which of them is the first to match a name or to cover another pattern. Asking costs no
//! more for many patterns than for few.

use std::collections::{BTreeMap, HashMap};

use fkm_snapshot::ModelPattern;

/// Patterns, each with a rank.
#[derive(Clone, Debug)]
pub(crate) struct PatternIndex<'a, R> {
    literals: HashMap<&'a str, R>,
    prefixes: ByLength<'a, R>,
    suffixes: ByLength<'a, R>,
}

/// What stands beside the `*`, by its length in bytes.
type ByLength<'a, R> = BTreeMap<usize, HashMap<&'a str, R>>;

// === impl PatternIndex ===

impl<'a, R: Copy + Ord> PatternIndex<'a, R> {
    pub(crate) fn new() -> Self {
        Self {
            literals: HashMap::new(),
            prefixes: BTreeMap::new(),
            suffixes: BTreeMap::new(),
        }
    }

    /// Adds a pattern; of equal ones the lowest rank stays.
    pub(crate) fn insert(&mut self, pattern: &'a ModelPattern, rank: R) {
        let (texts, text) = match pattern {
            ModelPattern::Literal(name) => (&mut self.literals, name),
            ModelPattern::Prefix(prefix) => {
                (self.prefixes.entry(prefix.len()).or_default(), prefix)
            }
            ModelPattern::Suffix(suffix) => {
                (self.suffixes.entry(suffix.len()).or_default(), suffix)
            }
        };
        let first = texts.entry(text).or_insert(rank);
        *first = rank.min(*first);
    }

    /// The lowest rank of a pattern that matches this name.
    pub(crate) fn matching(&self, name: &str) -> Option<R> {
        let literal = self.literals.get(name).copied();
        let around = [self.starting(name), self.ending(name)];
        literal
            .into_iter()
            .chain(around.into_iter().flatten())
            .min()
    }

    /// The lowest rank of a pattern that matches whatever this one matches.
    pub(crate) fn covering(&self, pattern: &ModelPattern) -> Option<R> {
        match pattern {
            ModelPattern::Literal(name) => self.matching(name),
            ModelPattern::Prefix(prefix) => lower(self.starting(prefix), self.ending("")),
            ModelPattern::Suffix(suffix) => lower(self.ending(suffix), self.starting("")),
        }
    }

    fn starting(&self, text: &str) -> Option<R> {
        let prefixes = self.prefixes.range(..=text.len());
        let found = prefixes.filter_map(|(length, prefixes)| prefixes.get(text.get(..*length)?));
        found.min().copied()
    }

    fn ending(&self, text: &str) -> Option<R> {
        let suffixes = self.suffixes.range(..=text.len());
        let found = suffixes
            .filter_map(|(length, suffixes)| suffixes.get(text.get(text.len() - length..)?));
        found.min().copied()
    }
}

fn lower<R: Ord>(one: Option<R>, other: Option<R>) -> Option<R> {
    one.into_iter().chain(other).min()
}

impl<'a> PatternIndex<'a, ()> {
    /// These patterns, all of one rank.
    pub(crate) fn of(patterns: &'a [ModelPattern]) -> Self {
        let mut index = Self::new();
        for pattern in patterns {
            index.insert(pattern, ());
        }
        index
    }

    /// Whether one of them matches this name.
    pub(crate) fn matches(&self, name: &str) -> bool {
        self.matching(name).is_some()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FORMS: &str = "[aé]{0,2}\\*|\\*[aé]{1,2}|[aé]{1,3}";

    proptest! {
        #[test]
        fn says_what_each_pattern_says(patterns in prop::collection::vec(FORMS, 0..6), asked in FORMS, name in "[aé]{0,4}") {
            let patterns: Vec<_> = patterns.iter().map(|one| ModelPattern::try_new(one).unwrap()).collect();
            let asked = ModelPattern::try_new(&asked).unwrap();
            let mut index = PatternIndex::new();
            for (rank, pattern) in patterns.iter().enumerate() {
                index.insert(pattern, rank);
            }
            prop_assert_eq!(index.covering(&asked), patterns.iter().position(|one| one.covers(&asked)));
            prop_assert_eq!(index.matching(&name), patterns.iter().position(|one| one.matches(&name)));
        }
    }
}
