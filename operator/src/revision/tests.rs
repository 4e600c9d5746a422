//! Storing and pruning accepted specs against a scripted API server.

use std::pin::pin;

use http::{Request, Response, StatusCode};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::SignedDuration;
use kube::client::Body;
use serde_json::json;
use tower_test::mock::{self, Handle};

use super::*;
use crate::object::ObjectName;

type ApiServer = Handle<Request<Body>, Response<Body>>;

fn owner() -> Owner {
    Owner {
        kind: "LLMRoute",
        name: ObjectName::new("shop", "checkout"),
        uid: "u-1".to_owned(),
    }
}

fn setup() -> (Revisions, ApiServer) {
    let (service, handle) = mock::pair();
    let client = Client::new(service, "fkm-system");
    (
        Revisions::new(client, "fkm-system", WriteMetrics::default()),
        handle,
    )
}

fn watched(uid: &str, generation: i64) -> Arc<ControllerRevision> {
    graded(uid, generation, Grade::Accepted)
}

fn graded(uid: &str, generation: i64, grade: Grade) -> Arc<ControllerRevision> {
    let owner = Owner {
        uid: uid.to_owned(),
        ..owner()
    };
    Arc::new(record::revision(
        &owner,
        &Stored {
            generation,
            spec: json!({"generation": generation}),
        },
        grade,
    ))
}

/// Answers one request after checking its method and path.
async fn answer(
    server: &mut ApiServer,
    expected: (&str, &str),
    status: StatusCode,
    body: serde_json::Value,
) -> Request<Body> {
    let (request, send) = pin!(server.next_request()).await.expect("a request");
    assert_eq!((request.method().as_str(), request.uri().path()), expected);
    let body = Body::from(serde_json::to_vec(&body).unwrap());
    send.send_response(Response::builder().status(status).body(body).unwrap());
    request
}

const COLLECTION: &str = "/apis/apps/v1/namespaces/fkm-system/controllerrevisions";

fn accepted(generation: i64) -> Vec<(Owner, Stored, Grade)> {
    vec![(
        owner(),
        Stored {
            generation,
            spec: json!({"priority": 1}),
        },
        Grade::Accepted,
    )]
}

#[tokio::test]
async fn stores_a_generation_once() {
    let (mut revisions, mut server) = setup();
    let created = serde_json::to_value(&*watched("u-1", 3)).unwrap();
    let ((), request) = tokio::join!(
        revisions.store(accepted(3)),
        answer(
            &mut server,
            ("POST", COLLECTION),
            StatusCode::CREATED,
            created
        ),
    );
    assert!(revisions.holds("u-1", 3, Grade::Accepted));
    let body = request.into_body().collect_bytes().await.unwrap();
    let sent: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(sent["metadata"]["name"], "llmroute-u-1-3");
    assert_eq!(
        sent["metadata"]["labels"]["fluxkontext.dev/owner-uid"],
        "u-1"
    );
    assert_eq!(sent["revision"], 3);
    assert_eq!(sent["data"], json!({"priority": 1}));

    // No request is answered from here on: what is stored is not stored again.
    drop(server);
    revisions.store(accepted(3)).await;
    assert_eq!(revisions.stand_in("u-1").unwrap().generation, 3);
}

#[tokio::test]
async fn already_there_is_success_and_a_refusal_is_not() {
    let (mut revisions, mut server) = setup();
    let failure = |code: u16, reason: &str| json!({"kind": "Status", "status": "Failure", "reason": reason, "code": code, "message": reason});
    tokio::join!(
        revisions.store(accepted(3)),
        answer(
            &mut server,
            ("POST", COLLECTION),
            StatusCode::CONFLICT,
            failure(409, "AlreadyExists")
        ),
    );
    assert!(revisions.holds("u-1", 3, Grade::Accepted));
    tokio::join!(
        revisions.store(accepted(4)),
        answer(
            &mut server,
            ("POST", COLLECTION),
            StatusCode::FORBIDDEN,
            failure(403, "Forbidden")
        ),
    );
    assert!(!revisions.holds("u-1", 4, Grade::Pushed));
    assert_eq!(
        revisions.stand_in("u-1").unwrap().generation,
        3,
        "what is not stored is not known as stored"
    );
}

/// Created so long ago.
fn aged(uid: &str, generation: i64, minutes: i64) -> Arc<ControllerRevision> {
    let mut revision = (*watched(uid, generation)).clone();
    let created = NOW - SignedDuration::from_mins(minutes);
    revision.metadata.creation_timestamp = Some(Time(created));
    Arc::new(revision)
}

const NOW: Timestamp = Timestamp::constant(1_000_000, 0);

