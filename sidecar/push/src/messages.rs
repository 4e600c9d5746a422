//! The messages that both programs work with, and their conversion to and from the wire.

mod from_client;
mod from_server;

use std::sync::Arc;

use fkm_snapshot::{Feature, PodContext, Problem, Secrets, SnapshotHash};
use prost::bytes::Bytes;
use thiserror::Error;

/// What a sidecar sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientMessage {
    /// First, and only first.
    Hello(Hello),
    /// The delivery is in use.
    Ack(Ack),
    /// The delivery was refused.
    Nack(Nack),
}

/// A pod, as its token, its sidecar or the API server names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PodIdentity {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid: another pod of the same name has another one.
    pub uid: String,
}

/// Who connects, and what it has in use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hello {
    /// Who the sidecar says it is.
    pub pod: PodIdentity,
    /// The version of the program.
    pub sidecar_version: String,
    /// The features that it obeys.
    pub features: Vec<Feature>,
    /// The snapshot in use.
    pub applied_hash: Option<SnapshotHash>,
    /// The secrets in use; empty: none.
    pub applied_secrets_version: String,
}

/// What is in use after a delivery was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ack {
    /// The newest snapshot received on this stream; 0: none.
    pub version: u64,
    /// The snapshot in use.
    pub hash: SnapshotHash,
    /// The secrets in use; empty: none.
    pub secrets_version: String,
}

/// Why a delivery was refused, and what stays in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nack {
    /// The newest snapshot received on this stream; 0: none.
    pub version: u64,
    /// What was refused.
    pub hash: SnapshotHash,
    /// Why; the first [`crate::MAX_PROBLEMS`].
    pub problems: Vec<Problem>,
    /// The snapshot that stays in use.
    pub kept_hash: Option<SnapshotHash>,
    /// The secrets that stay in use; empty: none.
    pub kept_secrets_version: String,
}

/// What the operator sends.
#[derive(Clone, Debug)]
pub enum ServerMessage {
    /// What is this pod's own.
    Context(PodContext),
    /// Keys.
    Secrets(SecretsMessage),
    /// Pools and rules.
    Snapshot(SnapshotMessage),
}

/// All keys that the snapshot needs; replaces the ones before.
#[derive(Clone, Debug)]
pub struct SecretsMessage {
    /// The keys and their version.
    pub secrets: Arc<Secrets>,
    /// Whether the next message is a snapshot that is to be taken with them, or refused with them.
    pub snapshot_follows: bool,
}

/// A compressed snapshot. [`SnapshotMessage::open`] is the way in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotMessage {
    /// Counts the snapshots of a stream from 1.
    pub version: u64,
    /// The identity of the payload.
    pub hash: SnapshotHash,
    /// One zstd frame.
    pub payload: Bytes,
    /// What it makes, in bytes.
    pub uncompressed_size: usize,
    /// The objects that it was made of.
    pub objects: Arc<[ObjectRef]>,
}

/// A generation of a Kubernetes object that a snapshot was made of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// `LLMRoute` or `ProviderPool`.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
    /// `metadata.generation`.
    pub generation: i64,
}

/// A message that breaks the protocol.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum InvalidMessage {
    /// No member of the union that this version knows.
    #[error("the message holds nothing that this version knows; upgrade the older side")]
    Empty,
    /// A hash of another length.
    #[error("{field}: a hash has 32 bytes, this one {length}")]
    Hash {
        /// Where.
        field: &'static str,
        /// What came.
        length: usize,
    },
    /// A secret that is not text.
    #[error("secret {id}: its value is not UTF-8; keys must be text")]
    SecretNotText {
        /// `namespace/secret/key`.
        id: String,
    },
    /// A text over its bound.
    #[error("{field}: {length} bytes; the most is {most}")]
    TooLong {
        /// Where.
        field: &'static str,
        /// What came.
        length: usize,
        /// What is allowed.
        most: usize,
    },
    /// A list over its bound.
    #[error("{field}: {length} entries; the most is {most}")]
    TooMany {
        /// Where.
        field: &'static str,
        /// What came.
        length: usize,
        /// What is allowed.
        most: usize,
    },
}

fn hash(field: &'static str, bytes: &[u8]) -> Result<SnapshotHash, InvalidMessage> {
    let bytes = bytes.try_into().map_err(|_| InvalidMessage::Hash {
        field,
        length: bytes.len(),
    })?;
    Ok(SnapshotHash(bytes))
}

/// Empty stands for none.
fn optional_hash(
    field: &'static str,
    bytes: &[u8],
) -> Result<Option<SnapshotHash>, InvalidMessage> {
    if bytes.is_empty() {
        return Ok(None);
    }
    hash(field, bytes).map(Some)
}

fn hash_bytes(hash: Option<SnapshotHash>) -> Vec<u8> {
    hash.map(|hash| hash.0.to_vec()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
