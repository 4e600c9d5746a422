//! Conversion of what the operator sends.

use std::fmt;
use std::sync::Arc;

use fkm_snapshot::{PodContext, Problem, ProblemCode, SecretId, Secrets};
use prost::Message as _;
use secrecy::{ExposeSecret, SecretString};

use super::{InvalidMessage, ObjectRef, SecretsMessage, ServerMessage, SnapshotMessage, hash};
use crate::MAX_SERVER_MESSAGE_BYTES;
use crate::wire::{self, server_message::Message};

// === impl ServerMessage ===

impl TryFrom<wire::ServerMessage> for ServerMessage {
    type Error = InvalidMessage;

    fn try_from(message: wire::ServerMessage) -> Result<Self, Self::Error> {
        match message.message.ok_or(InvalidMessage::Empty)? {
            Message::PodContext(context) => Ok(Self::Context(context.into())),
            Message::Secrets(secrets) => secrets.try_into().map(Self::Secrets),
            Message::Snapshot(snapshot) => snapshot.try_into().map(Self::Snapshot),
        }
    }
}

impl From<ServerMessage> for wire::ServerMessage {
    fn from(message: ServerMessage) -> Self {
        let message = match message {
            ServerMessage::Context(context) => Message::PodContext(context.into()),
            ServerMessage::Secrets(secrets) => Message::Secrets(secrets.into()),
            ServerMessage::Snapshot(snapshot) => Message::Snapshot(snapshot.into()),
        };
        Self {
            message: Some(message),
        }
    }
}

impl ServerMessage {
    /// For the wire, if it fits [`MAX_SERVER_MESSAGE_BYTES`]. A larger one would make gRPC end the stream, and the next
    /// one too.
    pub fn into_bounded(self) -> Result<wire::ServerMessage, Problem> {
        let path = match &self {
            Self::Context(_) => "podContext",
            Self::Secrets(_) => "secrets",
            Self::Snapshot(_) => "snapshot",
        };
        let message = wire::ServerMessage::from(self);
        let length = message.encoded_len();
        if length <= MAX_SERVER_MESSAGE_BYTES {
            return Ok(message);
        }
        let text =
            format!("the message has {length} bytes; the most is {MAX_SERVER_MESSAGE_BYTES}");
        Err(Problem::new(path, ProblemCode::TooLarge, text))
    }
}

// === impl PodContext ===

impl From<wire::PodContext> for PodContext {
    fn from(context: wire::PodContext) -> Self {
        Self {
            pod: context.pod,
            namespace: context.namespace,
            service_account: context.service_account,
        }
    }
}

impl From<PodContext> for wire::PodContext {
    fn from(context: PodContext) -> Self {
        Self {
            pod: context.pod,
            namespace: context.namespace,
            service_account: context.service_account,
        }
    }
}

// === impl SecretsMessage ===

impl TryFrom<wire::Secrets> for SecretsMessage {
    type Error = InvalidMessage;

    fn try_from(message: wire::Secrets) -> Result<Self, Self::Error> {
        let entries = message
            .entries
            .into_iter()
            .map(|secret| match String::from_utf8(secret.value) {
                Ok(value) => Ok((SecretId(secret.id), SecretString::from(value))),
                Err(_) => Err(InvalidMessage::SecretNotText { id: secret.id }),
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            secrets: Arc::new(Secrets {
                version: message.version,
                entries,
            }),
            snapshot_follows: message.snapshot_follows,
        })
    }
}

impl From<SecretsMessage> for wire::Secrets {
    fn from(message: SecretsMessage) -> Self {
        let entries = message
            .secrets
            .entries
            .iter()
            .map(|(id, value)| wire::Secret {
                id: id.0.clone(),
                value: value.expose_secret().as_bytes().to_vec(),
            })
            .collect();
        Self {
            version: message.secrets.version.clone(),
            entries,
            snapshot_follows: message.snapshot_follows,
        }
    }
}

// === impl Secret ===

/// Shows the name, never the value.
impl fmt::Debug for wire::Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secret")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

// === impl SnapshotMessage ===

impl TryFrom<wire::Snapshot> for SnapshotMessage {
    type Error = InvalidMessage;

    fn try_from(message: wire::Snapshot) -> Result<Self, Self::Error> {
        Ok(Self {
            version: message.version,
            hash: hash("snapshot.hash", &message.hash)?,
            payload: message.payload,
            // What does not fit is over the bound on payloads too, and refused there.
            uncompressed_size: usize::try_from(message.uncompressed_size).unwrap_or(usize::MAX),
            objects: message.objects.into_iter().map(ObjectRef::from).collect(),
        })
    }
}

impl From<SnapshotMessage> for wire::Snapshot {
    fn from(message: SnapshotMessage) -> Self {
        Self {
            version: message.version,
            hash: message.hash.0.to_vec(),
            payload: message.payload,
            uncompressed_size: message.uncompressed_size as u64,
            objects: message
                .objects
                .iter()
                .cloned()
                .map(wire::ObjectRef::from)
                .collect(),
        }
    }
}

// === impl ObjectRef ===

impl From<wire::ObjectRef> for ObjectRef {
    fn from(object: wire::ObjectRef) -> Self {
        Self {
            kind: object.kind,
            namespace: object.namespace,
            name: object.name,
            uid: object.uid,
            generation: object.generation,
        }
    }
}

impl From<ObjectRef> for wire::ObjectRef {
    fn from(object: ObjectRef) -> Self {
        Self {
            kind: object.kind,
            namespace: object.namespace,
            name: object.name,
            uid: object.uid,
            generation: object.generation,
        }
    }
}
