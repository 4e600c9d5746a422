//! The harness of the tests that need more than one crate: a real control plane, and the product installed on it.

pub mod canary;
pub mod cluster;
pub mod http;
pub mod installation;
mod ports;
mod process;
pub mod sdk;
mod spawner;

pub use cluster::{Cluster, Options, PodToken};
pub use installation::{Installation, Sidecar, TestPod};
