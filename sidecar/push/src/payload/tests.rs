use std::sync::Arc;

use fkm_snapshot::{SecretId, Snapshot};
use proptest::prelude::*;
use secrecy::SecretString;

use super::*;

fn message(payload: &[u8]) -> SnapshotMessage {
    SnapshotMessage {
        version: 1,
        hash: SnapshotHash::of(payload),
        payload: compress(payload).into(),
        uncompressed_size: payload.len(),
        objects: Arc::default(),
    }
}

fn refusal(message: &SnapshotMessage) -> Problem {
    let mut problems = message.open().unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems.remove(0)
}

#[test]
fn opens_what_was_sent() {
    let payload = Snapshot::default().to_payload();
    let open = message(&payload).open().unwrap();
    assert_eq!(open.payload, payload);
    assert_eq!(open.snapshot.hash(), SnapshotHash::of(&payload));
}

#[test]
fn refuses_another_hash() {
    let mut message = message(b"{}");
    message.hash = SnapshotHash::of(b"{ }");
    let problem = refusal(&message);
    assert_eq!(problem.code, ProblemCode::Malformed);
    assert!(problem.message.contains("changed on its way"), "{problem}");
}

#[test]
fn refuses_a_payload_that_says_it_is_too_large() {
    let mut message = message(b"{}");
    message.uncompressed_size = MAX_PAYLOAD_BYTES + 1;
    assert_eq!(refusal(&message).code, ProblemCode::TooLarge);
}

/// 1 GiB of white space in a few KiB, said to be small: refused without making more than was announced.
#[test]
fn refuses_a_bomb() {
    let mebibyte = vec![b' '; 1 << 20];
    let frame = {
        let mut encoder = zstd::stream::Encoder::new(Vec::new(), 3).unwrap();
        for _ in 0..1024 {
            std::io::Write::write_all(&mut encoder, &mebibyte).unwrap();
        }
        encoder.finish().unwrap()
    };
    assert!(frame.len() < 1 << 20, "{} bytes", frame.len());
    for announced in [2, MAX_PAYLOAD_BYTES] {
        let message = SnapshotMessage {
            payload: frame.clone().into(),
            uncompressed_size: announced,
            ..message(b"{}")
        };
        let problem = refusal(&message);
        assert_eq!(problem.code, ProblemCode::Malformed, "{problem}");
    }
}

#[test]
fn refuses_fewer_bytes_than_announced() {
    let mut message = message(b"{}");
    message.uncompressed_size = 3;
    assert_eq!(refusal(&message).code, ProblemCode::Malformed);
}

#[test]
fn passes_on_what_validation_says() {
    let problem = refusal(&message(br#"{"rulez": []}"#));
    assert_eq!(problem.code, ProblemCode::Malformed);
    assert!(problem.message.contains("rulez"), "{problem}");
}

#[test]
fn names_each_missing_key() {
    let snapshot: Snapshot = serde_json::from_str(
        r#"{"pools": {"llm/main": {"providers": [{
            "name": "a", "system": "openai", "models": {},
            "connection": {"http": {
                "baseUrl": "https://a.example/v1",
                "dialect": {"format": "openai.chat", "path": "/chat/completions", "auth": "Bearer"},
                "credentials": [
                    {"name": "one", "secret": "llm/keys/one"},
                    {"name": "two", "secret": "llm/keys/two"}
                ]
            }}
        }]}}}"#,
    )
    .unwrap();
    let snapshot = ValidSnapshot::try_new(&snapshot).unwrap();
    let mut secrets = Secrets::default();
    secrets
        .entries
        .insert(SecretId::new("llm", "keys", "one"), SecretString::from("k"));
    let problems = missing_secrets(&snapshot, &secrets);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(problems[0].code, ProblemCode::SecretMissing);
    assert_eq!(
        problems[0].path,
        "pools[llm/main].providers[0].connection.http.credentials[1].secret"
    );
    assert!(problems[0].message.contains("llm/keys/two"));
}

proptest! {
    #[test]
    fn decompression_inverts_compression(payload in proptest::collection::vec(any::<u8>(), 0..4096)) {
        prop_assert_eq!(message(&payload).decompress().unwrap(), payload);
    }

    /// Whatever arrives is answered, never a panic.
    #[test]
    fn any_frame_is_answered(frame in proptest::collection::vec(any::<u8>(), 0..512), size in 0..8192usize) {
        let message = SnapshotMessage {
            payload: frame.into(),
            uncompressed_size: size,
            ..message(b"{}")
        };
        prop_assert!(message.open().is_err());
    }
}
