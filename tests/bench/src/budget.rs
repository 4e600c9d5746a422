//! The budgets of the sidecar and the verdict on a figure. Pure.

use serde::Serialize;

use crate::scenario::{Kind, Scenario};

/// A budget that is exceeded by this factor fails the bench; a smaller excess is to be explained.
pub const FAILS_ABOVE: f64 = 1.5;

/// CPU per request against bare-proxy.
pub const CPU_PER_REQUEST: f64 = 1.25;
/// The same for bodies of [`LARGE_BODY`] bytes and more.
pub const CPU_PER_LARGE_REQUEST: f64 = 1.5;
/// Where a body is large.
pub const LARGE_BODY: usize = 128 << 10;
/// CPU per streamed event against bare-proxy.
pub const CPU_PER_EVENT: f64 = 1.2;
/// Median latency and median time to first token above bare-proxy's, in microseconds.
pub const ADDED_MICROS: f64 = 100.0;
/// Resident memory of an idle sidecar, in MiB.
pub const IDLE_MEBIBYTES: f64 = 10.0;

/// What a figure is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Verdict {
    /// Within the budget.
    Met,
    /// Above it: to be explained with a profile.
    Missed,
    /// Above [`FAILS_ABOVE`] times the budget, or not measured at all.
    Failed,
}

/// One figure beside its budget.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Line {
    /// What was measured.
    pub what: String,
    /// Unit of figure and budget; empty for a ratio.
    pub unit: &'static str,
    /// The figure; NaN where there is none.
    pub figure: f64,
    /// The budget.
    pub budget: f64,
}

// === impl Line ===

impl Line {
    /// The verdict.
    pub fn verdict(&self) -> Verdict {
        verdict(self.figure, self.budget)
    }
}

/// The verdict on a figure of which less is better.
pub fn verdict(figure: f64, budget: f64) -> Verdict {
    if figure <= budget {
        Verdict::Met
    } else if figure <= budget * FAILS_ABOVE {
        Verdict::Missed
    } else {
        // NaN comes here too: what was not measured was not met.
        Verdict::Failed
    }
}

/// The budget of a scenario's CPU ratio; `None` where CPU is not what it shows.
pub fn cpu_ratio(scenario: &Scenario) -> Option<f64> {
    match scenario.kind {
        Kind::Whole if scenario.body >= LARGE_BODY => Some(CPU_PER_LARGE_REQUEST),
        Kind::Whole => Some(CPU_PER_REQUEST),
        Kind::Streams => Some(CPU_PER_EVENT),
        Kind::FirstToken => None,
    }
}

/// The budget of a scenario's added time, in microseconds; `None` where time is a matter of how many wait.
pub fn added_micros(scenario: &Scenario) -> Option<f64> {
    match scenario.kind {
        Kind::Whole => (scenario.connections == 1).then_some(ADDED_MICROS),
        Kind::FirstToken => Some(ADDED_MICROS),
        Kind::Streams => None,
    }
}

/// The exit code of the bench: 1 where a line failed.
pub fn exit_code(lines: &[Line]) -> u8 {
    u8::from(lines.iter().any(|line| line.verdict() == Verdict::Failed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario;

    fn line(figure: f64) -> Line {
        Line {
            what: "x".to_owned(),
            unit: "",
            figure,
            budget: 1.2,
        }
    }

    #[test]
    fn bounds_belong_to_the_better_side() {
        assert_eq!(verdict(1.25, 1.25), Verdict::Met);
        assert_eq!(verdict(1.26, 1.25), Verdict::Missed);
        assert_eq!(verdict(150.0, 100.0), Verdict::Missed);
        assert_eq!(verdict(150.1, 100.0), Verdict::Failed);
        assert_eq!(verdict(-20.0, 100.0), Verdict::Met);
        assert_eq!(verdict(f64::NAN, 100.0), Verdict::Failed);
        assert_eq!(verdict(f64::INFINITY, 100.0), Verdict::Failed);
    }

    #[test]
    fn one_failed_line_fails_all() {
        assert_eq!(exit_code(&[line(1.0), line(1.7)]), 0);
        assert_eq!(exit_code(&[line(1.0), line(1.9)]), 1);
    }

    #[test]
    fn every_scenario_has_a_budget() {
        for scenario in scenario::all() {
            let both = (cpu_ratio(&scenario), added_micros(&scenario));
            assert_ne!(both, (None, None), "{}", scenario.name());
        }
    }
}
