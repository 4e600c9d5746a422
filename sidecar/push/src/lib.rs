//! How snapshots travel: the messages and the gRPC service between operator and sidecar.
//!
//! *Flow*: `proto/fluxkontext/snapshot/v1/push.proto` says who sends what when. [`ClientMessage`] and [`ServerMessage`]
//! are what both programs work with; [`wire`] is what stands on the wire, and the conversions between the two are the
//! only place where a message is checked.
//!
//! *Guarantees*: a payload is decompressed into no more than [`fkm_snapshot::MAX_PAYLOAD_BYTES`], and its hash is
//! verified, before anything reads it; no `Debug` of any type here shows the value of a secret.
//!
//! *Caveats*: one concern only. Who may have what is decided in the operator; what is done with it, in the sidecar.
#![warn(missing_docs)]

mod client;
mod limits;
mod messages;
mod payload;

pub use client::{Client, ClientSettings, ConnectError, PushStream};
pub use limits::{
    MAX_CLIENT_MESSAGE_BYTES, MAX_FEATURES, MAX_NAME_CHARS, MAX_PROBLEM_CHARS, MAX_PROBLEMS,
    MAX_SERVER_MESSAGE_BYTES,
};
pub use messages::{
    Ack, ClientMessage, Hello, InvalidMessage, Nack, ObjectRef, PodIdentity, SecretsMessage,
    ServerMessage, SnapshotMessage,
};
pub use payload::{OpenSnapshot, compress, missing_secrets};

/// The messages as they stand on the wire, and the service; generated.
#[expect(
    missing_docs,
    clippy::pedantic,
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    reason = "generated; the comments are in the proto file"
)]
pub mod wire {
    tonic::include_proto!("fluxkontext.snapshot.v1");
}
