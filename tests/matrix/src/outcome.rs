//! What became of one case, and of a cell.

use std::collections::BTreeSet;

/// What became of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It came through.
    Pass,
    /// It was refused, with this reason.
    Refused(String),
    /// It was left out, and that was reported under these names.
    Dropped(Vec<String>),
    /// It was lost in silence, or came out wrong.
    Failed(String),
}

/// What became of all cases of a cell.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    pub(crate) passed: usize,
    pub(crate) refused: BTreeSet<String>,
    pub(crate) refusals: usize,
    pub(crate) dropped: BTreeSet<String>,
    pub(crate) drops: usize,
    pub(crate) failed: Vec<String>,
}

// === impl Cell ===

impl Cell {
    pub(crate) fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Pass => self.passed += 1,
            Outcome::Refused(reason) => {
                self.refusals += 1;
                self.refused.insert(reason);
            }
            Outcome::Dropped(names) => {
                self.drops += 1;
                self.dropped.extend(names);
            }
            Outcome::Failed(what) => self.failed.push(what),
        }
    }

    /// How many cases stand behind it.
    pub(crate) fn cases(&self) -> usize {
        self.passed + self.refusals + self.drops + self.failed.len()
    }
}
