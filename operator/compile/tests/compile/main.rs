//! The compiler over manifests: good ones byte for byte, wrong ones by their message, all of them by their laws.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a helper of tests fails as a test does"
)]

mod fit;
mod golden;
mod last_accepted;
mod objects;
mod property;
mod semantics;
mod wrong;
