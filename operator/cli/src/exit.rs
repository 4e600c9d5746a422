//! How a run ends: its exit code, and what is said when the arguments cannot be used.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: all is well.
    Ok,
    /// 1: problems were found and shown.
    Problems,
    /// 1: it could not be done; the log says why.
    Failed,
    /// 64: the arguments cannot be used.
    Usage,
}

// === impl Exit ===

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Ok => 0,
            Exit::Problems | Exit::Failed => 1,
            Exit::Usage => 64,
        })
    }
}

/// Says what is wrong with the arguments.
pub(crate) fn complain(error: &dyn Display) -> Exit {
    // nothing can be done where even this cannot be written
    drop(writeln!(io::stderr(), "fkm: {error}"));
    Exit::Usage
}
