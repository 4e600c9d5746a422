//! The push service: sidecars connect, prove who they are, and get what their pod may have.
//!
//! *Flow*: [`PushServer`] accepts and lets [`Authenticator`] look at the token; then the session follows the pod's
//! standing in [`crate::assignment`]. [`judge()`] decides, for whoever publishes that standing, whether a pod is such that
//! it may have keys at all.
//!
//! *Guarantees*: what is sent depends on the pod in our store alone, never on what the client claims; a refusal has one
//! of a closed set of reasons, which is counted and told to whoever writes events.

mod auth;
mod failure;
#[cfg(test)]
mod fixtures;
mod incident;
mod judge;
mod metrics;
mod plan;
mod server;
mod session;
mod trust;

pub use auth::{Authenticator, KubeReviewer, ReviewError, Reviewer, TOKEN_AUDIENCE, TokenIdentity};
pub use failure::AuthFailure;
pub use incident::{Incident, Incidents};
pub(crate) use judge::SIDECAR;
pub use judge::{InvalidImagePattern, JudgeSettings, Violation, judge};
pub use metrics::PushMetrics;
pub use server::{PushServer, ServeError};
pub use session::Timings;
pub use trust::{
    CA_SECRET, Ca, ServingCertificate, TrustError, load_or_create as load_or_create_ca,
    service_names,
};
