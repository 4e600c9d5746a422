mod peer;

use fkm_push::{Ack, Nack};
use fkm_snapshot::{Problem, ProblemCode, SecretId, Secrets};
use secrecy::SecretString;
use tokio::time::{Instant, advance};
use tonic::Code;

use super::*;
use crate::push::Violation;
use crate::push::fixtures::{CANARY, Tables, assignment, hello, hello_with, is_of, objects, pod};
use peer::{Peer, Seen};

fn problem() -> Problem {
    Problem::new("rules[0]", ProblemCode::Unsupported, "no such feature")
}

#[tokio::test(start_paused = true)]
async fn a_new_sidecar_gets_context_secrets_and_snapshot_in_this_order() {
    let wanted = assignment(1, "s1");
    let mut peer = Peer::new();
    peer.tables.grant(&wanted);
    peer.say(ClientMessage::Hello(hello())).await;
    assert_eq!(peer.context().await, wanted.context);
    assert_eq!(peer.secrets().await, ("s1".into(), true));
    let message = peer.snapshot().await;
    assert!(is_of(&message, &wanted));
    assert_eq!(message.version, 1);
    assert_eq!(*message.objects, objects(1));
    message.open().unwrap();
    assert_eq!(peer.tables.programmed_generation(), None);
    peer.ack(1, &wanted).await;
    peer.is_quiet().await;
    assert_eq!(peer.tables.programmed_generation(), Some(1));
}

