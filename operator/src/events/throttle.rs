//! Which notices are worth an event: pure, the clock is an argument.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::{Notice, PUSH, REFUSE_SIDECAR};

/// The same thing about the same object is told again only after so long.
const INTERVAL: Duration = Duration::from_mins(1);
/// So many different things are told in an interval, whatever happens.
const MAX_NOTICES: usize = 1024;
/// So many of them about one pod for what its sidecar did: the texts, and how often there is one, are its own.
const MAX_OF_SIDECAR: usize = 10;

/// What makes two notices the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    uid: Option<String>,
    action: &'static str,
    reason: String,
    /// Without the text where a sidecar can make as many as it likes.
    note: Option<String>,
}

/// Remembers what was told in the last interval.
#[derive(Debug, Default)]
pub(super) struct Throttle(HashMap<Key, Instant>);

// === impl Throttle ===

impl Throttle {
    /// Whether to tell it now.
    pub(super) fn admits_at(&mut self, now: Instant, notice: &Notice) -> bool {
        self.0
            .retain(|_, told| now.duration_since(*told) < INTERVAL);
        let key = Key::of(notice);
        if self.0.contains_key(&key) || self.0.len() >= MAX_NOTICES {
            return false;
        }
        if key.is_of_sidecar() {
            let told = self.0.keys();
            let told = told.filter(|told| told.is_of_sidecar() && told.uid == key.uid);
            if told.count() >= MAX_OF_SIDECAR {
                return false;
            }
        }
        self.0.insert(key, now);
        true
    }
}

// === impl Key ===

impl Key {
    fn of(notice: &Notice) -> Self {
        let named_by_reason = notice.action == REFUSE_SIDECAR;
        Self {
            uid: notice.regarding.uid.clone(),
            action: notice.action,
            reason: notice.reason.to_string(),
            note: (!named_by_reason).then(|| notice.note.clone()),
        }
    }

    fn is_of_sidecar(&self) -> bool {
        [REFUSE_SIDECAR, PUSH].contains(&self.action)
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ObjectReference;

    use super::*;

    fn notice(uid: &str, note: &str) -> Notice {
        let regarding = ObjectReference {
            uid: Some(uid.to_owned()),
            ..ObjectReference::default()
        };
        Notice {
            regarding,
            action: "Test",
            reason: "Test".into(),
            note: note.to_owned(),
        }
    }

    #[test]
    fn tells_each_thing_once_an_interval() {
        let (mut throttle, start) = (Throttle::default(), Instant::now());
        assert!(throttle.admits_at(start, &notice("a", "x")));
        assert!(!throttle.admits_at(start + INTERVAL / 2, &notice("a", "x")));
        assert!(throttle.admits_at(start, &notice("a", "y")));
        assert!(throttle.admits_at(start, &notice("b", "x")));
        assert!(throttle.admits_at(start + INTERVAL, &notice("a", "x")));
    }

    #[test]
    fn a_flood_is_bounded() {
        let (mut throttle, start) = (Throttle::default(), Instant::now());
        let told = (0..2 * MAX_NOTICES)
            .filter(|n| throttle.admits_at(start, &notice(&n.to_string(), "x")))
            .count();
        assert_eq!(told, MAX_NOTICES);
        assert!(throttle.admits_at(start + INTERVAL, &notice("late", "x")));
    }

    fn by_sidecar(action: &'static str, uid: &str, reason: &'static str, note: &str) -> Notice {
        Notice {
            action,
            reason: reason.into(),
            ..notice(uid, note)
        }
    }

    #[test]
    fn a_sidecar_that_invents_texts_writes_no_flood() {
        let (mut throttle, start) = (Throttle::default(), Instant::now());
        let mut admits = |notice: &Notice| throttle.admits_at(start, notice);
        assert!(admits(&by_sidecar(REFUSE_SIDECAR, "u", "WrongPod", "a")));
        assert!(!admits(&by_sidecar(REFUSE_SIDECAR, "u", "WrongPod", "b")));
        assert!(admits(&by_sidecar(REFUSE_SIDECAR, "u", "HostPid", "c")));
        let refusal = |n: usize| by_sidecar(PUSH, "u", "SnapshotRejected", &n.to_string());
        let told = (0..99).filter(|n| admits(&refusal(*n))).count();
        assert_eq!(told, MAX_OF_SIDECAR - 2);
        assert!(admits(&by_sidecar(REFUSE_SIDECAR, "v", "WrongPod", "a")));
        assert!(admits(&notice("u", "what the operator itself says")));
    }
}
