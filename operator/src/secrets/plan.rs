//! Which Secrets to read and which to forget: pure, the clock is an argument.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use super::{SecretState, SecretVersion};
use crate::object::ObjectName;

/// Pause before a failed read is tried again: a rotated key is to be live within 2 s.
const RETRY: Duration = Duration::from_millis(500);
/// The same when it has failed for long.
const LONG_RETRY: Duration = Duration::from_secs(2);
/// A Secret that is refused for so long counts as refused: roles are applied in any order, and take a moment.
const REFUSED_AFTER: Duration = Duration::from_secs(5);
/// A Secret that cannot be read for any other reason for so long counts as refused too: one credential less is better
/// than a pool, its revocations and its rotations standing still.
const UNREADABLE_AFTER: Duration = Duration::from_secs(30);

/// What the next reads are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// To be read, in the version that the watch knows of each; none: it knows none.
    pub(crate) read: BTreeMap<ObjectName, Option<SecretVersion>>,
    /// Held, and deleted.
    pub(crate) missing: BTreeSet<ObjectName>,
    /// No longer wanted.
    pub(crate) forget: BTreeSet<ObjectName>,
}

/// When to try again what could not be read, by name.
#[derive(Debug, Default)]
pub(crate) struct Retries(BTreeMap<ObjectName, Retry>);

#[derive(Clone, Copy, Debug)]
struct Retry {
    since: Instant,
    next: Instant,
}

/// Why a read failed, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The API server refuses it to us.
    Forbidden,
    /// Anything else.
    Other,
}

/// Compares what is wanted with what exists and what is held.
///
/// A value that was read for the version that is known now is not read again, even when the read itself gave a newer
/// version: the watch is about to say so too. One that the watch does not know may be there all the same, for it lags
/// behind: only the API server can say that it is missing. One that the watch knew and knows no more is deleted.
pub(crate) fn plan(
    wanted: &BTreeSet<ObjectName>,
    known: &BTreeMap<ObjectName, SecretVersion>,
    held: &BTreeMap<ObjectName, SecretState>,
) -> Plan {
    let mut plan = Plan::default();
    for name in wanted {
        match (known.get(name), held.get(name)) {
            (None, Some(SecretState::Missing { .. })) => {}
            (None, Some(SecretState::Held { asked: Some(_), .. })) => {
                plan.missing.insert(name.clone());
            }
            (Some(known), Some(state)) if state.answers(known) => {}
            (known, _) => _ = plan.read.insert(name.clone(), known.cloned()),
        }
    }
    plan.forget = held
        .keys()
        .filter(|name| !wanted.contains(name))
        .cloned()
        .collect();
    plan
}

// === impl Retries ===

impl Retries {
    /// Takes out of the plan what is not to be tried yet. Gives when the first of it is.
    pub(crate) fn put_off_at(&mut self, now: Instant, plan: &mut Plan) -> Option<Instant> {
        self.0.retain(|name, _| plan.read.contains_key(name));
        let waiting = self.0.iter().filter(|(_, retry)| now < retry.next);
        let mut first: Option<Instant> = None;
        for (name, retry) in waiting {
            plan.read.remove(name);
            first = Some(first.map_or(retry.next, |first| first.min(retry.next)));
        }
        first
    }

    /// It could not be read. `true`: for so long that it counts as refused.
    pub(crate) fn failed_at(&mut self, now: Instant, name: &ObjectName, failure: Failure) -> bool {
        let retry = self.0.entry(name.clone());
        let retry = retry.or_insert(Retry {
            since: now,
            next: now,
        });
        let lasts = now.duration_since(retry.since);
        retry.next = match lasts < REFUSED_AFTER {
            true => now + RETRY,
            false => now + LONG_RETRY,
        };
        lasts
            >= match failure {
                Failure::Forbidden => REFUSED_AFTER,
                Failure::Other => UNREADABLE_AFTER,
            }
    }

    /// It was read. What the watch does not know yet is read again after a while, for it may never come to know it.
    pub(crate) fn answered_at(&mut self, now: Instant, name: &ObjectName, known: bool) {
        if known {
            self.0.remove(name);
        } else {
            let next = now + LONG_RETRY;
            self.0.insert(name.clone(), Retry { since: now, next });
        }
    }
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
            asked: Some(version(asked)),
            values: Arc::new(values),
        }
    }

    /// Read before the watch knew it.
    fn ahead(read: &str) -> SecretState {
        match held(read, read) {
            SecretState::Held { values, .. } => SecretState::Held {
                asked: None,
                values,
            },
            other => other,
        }
    }

    fn missing(asked: Option<&str>) -> SecretState {
        SecretState::Missing {
            asked: asked.map(version),
        }
    }

    fn refused() -> SecretState {
        SecretState::Refused {
            why: "no".to_owned(),
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
            ("not known to the watch", None, None, "read"),
            (
                "read before the watch knew it",
                None,
                Some(ahead("1")),
                "read",
            ),
            ("now it does", Some("1"), Some(ahead("1")), ""),
            ("another version", Some("2"), Some(ahead("1")), "read"),
            ("refused", None, Some(refused()), "read"),
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

    #[test]
    fn a_failure_is_tried_again_after_a_pause_and_counts_after_a_while() {
        let name = ObjectName::new("llm", "key");
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        for (failure, counts) in [(Failure::Forbidden, 5), (Failure::Other, 30)] {
            let mut retries = Retries::default();
            assert!(!retries.failed_at(at(0), &name, failure), "{failure:?}");
            assert!(!retries.failed_at(at(counts - 1), &name, failure));
            assert!(retries.failed_at(at(counts), &name, failure));
            retries.answered_at(at(99), &name, true);
            assert!(!retries.failed_at(at(100), &name, failure));
        }
    }

    #[test]
    fn what_failed_is_not_read_at_every_event() {
        let name = ObjectName::new("llm", "key");
        let full = || Plan {
            read: BTreeMap::from([(name.clone(), None)]),
            ..Plan::default()
        };
        let (mut retries, now) = (Retries::default(), Instant::now());
        let is_put_off = |retries: &mut Retries, now| {
            let mut plan = full();
            let until = retries.put_off_at(now, &mut plan);
            assert_eq!(until.is_some(), plan.read.is_empty());
            until
        };
        assert_eq!(is_put_off(&mut retries, now), None);
        retries.failed_at(now, &name, Failure::Other);
        assert_eq!(is_put_off(&mut retries, now), Some(now + RETRY));
        assert_eq!(is_put_off(&mut retries, now + RETRY), None);
        retries.answered_at(now, &name, false);
        assert_eq!(is_put_off(&mut retries, now), Some(now + LONG_RETRY));
        // What is not wanted any more is forgotten.
        retries.put_off_at(now, &mut Plan::default());
        assert_eq!(is_put_off(&mut retries, now), None);
    }
}
