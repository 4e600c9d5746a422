use fkm_snapshot::{ProblemCode, SecretId};
use prost::Message;
use secrecy::{ExposeSecret, SecretString};

use super::*;
use crate::{MAX_PROBLEM_CHARS, MAX_PROBLEMS, MAX_SERVER_MESSAGE_BYTES, wire};

fn over_the_wire(message: ClientMessage) -> Result<ClientMessage, InvalidMessage> {
    let bytes = wire::ClientMessage::from(message).encode_to_vec();
    wire::ClientMessage::decode(bytes.as_slice())
        .unwrap()
        .try_into()
}

fn hello() -> Hello {
    Hello {
        pod: PodIdentity {
            namespace: "shop".into(),
            name: "shop-1".into(),
            uid: "u-1".into(),
        },
        sidecar_version: "0.1.0".into(),
        features: vec!["strategy.weighted".into()],
        applied_hash: Some(SnapshotHash::of(b"{}")),
        applied_secrets_version: "s1".into(),
    }
}

fn nack(problems: Vec<Problem>) -> Nack {
    Nack {
        version: 3,
        hash: SnapshotHash::of(b"{}"),
        problems,
        kept_hash: None,
        kept_secrets_version: "s0".into(),
    }
}

fn secrets() -> SecretsMessage {
    let id = SecretId::new("llm", "keys", "openai");
    SecretsMessage {
        secrets: Arc::new(Secrets {
            version: "s1".into(),
            entries: [(id, SecretString::from("sk-canary"))].into(),
        }),
        snapshot_follows: true,
    }
}

#[test]
fn client_messages_survive_the_wire() {
    let codes = [
        ProblemCode::Malformed,
        ProblemCode::TooLarge,
        ProblemCode::Unsupported,
        ProblemCode::Unresolved,
        ProblemCode::Invalid,
        ProblemCode::SecretMissing,
    ];
    let problems = codes.map(|code| Problem::new("rules[0]", code, "why"));
    for message in [
        ClientMessage::Hello(hello()),
        ClientMessage::Hello(Hello::default()),
        ClientMessage::Ack(Ack {
            version: 7,
            hash: SnapshotHash::of(b""),
            secrets_version: "s1".into(),
        }),
        ClientMessage::Nack(nack(problems.into())),
    ] {
        assert_eq!(over_the_wire(message.clone()), Ok(message));
    }
}

