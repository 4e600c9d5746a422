//! What is measured: one load at a time.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Which figure of a scenario is held against a budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Whole answers, as fast as they come: CPU per request, requests a second, latency.
    Whole,
    /// Many streams at once: CPU per event.
    Streams,
    /// Few streams, at a steady rate: time to first token.
    FirstToken,
}

/// One load.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Scenario {
    /// What it shows.
    pub kind: Kind,
    /// Bytes of the request's body.
    pub body: usize,
    /// Connections.
    pub connections: usize,
    /// Requests a second, or none: as many as are answered.
    pub rate: Option<u32>,
    /// Events of a stream.
    pub events: u32,
    /// Between two of them.
    pub interval: Duration,
}

const BODIES: [usize; 3] = [300, 8 << 10, 128 << 10];
const CONNECTIONS: [usize; 3] = [1, 16, 64];

/// Every scenario, in the order of the report.
pub fn all() -> Vec<Scenario> {
    let whole = |body, connections| Scenario {
        kind: Kind::Whole,
        body,
        connections,
        rate: None,
        events: 0,
        interval: Duration::ZERO,
    };
    let mut all: Vec<_> = BODIES
        .iter()
        .flat_map(|&body| CONNECTIONS.map(|connections| whole(body, connections)))
        .collect();
    all.push(Scenario {
        kind: Kind::Streams,
        events: 50,
        interval: Duration::from_millis(10),
        ..whole(BODIES[0], 64)
    });
    all.push(Scenario {
        kind: Kind::FirstToken,
        rate: Some(200),
        events: 5,
        interval: Duration::from_millis(1),
        ..whole(BODIES[0], 16)
    });
    all
}

// === impl Scenario ===

impl Scenario {
    /// For a table.
    pub fn name(&self) -> String {
        let size = match self.body {
            bytes if bytes >= 1 << 10 => format!("{} KB", bytes >> 10),
            bytes => format!("{bytes} B"),
        };
        match (self.kind, self.rate) {
            (Kind::Whole, _) if self.connections == 1 => format!("{size}, 1 connection"),
            (Kind::Whole, _) => format!("{size}, {} connections", self.connections),
            (_, Some(rate)) => format!("{rate} streams/s of {} events", self.events),
            (_, None) => format!("{} streams of {} events", self.connections, self.events),
        }
    }

    /// Whether its requests ask for a stream.
    pub fn is_stream(&self) -> bool {
        self.kind != Kind::Whole
    }
}
