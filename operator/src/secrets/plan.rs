//! Which Secrets to read and which to forget: pure.

use std::collections::{BTreeMap, BTreeSet};

use super::{SecretState, SecretVersion};
use crate::object::ObjectName;

/// What the next reads are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// In the version that is known of each: to be read.
    pub(crate) read: BTreeMap<ObjectName, SecretVersion>,
    /// Wanted, and not there.
    pub(crate) missing: BTreeSet<ObjectName>,
    /// No longer wanted.
    pub(crate) forget: BTreeSet<ObjectName>,
}

/// Compares what is wanted with what exists and what is held.
///
/// A value that was read for the version that is known now is not read again, even when the read itself gave a newer
/// version: the watch is about to say so too.
pub(crate) fn plan(
    wanted: &BTreeSet<ObjectName>,
    known: &BTreeMap<ObjectName, SecretVersion>,
    held: &BTreeMap<ObjectName, SecretState>,
) -> Plan {
    let mut plan = Plan::default();
    for name in wanted {
        match (known.get(name), held.get(name)) {
            (None, Some(SecretState::Missing { .. })) => {}
            (None, _) => _ = plan.missing.insert(name.clone()),
            (Some(known), Some(state)) if state.answers(known) => {}
            (Some(known), _) => _ = plan.read.insert(name.clone(), known.clone()),
        }
    }
    plan.forget = held
        .keys()
        .filter(|name| !wanted.contains(name))
        .cloned()
        .collect();
    plan
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::SecretValues;
    use super::*;

    fn version(text: &str) -> SecretVersion {
        SecretVersion {
            uid: "u".to_owned(),
            resource_version: text.to_owned(),
        }
    }

    fn held(asked: &str, read: &str) -> SecretState {
        let values = SecretValues {
            version: version(read),
            entries: BTreeMap::new(),
        };
        SecretState::Held {
            asked: version(asked),
            values: Arc::new(values),
        }
    }

    fn missing(asked: Option<&str>) -> SecretState {
        SecretState::Missing {
            asked: asked.map(version),
        }
    }

    #[test]
    fn reads_what_is_new_or_changed_and_nothing_else() {
        let name = ObjectName::new("llm", "key");
        let cases = [
            ("new", Some("1"), None, "read"),
            ("read already", Some("1"), Some(held("1", "1")), ""),
            (
                "read ahead of the watch",
                Some("1"),
                Some(held("1", "2")),
                "",
            ),
            ("the watch catches up", Some("2"), Some(held("1", "2")), ""),
            ("rotated", Some("3"), Some(held("1", "2")), "read"),
            (
                "created after it was missed",
                Some("1"),
                Some(missing(None)),
                "read",
            ),
            (
                "deleted ahead of the watch",
                Some("1"),
                Some(missing(Some("1"))),
                "",
            ),
            (
                "deleted and made again",
                Some("2"),
                Some(missing(Some("1"))),
                "read",
            ),
            ("deleted", None, Some(held("1", "1")), "missing"),
            ("never there", None, None, "missing"),
            ("known to be missing", None, Some(missing(None)), ""),
        ];
        for (case, known, held, expected) in cases {
            let wanted = BTreeSet::from([name.clone()]);
            let known = known
                .map(|text| (name.clone(), version(text)))
                .into_iter()
                .collect();
            let held = held
                .map(|state| (name.clone(), state))
                .into_iter()
                .collect();
            let plan = plan(&wanted, &known, &held);
            let actual = match (plan.read.is_empty(), plan.missing.is_empty()) {
                (true, true) => "",
                (false, true) => "read",
                (true, false) => "missing",
                (false, false) => "both",
            };
            assert_eq!(actual, expected, "{case}");
        }
    }

    #[test]
    fn forgets_what_nobody_wants() {
        let name = ObjectName::new("llm", "key");
        let held = BTreeMap::from([(name.clone(), held("1", "1"))]);
        let plan = plan(
            &BTreeSet::new(),
            &BTreeMap::from([(name.clone(), version("1"))]),
            &held,
        );
        assert_eq!(plan.forget, BTreeSet::from([name]));
        assert!(plan.read.is_empty());
    }
}