#[test]
fn server_messages_survive_the_wire() {
    let object = ObjectRef {
        kind: "LLMRoute".into(),
        namespace: "shop".into(),
        name: "chat".into(),
        uid: "r-1".into(),
        generation: 4,
    };
    let snapshot = SnapshotMessage {
        version: 2,
        hash: SnapshotHash::of(b"{}"),
        payload: Bytes::from_static(b"zstd"),
        uncompressed_size: 2,
        objects: [object].into(),
    };
    let context = PodContext {
        pod: "shop-1".into(),
        namespace: "shop".into(),
        service_account: "shop".into(),
    };
    let send = |message: ServerMessage| {
        let bytes = wire::ServerMessage::from(message).encode_to_vec();
        let message = wire::ServerMessage::decode(bytes.as_slice()).unwrap();
        ServerMessage::try_from(message).unwrap()
    };
    match send(ServerMessage::Snapshot(snapshot.clone())) {
        ServerMessage::Snapshot(received) => assert_eq!(received, snapshot),
        other => panic!("{other:?}"),
    }
    match send(ServerMessage::Context(context.clone())) {
        ServerMessage::Context(received) => assert_eq!(received, context),
        other => panic!("{other:?}"),
    }
    match send(ServerMessage::Secrets(secrets())) {
        ServerMessage::Secrets(received) => {
            assert!(received.snapshot_follows);
            assert_eq!(received.secrets.version, "s1");
            let (id, value) = received.secrets.entries.first_key_value().unwrap();
            assert_eq!(id.0, "llm/keys/openai");
            assert_eq!(value.expose_secret(), "sk-canary");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn debug_hides_secret_values_on_both_sides_of_the_conversion() {
    let typed = ServerMessage::Secrets(secrets());
    let shown = format!("{typed:?} {typed:#?}");
    let on_the_wire = wire::ServerMessage::from(typed);
    let shown = format!("{shown} {on_the_wire:?} {on_the_wire:#?}");
    assert!(shown.contains("llm/keys/openai"), "{shown}");
    assert!(!shown.contains("canary"), "{shown}");
    let as_numbers = format!("{:?}", b"sk-canary");
    assert!(
        !shown.contains(as_numbers.trim_matches(['[', ']'])),
        "{shown}"
    );
}

#[test]
fn an_unknown_message_is_refused() {
    let from_client = ClientMessage::try_from(wire::ClientMessage::default());
    assert_eq!(from_client, Err(InvalidMessage::Empty));
    let from_server = ServerMessage::try_from(wire::ServerMessage::default());
    assert_eq!(from_server.unwrap_err(), InvalidMessage::Empty);
}

#[test]
fn a_hash_has_32_bytes() {
    let ack = wire::Ack {
        hash: vec![0; 31],
        ..wire::Ack::default()
    };
    let refused = Ack::try_from(ack).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "ack.hash: a hash has 32 bytes, this one 31"
    );
}

#[test]
fn a_secret_is_text() {
    let message = wire::Secrets {
        entries: vec![wire::Secret {
            id: "a/b/c".into(),
            value: vec![0xff, b'k'],
        }],
        ..wire::Secrets::default()
    };
    let refused = SecretsMessage::try_from(message).unwrap_err();
    assert_eq!(
        refused,
        InvalidMessage::SecretNotText { id: "a/b/c".into() }
    );
}

#[test]
fn what_a_sidecar_sends_is_bounded() {
    let long = Hello {
        sidecar_version: "v".repeat(254),
        ..hello()
    };
    let refused = over_the_wire(ClientMessage::Hello(long)).unwrap_err();
    assert!(
        refused
            .to_string()
            .starts_with("hello.sidecar_version: 254")
    );

    let version = || "s".repeat(254);
    let ack = Ack {
        version: 1,
        hash: SnapshotHash::of(b"{}"),
        secrets_version: version(),
    };
    let messages = [
        ClientMessage::Hello(Hello {
            applied_secrets_version: version(),
            ..hello()
        }),
        ClientMessage::Ack(ack),
        ClientMessage::Nack(Nack {
            kept_secrets_version: version(),
            ..nack(Vec::new())
        }),
    ];
    for message in messages {
        let refused = over_the_wire(message).unwrap_err().to_string();
        assert!(refused.contains("secrets_version: 254"), "{refused}");
    }

    let many = Hello {
        features: vec!["f".into(); 257],
        ..hello()
    };
    let refused = over_the_wire(ClientMessage::Hello(many)).unwrap_err();
    assert!(refused.to_string().starts_with("hello.features: 257"));

    let problem = Problem::new("ä".repeat(600), ProblemCode::Invalid, "x".repeat(600));
    let received = over_the_wire(ClientMessage::Nack(nack(vec![problem; 100]))).unwrap();
    let ClientMessage::Nack(received) = received else {
        panic!("{received:?}")
    };
    assert_eq!(received.problems.len(), MAX_PROBLEMS);
    assert_eq!(received.problems[0].path.chars().count(), MAX_PROBLEM_CHARS);
    assert_eq!(received.problems[0].message.len(), MAX_PROBLEM_CHARS);
}

#[test]
fn a_problem_code_of_a_newer_sidecar_counts_as_invalid() {
    let problem = Problem::from(wire::Problem {
        path: "p".into(),
        code: "Novel".into(),
        message: "m".into(),
    });
    assert_eq!(problem, Problem::new("p", ProblemCode::Invalid, "m"));
}

#[test]
fn what_grpc_would_not_carry_is_refused_before() {
    let mut message = secrets();
    let large = SecretString::from("k".repeat(MAX_SERVER_MESSAGE_BYTES));
    Arc::make_mut(&mut message.secrets)
        .entries
        .insert(SecretId::new("llm", "keys", "large"), large);
    let problem = ServerMessage::Secrets(message).into_bounded().unwrap_err();
    assert_eq!(problem.code, ProblemCode::TooLarge);
    assert_eq!(problem.path, "secrets");
    assert!(ServerMessage::Secrets(secrets()).into_bounded().is_ok());
}
