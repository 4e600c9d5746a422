//! Time limits: a rule's own before the route's, and all of them inside the whole request's.

use fkm_crds::{Duration, Policy as PolicySpec, Timeouts as TimeoutsSpec};
use fkm_snapshot::{Millis, Timeouts};

use crate::Fault;

/// The time limits that are given, a rule's own replacing the defaults' one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Given {
    request: Option<Millis>,
    attempt: Option<Millis>,
    connect: Option<Millis>,
    first_content: Option<Millis>,
    between_events: Option<Millis>,
}

/// Reads the time limits of a policy that stands at `path`.
pub(super) fn read(path: &str, policy: Option<&PolicySpec>, faults: &mut Vec<Fault>) -> Given {
    let Some(spec) = policy.and_then(|policy| policy.timeouts.as_ref()) else {
        return Given::default();
    };
    let TimeoutsSpec {
        request,
        attempt,
        connect,
        first_content,
        between_events,
    } = spec;
    let mut read = |field: &str, duration: &Option<Duration>| {
        let duration = duration.as_ref()?;
        let path = format!("{path}.timeouts.{field}");
        match duration.parse() {
            Err(error) => faults.push(Fault::invalid(path, error.to_string())),
            Ok(zero) if zero.is_zero() => {
                let message = format!("{:?} leaves no time; write a duration above 0", duration.0);
                faults.push(Fault::invalid(path, message));
            }
            Ok(parsed) => {
                return Some(Millis(
                    u64::try_from(parsed.as_millis()).unwrap_or(u64::MAX),
                ));
            }
        }
        None
    };
    Given {
        request: read("request", request),
        attempt: read("attempt", attempt),
        connect: read("connect", connect),
        first_content: read("firstContent", first_content),
        between_events: read("betweenEvents", between_events),
    }
}

// === impl Given ===

impl Given {
    /// These, and the defaults' where these say nothing.
    pub(super) fn over(self, defaults: Self) -> Self {
        Self {
            request: self.request.or(defaults.request),
            attempt: self.attempt.or(defaults.attempt),
            connect: self.connect.or(defaults.connect),
            first_content: self.first_content.or(defaults.first_content),
            between_events: self.between_events.or(defaults.between_events),
        }
    }

    /// Faults for every limit that the request's would always end first.
    pub(super) fn check(self, path: &str, faults: &mut Vec<Fault>) {
        let request = self.effective().request;
        for (field, limit) in [
            ("attempt", self.attempt),
            ("connect", self.connect),
            ("firstContent", self.first_content),
        ] {
            if let Some(limit) = limit.filter(|limit| *limit > request) {
                let (limit, request) = (
                    Duration::from_millis(limit.0),
                    Duration::from_millis(request.0),
                );
                let message = format!(
                    "{field} {} is longer than request {}, which ends it; shorten {field} or lengthen request",
                    limit.0, request.0
                );
                faults.push(Fault::invalid(format!("{path}.timeouts.{field}"), message));
            }
        }
    }

    /// With the built-in defaults.
    pub(super) fn effective(self) -> Timeouts {
        let built_in = Timeouts::default();
        Timeouts {
            connect: self.connect.unwrap_or(built_in.connect),
            first_content: self.first_content,
            between_events: self.between_events.unwrap_or(built_in.between_events),
            attempt: self.attempt,
            request: self.request.unwrap_or(built_in.request),
        }
    }
}
