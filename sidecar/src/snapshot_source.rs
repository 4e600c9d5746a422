//! Where snapshots come from: a file, or the operator, with the last good one on disk between restarts.

pub mod file;
pub(crate) mod last_good;
pub(crate) mod push;
