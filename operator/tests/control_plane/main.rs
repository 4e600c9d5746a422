//! The operator against a real API server: real RBAC with the roles that are shipped, real Pods, real tokens.
//!
//! Nothing under test acts as the administrator. Only the sidecars are played: by the client that the real one uses.

mod change;
mod manifests;
mod objects;
mod program;
mod rbac;
mod refusal;
mod restart;
mod secret;
mod sidecar;
mod world;
