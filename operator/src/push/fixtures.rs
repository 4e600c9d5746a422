//! What the tests of sessions and of the server share: one pod, its snapshots, its tables.

use std::sync::Arc;

use fkm_push::{Hello, ObjectRef, PodIdentity, SnapshotMessage};
use fkm_snapshot::{PodContext, SecretId, Secrets, Snapshot, ValidSnapshot};
use secrecy::SecretString;
use tokio::sync::mpsc;

use super::{Incident, Incidents, PushMetrics};
use crate::assignment::{Acknowledgements, Assignment, Assignments, Payload, Standing};

pub(super) const CANARY: &str = "sk-canary-of-the-session";

/// The pod of the tests.
pub(super) fn pod() -> PodIdentity {
    PodIdentity {
        namespace: "shop".into(),
        name: "shop-1".into(),
        uid: "u-1".into(),
    }
}

pub(super) fn hello() -> Hello {
    Hello {
        pod: pod(),
        sidecar_version: "0.1.0".into(),
        ..Hello::default()
    }
}

/// A sidecar that has this in use.
pub(super) fn hello_with(assignment: &Assignment) -> Hello {
    Hello {
        applied_hash: Some(assignment.snapshot.hash),
        applied_secrets_version: assignment.secrets.version.clone(),
        ..hello()
    }
}

pub(super) fn objects(generation: i64) -> Vec<ObjectRef> {
    vec![ObjectRef {
        kind: "LLMRoute".into(),
        namespace: "shop".into(),
        name: "chat".into(),
        uid: "r-1".into(),
        generation,
    }]
}

/// Generation `generation` of one route, which makes another payload each time; keys of version `secrets`.
pub(super) fn assignment(generation: i64, secrets: &str) -> Assignment {
    let text = format!("answer {generation}");
    let snapshot: Snapshot = serde_json::from_value(serde_json::json!({
        "pools": {"llm/main": {"providers": [{
            "name": "a",
            "system": "simulated",
            "connection": {"simulated": {"text": text}},
            "models": {}
        }]}}
    }))
    .unwrap();
    let snapshot = ValidSnapshot::try_new(&snapshot).unwrap();
    let mut entries = std::collections::BTreeMap::new();
    if !secrets.is_empty() {
        let id = SecretId::new("llm", "keys", "a");
        entries.insert(id, SecretString::from(format!("{CANARY}-{secrets}")));
    }
    Assignment {
        snapshot: Arc::new(Payload::new(&snapshot, objects(generation))),
        secrets: Arc::new(Secrets {
            version: secrets.into(),
            entries,
        }),
        context: PodContext {
            pod: pod().name,
            namespace: pod().namespace,
            service_account: "shop-account".into(),
        },
    }
}

/// The tables of an operator.
pub(super) struct Tables {
    pub(super) assignments: Assignments,
    pub(super) acknowledgements: Acknowledgements,
    pub(super) metrics: PushMetrics,
    pub(super) incidents: Incidents,
    pub(super) reported: mpsc::Receiver<Incident>,
}

// === impl Tables ===

impl Tables {
    pub(super) fn new() -> Self {
        let metrics = PushMetrics::default();
        let (incidents, reported) = Incidents::channel(metrics.clone());
        Self {
            assignments: Assignments::new(),
            acknowledgements: Acknowledgements::new(),
            metrics,
            incidents,
            reported,
        }
    }

    /// The same tables for a second stream; refusals are told to the first.
    pub(super) fn again(&self) -> Self {
        Self {
            assignments: self.assignments.clone(),
            acknowledgements: self.acknowledgements.clone(),
            metrics: self.metrics.clone(),
            incidents: self.incidents.clone(),
            reported: mpsc::channel(1).1,
        }
    }

    pub(super) fn grant(&self, assignment: &Assignment) {
        let standing = Standing::Granted(assignment.clone());
        self.assignments.publish(&pod().uid, standing);
    }

    /// What the pod has in effect of the route, by the record.
    pub(super) fn programmed_generation(&self) -> Option<i64> {
        let record = self.acknowledgements.get(&pod().uid)?;
        Some(record.programmed?.objects[0].generation)
    }
}

pub(super) fn is_of(message: &SnapshotMessage, assignment: &Assignment) -> bool {
    message.hash == assignment.snapshot.hash
}
