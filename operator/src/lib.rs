//! The control plane: watches both kinds, compiles them for each group of pods, pushes the result, says what became of it.
//!
//! *Flow*: [`watch`] fills the stores → `group` sorts pods, compiles and publishes → [`push`] sends and hears →
//! `report` writes status and events. [`app`] is the only file that knows all of them.

pub mod admin;
pub mod app;
mod apply;
pub mod args;
pub mod assignment;
mod events;
mod group;
mod index;
pub mod metrics;
pub mod object;
pub mod process;
pub mod push;
mod report;
mod revision;
pub mod secrets;
mod status;
pub mod task;
pub mod watch;

/// The name of the program, and of what it writes to the API server.
const NAME: &str = "fkm-operator";
/// The field manager of what we own.
const FIELD_MANAGER: &str = "fkm-operator";
/// The field manager of status: a writer of its own, so that nothing else is ever undone by it.
const STATUS_FIELD_MANAGER: &str = "fkm-operator/status";
