//! The main job, from kubectl to the SDK: real API server, operator and sidecars as programs, the fault upstream as
//! providers.
#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends where it fails, and spawns what it waits for"
)]

mod changes;
mod manifests;
mod outages;
mod scene;
mod secrets;
