//! Logs, traces and metrics: how both programs start them, and the one place that knows their names.
//!
//! A leaf: nothing of ours is seen here. Settings come in as values; what a component measures stays beside the
//! component, in its own struct with `register(&mut Registry)`.
#![warn(missing_docs)]

pub mod logs;
pub mod metrics;
pub mod names;
pub mod trace_context;
