//! The command line `fkm`, without its `main`: manifests from files, what can be said of them
//! without a cluster, and a sidecar that serves them.
#![warn(missing_docs)]

mod args;
mod dev;
mod exit;
mod finding;
pub mod lint;
pub mod manifests;
mod report;
mod run;
mod schema;
mod yaml;

pub use args::{Args, Color, Command, DevArgs, LintArgs, Output};
pub use exit::Exit;
pub use run::run;