/// Prunes once, and gives what was deleted.
async fn pruned(
    (revisions, server): (&mut Revisions, &mut ApiServer),
    all: &[Arc<ControllerRevision>],
    alive: &[&str],
) -> Vec<String> {
    let alive = alive.iter().map(|uid| (*uid).to_owned()).collect();
    let mut deleted = Vec::new();
    let answers = async {
        loop {
            let (request, send) = pin!(server.next_request()).await.expect("a request");
            assert_eq!(request.method(), "DELETE");
            let name = request.uri().path().strip_prefix(COLLECTION).unwrap();
            deleted.push(name.trim_matches('/').to_owned());
            let success = json!({"kind": "Status", "status": "Success"});
            send.send_response(Response::new(Body::from(
                serde_json::to_vec(&success).unwrap(),
            )));
        }
    };
    tokio::select! {
        () = revisions.prune(all, &alive, NOW) => {}
        () = answers => {}
    }
    deleted
}

#[tokio::test]
async fn prunes_the_third_and_the_orphans() {
    let (mut revisions, mut server) = setup();
    let all = [
        aged("u-1", 10, 1),
        aged("u-1", 9, 9),
        aged("u-1", 2, 9),
        aged("gone", 7, 5),
    ];
    revisions.absorb(&all);
    let deleted = pruned((&mut revisions, &mut server), &all, &["u-1"]).await;
    assert_eq!(deleted, ["llmroute-gone-7", "llmroute-u-1-2"]);
    assert!(revisions.stand_in("gone").is_none());
    assert_eq!(
        revisions.stand_in("u-1").unwrap().spec,
        json!({"generation": 10})
    );
}

#[tokio::test]
async fn a_young_revision_goes_only_with_an_owner_that_was_seen() {
    let (mut revisions, mut server) = setup();
    let all = [aged("unseen", 1, 4), aged("seen", 1, 4)];
    let both = (&mut revisions, &mut server);
    assert!(pruned(both, &all, &["seen"]).await.is_empty());
    let deleted = pruned((&mut revisions, &mut server), &all, &[]).await;
    assert_eq!(deleted, ["llmroute-seen-1"]);
}

#[tokio::test(start_paused = true)]
async fn a_pass_prunes_a_few_and_waits_for_none_for_long() {
    let (mut revisions, mut server) = setup();
    let all: Vec<_> = (0..20).map(|n| aged(&format!("gone-{n}"), 1, 9)).collect();
    let deleted = pruned((&mut revisions, &mut server), &all, &[]).await;
    assert_eq!(deleted.len(), CONCURRENCY);
    // Nobody answers.
    let begin = Instant::now();
    revisions.prune(&all, &BTreeSet::new(), NOW).await;
    assert_eq!(begin.elapsed(), WRITE_TIMEOUT);
}

#[tokio::test(start_paused = true)]
async fn a_pass_waits_for_the_api_server_only_so_long() {
    let (mut revisions, _server) = setup();
    let specs = (0..100).map(|n| {
        let owner = Owner {
            uid: n.to_string(),
            ..owner()
        };
        let spec = json!({});
        (
            owner,
            Stored {
                generation: 1,
                spec,
            },
            Grade::Accepted,
        )
    });
    let begin = Instant::now();
    revisions.store(specs.collect()).await;
    assert!(begin.elapsed() <= STORE_TIMEOUT);
    assert!(!revisions.holds("0", 1, Grade::Pushed));
}

#[tokio::test]
async fn the_highest_wins_also_over_a_late_watch() {
    let (mut revisions, _server) = setup();
    revisions.absorb(&[watched("u-1", 2), watched("u-1", 10), watched("u-1", 9)]);
    assert_eq!(revisions.stand_in("u-1").unwrap().generation, 10);
    revisions.absorb(&[watched("u-1", 9)]);
    assert_eq!(revisions.stand_in("u-1").unwrap().generation, 10);
}

#[tokio::test]
async fn what_was_only_pushed_stands_in_only_where_nothing_was_accepted() {
    let (mut revisions, _server) = setup();
    let pushed = |uid, generation| graded(uid, generation, Grade::Pushed);
    revisions.absorb(&[pushed("u-1", 2), watched("u-1", 1), pushed("u-2", 1)]);
    let generation = |uid| revisions.stand_in(uid).unwrap().generation;
    assert_eq!((generation("u-1"), generation("u-2")), (1, 1));
    assert!(revisions.holds("u-1", 2, Grade::Pushed));
    assert!(!revisions.holds("u-1", 2, Grade::Accepted));
}

#[tokio::test]
async fn a_pushed_one_is_kept_while_it_is_above_all_others_and_takes_no_place_of_an_accepted_one() {
    let (mut revisions, mut server) = setup();
    let pushed = |generation| graded("u-1", generation, Grade::Pushed);
    let all = [
        watched("u-1", 1),
        watched("u-1", 2),
        watched("u-1", 3),
        pushed(3),
        pushed(4),
        pushed(5),
    ];
    let deleted = pruned((&mut revisions, &mut server), &all, &["u-1"]).await;
    let expected = [
        "llmroute-u-1-4-pushed",
        "llmroute-u-1-3-pushed",
        "llmroute-u-1-1",
    ];
    assert_eq!(deleted, expected);
    let accepted = [watched("u-1", 3), pushed(3)];
    let deleted = pruned((&mut revisions, &mut server), &accepted, &["u-1"]).await;
    assert_eq!(deleted, ["llmroute-u-1-3-pushed"]);
}
