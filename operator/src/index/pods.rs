//! How far a pod is in its life, as far as it matters here.

use k8s_openapi::api::core::v1::Pod;

/// The life of a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Not running yet: its sidecar cannot be connected.
    Pending,
    /// Its sidecar should be connected.
    Running,
    /// Being deleted: it may finish with what it has, and nobody waits for it.
    Terminating,
    /// Over: whatever shows its token is not the pod.
    Ended,
}

/// The phase of a pod. One whose phase is unknown or not set yet is pending.
pub(crate) fn phase(pod: &Pod) -> Phase {
    let reported = pod
        .status
        .as_ref()
        .and_then(|status| status.phase.as_deref());
    match reported {
        Some("Succeeded" | "Failed") => Phase::Ended,
        _ if pod.metadata.deletion_timestamp.is_some() => Phase::Terminating,
        Some("Running") => Phase::Running,
        _ => Phase::Pending,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn phases() {
        let deleted = "2026-01-01T00:00:00Z";
        let cases = [
            (json!({}), Phase::Pending),
            (json!({"status": {"phase": "Pending"}}), Phase::Pending),
            (json!({"status": {"phase": "Unknown"}}), Phase::Pending),
            (json!({"status": {"phase": "Running"}}), Phase::Running),
            (json!({"status": {"phase": "Succeeded"}}), Phase::Ended),
            (json!({"status": {"phase": "Failed"}}), Phase::Ended),
            (
                json!({"metadata": {"deletionTimestamp": deleted}, "status": {"phase": "Running"}}),
                Phase::Terminating,
            ),
            (
                json!({"metadata": {"deletionTimestamp": deleted}, "status": {"phase": "Failed"}}),
                Phase::Ended,
            ),
        ];
        for (pod, expected) in cases {
            let parsed: Pod = serde_json::from_value(pod.clone()).unwrap();
            assert_eq!(phase(&parsed), expected, "{pod}");
        }
    }
}
