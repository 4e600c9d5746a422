//! Data plane of Flux-Kontext-Max: a proxy beside one application pod.
//!
//! Start reading at `stack.rs`, the life of a request. `app.rs` puts the parts together, `runtime.rs` is what a snapshot
//! becomes, `upstream/` is the far side, `signin/` what it is shown, `snapshot_source/` is where snapshots come from.

pub mod app;
pub mod args;
mod attempt;
mod codec;
mod context;
mod error;
mod exchange;
mod failed;
mod inlined;
mod kept;
mod media_type;
mod metrics;
pub mod network;
mod owner;
mod policy;
pub mod process;
mod relay;
mod respond;
mod runtime;
mod segment;
mod server;
pub mod signin;
pub mod snapshot_source;
mod source;
mod stack;
mod steps;
pub mod store;
mod surface;
pub mod task;
mod upstream;
