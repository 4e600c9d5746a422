//! Failures as results: `{"error": {"kind", "message"}}` with a kind that a suite can count by.

use fkm_llm::embedding::InvalidVector;
use fkm_llm::{DecodeError, EncodeError, ProviderError, StreamFault};
use serde_json::{Value, json};

/// The command itself is wrong: a fault of the suite.
pub(crate) fn of_command(error: &dyn std::fmt::Display) -> Value {
    failure("command", &error.to_string())
}

pub(crate) fn of_decode(error: &DecodeError) -> Value {
    match error {
        DecodeError::Provider(said) => of_provider(said),
        other => failure("decode", &other.to_string()),
    }
}

pub(crate) fn of_stream(fault: &StreamFault) -> Value {
    match fault {
        StreamFault::Provider(said) => of_provider(said),
        StreamFault::Incomplete => failure("incomplete", &fault.to_string()),
        StreamFault::Malformed { .. } | StreamFault::TooLarge { .. } => {
            failure("malformed", &fault.to_string())
        }
    }
}

pub(crate) fn of_vector(error: InvalidVector) -> Value {
    failure("vector", &error.to_string())
}

/// A refusal, with the member and the reason apart.
pub(crate) fn of_encode(error: &EncodeError) -> Value {
    let (path, reason) = match error {
        EncodeError::Unsupported { path, reason, .. }
        | EncodeError::Operation { path, reason, .. }
        | EncodeError::Invalid { path, reason } => (path, reason),
    };
    json!({"error": {"kind": "refused", "message": error.to_string(), "path": path, "reason": reason}})
}

fn of_provider(said: &ProviderError) -> Value {
    json!({"error": {"kind": "provider", "message": said.message, "status": said.status}})
}

fn failure(kind: &str, message: &str) -> Value {
    json!({"error": {"kind": kind, "message": message}})
}
