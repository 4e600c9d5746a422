//! What came in: one record a request.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use serde_json::Value;
use tokio::time::Instant;

/// One request as it arrived, and how its exchange went.
#[derive(Clone, Debug)]
pub struct Received {
    /// The method.
    pub method: Method,
    /// Path and query, as sent.
    pub path: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, without transfer coding.
    pub body: Bytes,
    /// The connection that it came on, counted from 0: equal numbers mean a reused connection.
    pub connection: usize,
    /// When it had arrived whole.
    pub at: Instant,
    /// When its client went away before the end of the answer.
    pub cancelled_at: Option<Instant>,
    /// When its answer had been written, as far as the step went.
    pub answered_at: Option<Instant>,
}

// === impl Received ===

impl Received {
    /// Whether the client went away before the end of the answer.
    pub fn cancelled(&self) -> bool {
        self.cancelled_at.is_some()
    }

    /// How long after the request's arrival the client went away.
    pub fn cancelled_after(&self) -> Option<Duration> {
        self.cancelled_at.map(|at| at - self.at)
    }

    /// A header's value, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON; `null` where it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}
