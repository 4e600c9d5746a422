//! Storing and pruning accepted specs against a scripted API server.

use std::pin::pin;

use http::{Request, Response, StatusCode};
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

fn accepted(generation: i64) -> Vec<(Owner, Stored)> {
    vec![(
        owner(),
        Stored {
            generation,
            spec: json!({"priority": 1}),
        },
    )]
}

#[tokio::test]
async fn stores_a_generation_once() {
    let (mut revisions, mut server) = setup();
    let created = serde_json::to_value(&*watched("u-1", 3)).unwrap();
    let (failed, request) = tokio::join!(
        revisions.store(accepted(3)),
        answer(
            &mut server,
            ("POST", COLLECTION),
            StatusCode::CREATED,
            created
        ),
    );
    assert!(failed.is_empty());
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
    assert!(revisions.store(accepted(3)).await.is_empty());
    assert_eq!(revisions.get("u-1").unwrap().generation, 3);
}

#[tokio::test]
async fn already_there_is_success_and_a_refusal_is_not() {
    let (mut revisions, mut server) = setup();
    let failure = |code: u16, reason: &str| json!({"kind": "Status", "status": "Failure", "reason": reason, "code": code, "message": reason});
    let (failed, _) = tokio::join!(
        revisions.store(accepted(3)),
        answer(
            &mut server,
            ("POST", COLLECTION),
            StatusCode::CONFLICT,
            failure(409, "AlreadyExists")
        ),
    );
    assert!(failed.is_empty());
    let (failed, _) = tokio::join!(
        revisions.store(accepted(4)),
        answer(
            &mut server,
            ("POST", COLLECTION),
            StatusCode::FORBIDDEN,
            failure(403, "Forbidden")
        ),
    );
    assert_eq!(failed, BTreeSet::from(["u-1".to_owned()]));
    assert_eq!(
        revisions.get("u-1").unwrap().generation,
        3,
        "what is not stored is not known as stored"
    );
}

#[tokio::test]
async fn prunes_the_third_and_the_orphans() {
    let (mut revisions, mut server) = setup();
    let all = [
        watched("u-1", 10),
        watched("u-1", 9),
        watched("u-1", 2),
        watched("gone", 7),
    ];
    revisions.absorb(&all);
    let alive = BTreeSet::from(["u-1".to_owned()]);
    let success = json!({"kind": "Status", "status": "Success"});
    let orphan = format!("{COLLECTION}/llmroute-gone-7");
    let third = format!("{COLLECTION}/llmroute-u-1-2");
    tokio::join!(revisions.prune(&all, &alive), async {
        answer(
            &mut server,
            ("DELETE", &orphan),
            StatusCode::OK,
            success.clone(),
        )
        .await;
        answer(&mut server, ("DELETE", &third), StatusCode::OK, success).await;
    });
    assert!(revisions.get("gone").is_none());
    assert_eq!(
        revisions.get("u-1").unwrap().spec,
        json!({"generation": 10})
    );
}

#[tokio::test]
async fn the_highest_wins_also_over_a_late_watch() {
    let (mut revisions, _server) = setup();
    revisions.absorb(&[watched("u-1", 2), watched("u-1", 10), watched("u-1", 9)]);
    assert_eq!(revisions.get("u-1").unwrap().generation, 10);
    revisions.absorb(&[watched("u-1", 9)]);
    assert_eq!(revisions.get("u-1").unwrap().generation, 10);
}
