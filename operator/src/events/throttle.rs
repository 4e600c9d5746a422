//! Which notices are worth an event: pure, the clock is an argument.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::Notice;

/// The same thing about the same object is told again only after so long.
const INTERVAL: Duration = Duration::from_mins(1);
/// So many different things are told in an interval, whatever happens.
const MAX_NOTICES: usize = 1024;

/// Object, reason and text.
type Key = (Option<String>, String, String);

/// Remembers what was told in the last interval.
#[derive(Debug, Default)]
pub(super) struct Throttle(HashMap<Key, Instant>);

// === impl Throttle ===

impl Throttle {
    /// Whether to tell it now.
    pub(super) fn admits_at(&mut self, now: Instant, notice: &Notice) -> bool {
        self.0
            .retain(|_, told| now.duration_since(*told) < INTERVAL);
        let key = (
            notice.regarding.uid.clone(),
            notice.reason.to_string(),
            notice.note.clone(),
        );
        if self.0.contains_key(&key) || self.0.len() >= MAX_NOTICES {
            return false;
        }
        self.0.insert(key, now);
        true
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
}