#[tokio::test(start_paused = true)]
async fn an_equal_hash_is_sent_nothing_and_counts_as_programmed() {
    let wanted = assignment(1, "s1");
    let peer = Peer::settled(&wanted).await;
    let metrics = &peer.tables.metrics;
    assert_eq!(metrics.snapshots.get(), 0);
    assert_eq!(metrics.snapshot_bytes.get(), 0);
    assert_eq!(metrics.secrets.get(), 0);
    assert_eq!(metrics.streams.get(), 1);
    assert_eq!(peer.tables.programmed_generation(), Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_generation_that_makes_an_equal_payload_is_in_effect_without_being_sent() {
    let wanted = assignment(1, "s1");
    let mut peer = Peer::settled(&wanted).await;
    let newer = Assignment {
        snapshot: Arc::new(wanted.snapshot.with_objects(objects(2))),
        ..wanted
    };
    peer.tables.grant(&newer);
    peer.is_quiet().await;
    assert_eq!(peer.tables.programmed_generation(), Some(2));
}

#[tokio::test(start_paused = true)]
async fn only_what_changed_is_sent() {
    let mut peer = Peer::settled(&assignment(1, "s1")).await;

    let rotated = assignment(1, "s2");
    peer.tables.grant(&rotated);
    assert_eq!(peer.secrets().await, ("s2".into(), false));
    peer.ack(0, &rotated).await;
    peer.is_quiet().await;
    assert_eq!(peer.tables.metrics.snapshot_bytes.get(), 0);

    let edited = assignment(2, "s2");
    peer.tables.grant(&edited);
    let message = peer.snapshot().await;
    assert!(is_of(&message, &edited));
    peer.ack(1, &edited).await;
    peer.is_quiet().await;
    let sent = peer.tables.metrics.snapshot_bytes.get();
    assert_eq!(sent, message.payload.len() as u64);
    assert_eq!(peer.tables.metrics.acks.get(), 2);
    assert_eq!(peer.tables.programmed_generation(), Some(2));
}

#[tokio::test(start_paused = true)]
async fn the_latest_wins_and_one_delivery_is_under_way() {
    let mut peer = Peer::settled(&assignment(1, "s1")).await;
    peer.tables.grant(&assignment(2, "s1"));
    let second = peer.snapshot().await;
    for generation in 3..=9 {
        peer.tables.grant(&assignment(generation, "s1"));
    }
    peer.is_quiet().await;
    peer.ack(second.version, &assignment(2, "s1")).await;
    let last = peer.snapshot().await;
    assert!(is_of(&last, &assignment(9, "s1")));
    assert_eq!(last.version, 2);
    assert_eq!(peer.tables.programmed_generation(), Some(2));
    peer.ack(2, &assignment(9, "s1")).await;
    peer.is_quiet().await;
    assert_eq!(peer.tables.programmed_generation(), Some(9));
}

#[tokio::test(start_paused = true)]
async fn a_refused_hash_is_not_sent_again_and_the_old_one_stays_in_effect() {
    let kept = assignment(1, "s1");
    let mut peer = Peer::settled(&kept).await;
    let refused = assignment(2, "s1");
    peer.tables.grant(&refused);
    peer.snapshot().await;
    peer.nack(1, refused.snapshot.hash, &kept).await;
    peer.is_quiet().await;
    assert_eq!(peer.tables.programmed_generation(), Some(1));
    let record = peer.tables.acknowledgements.get(&pod().uid).unwrap();
    let rejected = record.rejected.unwrap();
    assert_eq!(rejected.problems, [problem()]);
    assert_eq!(*rejected.objects, objects(2));
    assert_eq!(peer.tables.metrics.nacks.get(), 1);

    // Made of another generation: still the same payload.
    let again = Assignment {
        snapshot: Arc::new(refused.snapshot.with_objects(objects(3))),
        ..refused
    };
    peer.tables.grant(&again);
    peer.is_quiet().await;

    // The keys of what it keeps still rotate.
    peer.tables.grant(&assignment(2, "s2"));
    assert_eq!(peer.secrets().await, ("s2".into(), false));
    peer.ack(1, &assignment(1, "s2")).await;
    peer.is_quiet().await;

    peer.tables.grant(&assignment(4, "s2"));
    assert!(is_of(&peer.snapshot().await, &assignment(4, "s2")));
    peer.ack(2, &assignment(4, "s2")).await;
    peer.is_quiet().await;
    let record = peer.tables.acknowledgements.get(&pod().uid).unwrap();
    assert_eq!(record.rejected, None);
    assert_eq!(peer.tables.programmed_generation(), Some(4));
}

/// An assignment with one key only, of this name.
fn keyed(generation: i64, key: &str, version: &str) -> Assignment {
    let id = SecretId::new("llm", "keys", key);
    Assignment {
        secrets: Arc::new(Secrets {
            version: version.into(),
            entries: [(id, SecretString::from(version))].into(),
        }),
        ..assignment(generation, version)
    }
}

#[tokio::test(start_paused = true)]
async fn keys_of_a_refused_snapshot_are_not_sent_for_the_one_that_is_kept() {
    let kept = keyed(1, "k1", "s1");
    let mut peer = Peer::settled(&kept).await;
    let refused = keyed(2, "k2", "t1");
    peer.tables.grant(&refused);
    peer.secrets().await;
    peer.snapshot().await;
    peer.nack(1, refused.snapshot.hash, &kept).await;
    peer.is_quiet().await;
    peer.tables.grant(&keyed(2, "k2", "t2"));
    peer.is_quiet().await;
    let rejected = || peer.tables.acknowledgements.get("u-1").unwrap().rejected;
    assert_eq!(rejected().unwrap().hash, refused.snapshot.hash);
    assert_eq!(peer.tables.metrics.nacks.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_keys_for_what_is_kept_does_not_hide_that_of_the_snapshot() {
    // What the sidecar came with is not known to the operator any more, so the keys are tried once.
    let kept = keyed(1, "k1", "s1");
    let mut peer = Peer::new();
    let refused = keyed(2, "k2", "t1");
    peer.tables.grant(&refused);
    peer.say(ClientMessage::Hello(hello_with(&kept))).await;
    peer.context().await;
    assert_eq!(peer.secrets().await, ("t1".into(), true));
    peer.snapshot().await;
    peer.nack(1, refused.snapshot.hash, &kept).await;
    assert_eq!(peer.secrets().await, ("t1".into(), false));
    peer.say(ClientMessage::Nack(Nack {
        version: 1,
        hash: kept.snapshot.hash,
        problems: vec![Problem::new("secrets", ProblemCode::SecretMissing, "k1")],
        kept_hash: Some(kept.snapshot.hash),
        kept_secrets_version: kept.secrets.version.clone(),
    }))
    .await;
    peer.is_quiet().await;
    let record = peer.tables.acknowledgements.get("u-1").unwrap();
    let rejected = record.rejected.unwrap();
    assert_eq!(rejected.hash, refused.snapshot.hash);
    assert_eq!(rejected.problems, [problem()]);
}

#[tokio::test(start_paused = true)]
async fn a_denial_comes_before_keys_that_the_client_has_not_read() {
    let mut peer = Peer::new();
    peer.tables.grant(&assignment(1, "s1"));
    peer.say(ClientMessage::Hello(hello())).await;
    // The client lets everything wait.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let denied = Standing::Denied(Violation::HostPid);
    peer.tables.assignments.publish(&pod().uid, denied);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(peer.end().await.0, Code::PermissionDenied);
}

#[tokio::test(start_paused = true)]
async fn a_newer_stream_of_the_pod_ends_the_older() {
    let wanted = assignment(1, "s1");
    let mut older = Peer::settled(&wanted).await;
    let mut newer = Peer::in_tables(older.tables.again());
    newer.say(ClientMessage::Hello(hello_with(&wanted))).await;
    newer.context().await;
    assert_eq!(older.end().await.0, Code::Aborted);
    newer.is_quiet().await;
    assert_eq!(newer.tables.programmed_generation(), Some(1));
    assert_eq!(newer.tables.metrics.streams.get(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_is_known_but_not_judged_is_told_to_come_back() {
    let mut peer = Peer::new();
    peer.tables.assignments.await_assignment(&pod().uid);
    peer.say(ClientMessage::Hello(hello())).await;
    tokio::time::sleep(Timings::default().unknown_pod).await;
    assert_eq!(peer.end().await.0, Code::Unavailable);
    assert!(
        peer.tables.reported.try_recv().is_err(),
        "it is no incident"
    );

    let mut peer = Peer::new();
    peer.tables.assignments.await_assignment(&pod().uid);
    peer.say(ClientMessage::Hello(hello())).await;
    peer.is_quiet().await;
    peer.tables.grant(&assignment(1, ""));
    peer.context().await;
    // What was granted stays.
    peer.tables.assignments.await_assignment(&pod().uid);
    peer.snapshot().await;
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_counts_a_missing_one_ends_the_stream() {
    let mut peer = Peer::settled(&assignment(1, "s1")).await;
    let overdue = |peer: &Peer| peer.tables.acknowledgements.get("u-1").unwrap().overdue;
    peer.tables.grant(&assignment(2, "s1"));
    peer.snapshot().await;
    advance(Duration::from_secs(9)).await;
    peer.is_quiet().await;
    assert!(!overdue(&peer));
    peer.is_quiet().await;
    assert!(overdue(&peer));
    assert_eq!(peer.tables.metrics.overdue.get(), 1);
    peer.ack(1, &assignment(2, "s1")).await;
    peer.is_quiet().await;
    assert!(!overdue(&peer));
    assert_eq!(peer.tables.programmed_generation(), Some(2));

    let begin = Instant::now();
    peer.tables.grant(&assignment(3, "s1"));
    peer.snapshot().await;
    let status = peer.from_server.next().await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded);
    assert_eq!(begin.elapsed(), Timings::default().silent);
    assert_eq!(peer.tables.programmed_generation(), None);
}

#[tokio::test(start_paused = true)]
async fn a_violation_ends_the_stream_in_every_state() {
    let deny = |peer: &Peer| {
        let standing = Standing::Denied(Violation::SharedProcessNamespace);
        peer.tables.assignments.publish(&pod().uid, standing);
    };
    // Before anything was sent.
    let mut early = Peer::new();
    deny(&early);
    early.say(ClientMessage::Hello(hello())).await;
    // While nothing is to be sent.
    let mut resting = Peer::settled(&assignment(1, "s1")).await;
    deny(&resting);
    // While an answer is awaited.
    let mut waiting = Peer::settled(&assignment(1, "s1")).await;
    waiting.tables.grant(&assignment(2, "s1"));
    waiting.snapshot().await;
    deny(&waiting);
    for peer in [&mut early, &mut resting, &mut waiting] {
        let (code, message) = peer.end().await;
        assert_eq!(code, Code::PermissionDenied);
        assert!(
            message.contains("shareProcessNamespace is set"),
            "{message}"
        );
        assert_eq!(peer.tables.metrics.refusals("SharedProcessNamespace"), 1);
        let incident = peer.tables.reported.try_recv().unwrap();
        assert_eq!(incident.reason, "SharedProcessNamespace");
        assert_eq!(incident.pod, Some(pod()));
        assert!(incident.proven);
        assert!(peer.tables.acknowledgements.all().is_empty());
        assert_eq!(peer.tables.metrics.streams.get(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_pod_that_is_gone_is_cut_off() {
    let mut peer = Peer::settled(&assignment(1, "s1")).await;
    peer.tables.assignments.remove(&pod().uid);
    assert_eq!(peer.end().await.0, Code::PermissionDenied);
    assert_eq!(peer.reason(), "UnknownPod");
    assert!(peer.tables.assignments.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_unknown_pod_is_waited_for_but_not_for_ever() {
    let mut peer = Peer::new();
    peer.say(ClientMessage::Hello(hello())).await;
    advance(Duration::from_secs(8)).await;
    peer.is_quiet().await;
    peer.tables.grant(&assignment(1, ""));
    peer.context().await;

    let mut peer = Peer::new();
    peer.say(ClientMessage::Hello(hello())).await;
    let begin = Instant::now();
    let status = peer.from_server.next().await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
    assert_eq!(begin.elapsed(), Timings::default().unknown_pod);
    assert_eq!(peer.reason(), "UnknownPod");
}

#[tokio::test(start_paused = true)]
async fn who_is_another_pod_than_its_token_or_our_store_says_gets_nothing() {
    let mut claims_other = Peer::new();
    claims_other.tables.grant(&assignment(1, "s1"));
    let mut claim = hello();
    claim.pod.uid = "u-2".into();
    claims_other.say(ClientMessage::Hello(claim)).await;

    let mut other_name = Peer::new();
    let mut stored = assignment(1, "s1");
    stored.context.pod = "shop-2".into();
    other_name.tables.grant(&stored);
    other_name.say(ClientMessage::Hello(hello())).await;

    let mut other_account = Peer::new();
    let mut stored = assignment(1, "s1");
    stored.context.service_account = "default".into();
    other_account.tables.grant(&stored);
    other_account.say(ClientMessage::Hello(hello())).await;

    for (peer, reason) in [
        (&mut claims_other, "WrongPod"),
        (&mut other_name, "WrongPod"),
        (&mut other_account, "ServiceAccountMismatch"),
    ] {
        assert_eq!(peer.end().await.0, Code::PermissionDenied, "{reason}");
        assert_eq!(peer.reason(), reason);
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_breaks_the_protocol_is_told_and_cut_off() {
    let wanted = assignment(1, "s1");
    let ack = |version, hash, secrets: &str| {
        ClientMessage::Ack(Ack {
            version,
            hash,
            secrets_version: secrets.into(),
        })
    };
    let hash = assignment(2, "s1").snapshot.hash;
    for (answer, complaint) in [
        (ack(2, hash, "s1"), "an answer to version 2"),
        (
            ack(1, wanted.snapshot.hash, "s1"),
            "an answer to version 1, hash",
        ),
        (ack(1, hash, "s2"), "an Ack with secrets version \"s2\""),
        (ClientMessage::Hello(hello()), "Hello while nothing waits"),
    ] {
        let mut peer = Peer::settled(&wanted).await;
        peer.tables.grant(&assignment(2, "s1"));
        peer.snapshot().await;
        peer.say(answer).await;
        let (code, message) = peer.end().await;
        assert_eq!(code, Code::InvalidArgument);
        assert!(message.contains(complaint), "{message}");
    }

    let mut unasked = Peer::settled(&wanted).await;
    unasked.ack(0, &wanted).await;
    assert_eq!(unasked.end().await.0, Code::InvalidArgument);

    let mut no_hello = Peer::new();
    no_hello.ack(0, &wanted).await;
    assert_eq!(no_hello.end().await.0, Code::InvalidArgument);

    let mut empty = Peer::new();
    let nothing = Ok(wire::ClientMessage::default());
    empty
        .to_server
        .as_ref()
        .unwrap()
        .send(nothing)
        .await
        .unwrap();
    assert_eq!(empty.end().await.0, Code::InvalidArgument);

    let mut silent = Peer::new();
    let begin = Instant::now();
    let status = silent.from_server.next().await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    assert!(status.message().contains("no Hello within 5s"), "{status}");
    assert_eq!(begin.elapsed(), Timings::default().hello);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_goes_is_forgotten() {
    let mut peer = Peer::settled(&assignment(1, "s1")).await;
    peer.to_server = None;
    assert!(matches!(peer.see().await, Seen::Closed));
    assert!(peer.tables.acknowledgements.all().is_empty());
    assert_eq!(peer.tables.metrics.streams.get(), 0);
    assert!(peer.tables.reported.try_recv().is_err());
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_streams_as_unavailable() {
    let mut peer = Peer::settled(&assignment(1, "s1")).await;
    peer.tasks.stop();
    assert_eq!(peer.end().await.0, Code::Unavailable);
    assert_eq!(peer.tasks.finish(Duration::from_secs(1)).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn secrets_too_large_to_send_are_a_rejection_and_not_the_end_of_the_stream() {
    let mut peer = Peer::settled(&assignment(1, "s1")).await;
    let key = SecretString::from("k".repeat(5 * 1024 * 1024));
    let large = Assignment {
        secrets: Arc::new(Secrets {
            version: "s2".into(),
            entries: [(SecretId::new("llm", "keys", "a"), key)].into(),
        }),
        ..assignment(1, "s1")
    };
    peer.tables.grant(&large);
    peer.is_quiet().await;
    let record = peer.tables.acknowledgements.get(&pod().uid).unwrap();
    let problem = &record.rejected.unwrap().problems[0];
    assert_eq!(problem.code, ProblemCode::TooLarge);
    assert_eq!(problem.path, "secrets");
    peer.tables.grant(&assignment(1, "s3"));
    assert_eq!(peer.secrets().await, ("s3".into(), false));
}

#[test]
fn debug_of_what_is_published_shows_no_key() {
    let tables = Tables::new();
    tables.grant(&assignment(1, "s1"));
    let shown = format!("{:?} {:?}", tables.assignments, assignment(1, "s1"));
    assert!(shown.contains("llm/keys/a"), "{shown}");
    assert!(!shown.contains(CANARY), "{shown}");
}
