//! How long something that is referred to has been missing. Pure: the clock is an argument.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use crate::object::ObjectName;

/// For so long a config map that no watch knows counts as on its way: watches of different kinds do not keep step, and
/// who applies a pool with its config map must not see it fail.
pub(super) const GRACE: Duration = Duration::from_secs(1);

/// Since when objects are missed.
#[derive(Debug, Default)]
pub(super) struct Absences(BTreeMap<ObjectName, Instant>);

// === impl Absences ===

impl Absences {
    /// Of what is missing now, what may still be on its way.
    pub(super) fn on_their_way_at(
        &mut self,
        now: Instant,
        missing: BTreeSet<ObjectName>,
    ) -> BTreeSet<ObjectName> {
        self.0.retain(|name, _| missing.contains(name));
        let mut young = BTreeSet::new();
        for name in missing {
            let since = *self.0.entry(name.clone()).or_insert(now);
            if now.duration_since(since) < GRACE {
                young.insert(name);
            }
        }
        young
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missed_counts_as_missing_only_after_a_while_and_once_more_after_it_was_there() {
        let (mut absences, start) = (Absences::default(), Instant::now());
        let missing = || BTreeSet::from([ObjectName::new("llm", "ca")]);
        let mut young = |now, missing| !absences.on_their_way_at(now, missing).is_empty();
        assert!(young(start, missing()));
        assert!(young(start + GRACE / 2, missing()));
        assert!(!young(start + GRACE, missing()));
        assert!(!young(start + 9 * GRACE, missing()));
        assert!(!young(start + 9 * GRACE, BTreeSet::new()));
        assert!(young(start + 10 * GRACE, missing()));
    }
}
