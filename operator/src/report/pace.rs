//! When a status that differs may be written. Pure: the clock is an argument.

use std::time::Duration;

use fkm_crds::{ConditionType, Reason};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use tokio::time::Instant;

/// Counts that move without turning a condition are written once in so long: a thousand sidecars that answer one after
/// the other are not a thousand writes.
const INTERVAL: Duration = Duration::from_secs(1);

/// How long sidecars are given to come back after a start of the operator, before a status that was good says that they
/// are missing. They try at least once in 15 s.
const GRACE: Duration = Duration::from_secs(20);

/// Knows when the process started.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    start: Instant,
}

// === impl Pace ===

impl Pace {
    pub(super) fn new(start: Instant) -> Self {
        Self { start }
    }

    /// Whether to write now what would turn `previous` into `desired`, when it was last written at `last`.
    pub(super) fn admits_at(
        self,
        now: Instant,
        last: Option<Instant>,
        previous: &[Condition],
        desired: &[Condition],
    ) -> bool {
        if now.duration_since(self.start) < GRACE && only_misses_sidecars(previous, desired) {
            return false;
        }
        summary(previous) != summary(desired)
            || last.is_none_or(|last| now.duration_since(last) >= INTERVAL)
    }
}

/// Whether everything about this generation was good, and all that is not now is that sidecars have not come (back).
fn only_misses_sidecars(previous: &[Condition], desired: &[Condition]) -> bool {
    let of = |conditions: &[Condition], condition: ConditionType| {
        conditions
            .iter()
            .find(|one| one.type_ == condition.name())
            .cloned()
    };
    let (Some(was), Some(is)) = (
        of(previous, ConditionType::Ready),
        of(desired, ConditionType::Ready),
    ) else {
        return false;
    };
    let missing = [Reason::Disconnected, Reason::Progressing].map(Reason::name);
    was.observed_generation == is.observed_generation
        && was.status == "True"
        && missing.contains(&is.reason.as_str())
}

/// What a person or a tool waits for.
fn summary(conditions: &[Condition]) -> Vec<(&str, &str, &str, Option<i64>)> {
    conditions.iter().map(essence).collect()
}

fn essence(condition: &Condition) -> (&str, &str, &str, Option<i64>) {
    (
        &condition.type_,
        &condition.status,
        &condition.reason,
        condition.observed_generation,
    )
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
    use k8s_openapi::jiff::Timestamp;

    use super::*;

    fn ready(generation: i64, status: &str, reason: Reason, message: &str) -> Vec<Condition> {
        vec![Condition {
            last_transition_time: Time(Timestamp::UNIX_EPOCH),
            message: message.to_owned(),
            observed_generation: Some(generation),
            reason: reason.name().to_owned(),
            status: status.to_owned(),
            type_: ConditionType::Ready.name().to_owned(),
        }]
    }

    #[test]
    fn turns_at_once_and_counts_once_a_second() {
        let start = Instant::now();
        let pace = Pace::new(start);
        let later = start + GRACE;
        let one = ready(1, "False", Reason::Progressing, "1 of 3");
        let two = ready(1, "False", Reason::Progressing, "2 of 3");
        let done = ready(1, "True", Reason::Ready, "");
        assert!(pace.admits_at(later, None, &[], &one));
        assert!(!pace.admits_at(later + INTERVAL / 2, Some(later), &one, &two));
        assert!(pace.admits_at(later + INTERVAL, Some(later), &one, &two));
        assert!(pace.admits_at(later, Some(later), &two, &done));
        assert!(pace.admits_at(
            later,
            Some(later),
            &done,
            &ready(2, "True", Reason::Ready, "")
        ));
    }

    #[test]
    fn a_restart_of_the_operator_alone_turns_nothing() {
        let start = Instant::now();
        let pace = Pace::new(start);
        let good = ready(1, "True", Reason::Ready, "");
        let missing = ready(1, "False", Reason::Disconnected, "");
        assert!(!pace.admits_at(start, None, &good, &missing));
        assert!(pace.admits_at(start + GRACE, None, &good, &missing));
        assert!(
            pace.admits_at(start, None, &ready(0, "True", Reason::Ready, ""), &missing),
            "a new generation is news"
        );
        assert!(pace.admits_at(
            start,
            None,
            &good,
            &ready(1, "False", Reason::SecretNotFound, "")
        ));
    }
}
