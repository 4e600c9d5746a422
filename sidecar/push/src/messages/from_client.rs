//! Conversion of what a sidecar sends. The operator trusts none of it: every text and list has its bound.

use fkm_snapshot::{Feature, Problem, ProblemCode};

use super::{
    Ack, ClientMessage, Hello, InvalidMessage, Nack, PodIdentity, hash, hash_bytes, optional_hash,
};
use crate::wire::{self, client_message::Message};
use crate::{MAX_FEATURES, MAX_NAME_CHARS, MAX_PROBLEM_CHARS, MAX_PROBLEMS};

// === impl ClientMessage ===

impl TryFrom<wire::ClientMessage> for ClientMessage {
    type Error = InvalidMessage;

    fn try_from(message: wire::ClientMessage) -> Result<Self, Self::Error> {
        match message.message.ok_or(InvalidMessage::Empty)? {
            Message::Hello(hello) => hello.try_into().map(Self::Hello),
            Message::Ack(ack) => ack.try_into().map(Self::Ack),
            Message::Nack(nack) => nack.try_into().map(Self::Nack),
        }
    }
}

impl From<ClientMessage> for wire::ClientMessage {
    fn from(message: ClientMessage) -> Self {
        let message = match message {
            ClientMessage::Hello(hello) => Message::Hello(hello.into()),
            ClientMessage::Ack(ack) => Message::Ack(ack.into()),
            ClientMessage::Nack(nack) => Message::Nack(nack.into()),
        };
        Self {
            message: Some(message),
        }
    }
}

// === impl Hello ===

impl TryFrom<wire::Hello> for Hello {
    type Error = InvalidMessage;

    fn try_from(hello: wire::Hello) -> Result<Self, Self::Error> {
        if hello.features.len() > MAX_FEATURES {
            return Err(InvalidMessage::TooMany {
                field: "hello.features",
                length: hello.features.len(),
                most: MAX_FEATURES,
            });
        }
        let features = hello
            .features
            .into_iter()
            .map(|feature| bounded("hello.features", feature).map(Feature))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            pod: PodIdentity {
                namespace: bounded("hello.pod_namespace", hello.pod_namespace)?,
                name: bounded("hello.pod_name", hello.pod_name)?,
                uid: bounded("hello.pod_uid", hello.pod_uid)?,
            },
            sidecar_version: bounded("hello.sidecar_version", hello.sidecar_version)?,
            features,
            applied_hash: optional_hash("hello.applied_hash", &hello.applied_hash)?,
            applied_secrets_version: bounded(
                "hello.applied_secrets_version",
                hello.applied_secrets_version,
            )?,
        })
    }
}

impl From<Hello> for wire::Hello {
    fn from(hello: Hello) -> Self {
        Self {
            pod_name: hello.pod.name,
            pod_namespace: hello.pod.namespace,
            pod_uid: hello.pod.uid,
            sidecar_version: hello.sidecar_version,
            features: hello
                .features
                .into_iter()
                .map(|feature| feature.0)
                .collect(),
            applied_hash: hash_bytes(hello.applied_hash),
            applied_secrets_version: hello.applied_secrets_version,
        }
    }
}

// === impl Ack ===

impl TryFrom<wire::Ack> for Ack {
    type Error = InvalidMessage;

    fn try_from(ack: wire::Ack) -> Result<Self, Self::Error> {
        Ok(Self {
            version: ack.version,
            hash: hash("ack.hash", &ack.hash)?,
            secrets_version: bounded("ack.secrets_version", ack.secrets_version)?,
        })
    }
}

impl From<Ack> for wire::Ack {
    fn from(ack: Ack) -> Self {
        Self {
            version: ack.version,
            hash: hash_bytes(Some(ack.hash)),
            secrets_version: ack.secrets_version,
        }
    }
}

// === impl Nack ===

impl TryFrom<wire::Nack> for Nack {
    type Error = InvalidMessage;

    fn try_from(nack: wire::Nack) -> Result<Self, Self::Error> {
        Ok(Self {
            version: nack.version,
            hash: hash("nack.hash", &nack.hash)?,
            problems: nack
                .problems
                .into_iter()
                .take(MAX_PROBLEMS)
                .map(Problem::from)
                .collect(),
            kept_hash: optional_hash("nack.kept_hash", &nack.kept_hash)?,
            kept_secrets_version: bounded("nack.kept_secrets_version", nack.kept_secrets_version)?,
        })
    }
}

impl From<Nack> for wire::Nack {
    fn from(nack: Nack) -> Self {
        Self {
            version: nack.version,
            hash: hash_bytes(Some(nack.hash)),
            problems: nack
                .problems
                .into_iter()
                .take(MAX_PROBLEMS)
                .map(wire::Problem::from)
                .collect(),
            kept_hash: hash_bytes(nack.kept_hash),
            kept_secrets_version: nack.kept_secrets_version,
        }
    }
}

// === impl Problem ===

impl From<wire::Problem> for Problem {
    fn from(problem: wire::Problem) -> Self {
        Self {
            path: cut(problem.path),
            code: code(&problem.code),
            message: cut(problem.message),
        }
    }
}

impl From<Problem> for wire::Problem {
    fn from(problem: Problem) -> Self {
        Self {
            path: cut(problem.path),
            code: code_name(problem.code).to_owned(),
            message: cut(problem.message),
        }
    }
}

fn code_name(code: ProblemCode) -> &'static str {
    match code {
        ProblemCode::Malformed => "Malformed",
        ProblemCode::TooLarge => "TooLarge",
        ProblemCode::Unsupported => "Unsupported",
        ProblemCode::Unresolved => "Unresolved",
        ProblemCode::Invalid => "Invalid",
        ProblemCode::SecretMissing => "SecretMissing",
    }
}

/// A code of a newer sidecar counts as `Invalid`: its path and message still reach the status.
fn code(name: &str) -> ProblemCode {
    match name {
        "Malformed" => ProblemCode::Malformed,
        "TooLarge" => ProblemCode::TooLarge,
        "Unsupported" => ProblemCode::Unsupported,
        "Unresolved" => ProblemCode::Unresolved,
        "SecretMissing" => ProblemCode::SecretMissing,
        _ => ProblemCode::Invalid,
    }
}

fn bounded(field: &'static str, text: String) -> Result<String, InvalidMessage> {
    if text.len() > MAX_NAME_CHARS {
        return Err(InvalidMessage::TooLong {
            field,
            length: text.len(),
            most: MAX_NAME_CHARS,
        });
    }
    Ok(text)
}

fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MAX_PROBLEM_CHARS) {
        text.truncate(end);
    }
    text
}
