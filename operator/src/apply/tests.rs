//! What is written and what is not, against a scripted API server.

use std::pin::pin;

use http::{Request, Response, StatusCode};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::client::Body;
use serde_json::Value;
use tower_test::mock::{self, Handle};

use super::*;

type ApiServer = Handle<Request<Body>, Response<Body>>;

fn status(generation: i64, reason: &str) -> LLMRouteStatus {
    let condition = Condition {
        last_transition_time: Time(k8s_openapi::jiff::Timestamp::UNIX_EPOCH),
        message: String::new(),
        observed_generation: Some(generation),
        reason: reason.to_owned(),
        status: "True".to_owned(),
        type_: "Accepted".to_owned(),
    };
    LLMRouteStatus {
        observed_generation: Some(generation),
        conditions: vec![condition],
        ..LLMRouteStatus::default()
    }
}

fn route(status: Option<LLMRouteStatus>) -> LLMRoute {
    let mut route = LLMRoute::new("checkout", fkm_crds::LLMRouteSpec::default());
    route.metadata.namespace = Some("shop".to_owned());
    route.metadata.uid = Some("u-1".to_owned());
    route.status = status;
    route
}

fn setup() -> (Client, ApiServer) {
    let (service, handle) = mock::pair();
    (Client::new(service, "default"), handle)
}

async fn answer(server: &mut ApiServer, status: StatusCode, body: Value) -> Request<Body> {
    let (request, send) = pin!(server.next_request()).await.expect("a request");
    let body = Body::from(serde_json::to_vec(&body).unwrap());
    send.send_response(Response::builder().status(status).body(body).unwrap());
    request
}

fn failure(code: u16, reason: &str) -> Value {
    json!({"kind": "Status", "status": "Failure", "reason": reason, "code": code, "message": reason})
}

#[tokio::test]
async fn applies_with_our_field_manager_and_the_uid() {
    let (client, mut server) = setup();
    let (route, desired) = (route(Some(status(6, "Accepted"))), status(7, "Accepted"));
    let answered = serde_json::to_value(&route).unwrap();
    let (applied, request) = tokio::join!(
        apply(&client, &route, &desired),
        answer(&mut server, StatusCode::OK, answered)
    );
    assert!(matches!(applied, Ok(Applied::Written(_))), "{applied:?}");
    assert_eq!(request.method(), "PATCH");
    assert_eq!(
        request.uri().path(),
        "/apis/fluxkontext.dev/v1alpha1/namespaces/shop/llmroutes/checkout/status"
    );
    let query = request.uri().query().unwrap_or_default();
    assert!(
        query.contains("force=true") && query.contains("fieldManager=fkm-operator%2Fstatus"),
        "{query}"
    );
    let body = request.into_body().collect_bytes().await.unwrap();
    let sent: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(sent["metadata"], json!({"name": "checkout", "uid": "u-1"}));
    assert_eq!(sent["kind"], "LLMRoute");
    assert_eq!(sent["status"], serde_json::to_value(&desired).unwrap());
}

#[tokio::test]
async fn asks_nothing_of_the_server_without_need() {
    let (client, server) = setup();
    drop(server);
    let equal = apply(
        &client,
        &route(Some(status(7, "Accepted"))),
        &status(7, "Accepted"),
    )
    .await;
    assert!(matches!(equal, Ok(Applied::Equal)), "{equal:?}");
    let outdated = apply(
        &client,
        &route(Some(status(8, "Accepted"))),
        &status(7, "Accepted"),
    )
    .await;
    assert!(matches!(outdated, Ok(Applied::Outdated)), "{outdated:?}");
}

#[tokio::test]
async fn an_object_that_is_gone_is_no_error_and_a_refusal_is() {
    let (client, mut server) = setup();
    let (route, desired) = (route(None), status(7, "Accepted"));
    for (code, reason) in [(404, "NotFound"), (409, "Conflict")] {
        let is_gone = code == 404;
        let (applied, _) = tokio::join!(
            apply(&client, &route, &desired),
            answer(
                &mut server,
                StatusCode::from_u16(code).unwrap(),
                failure(code, reason)
            ),
        );
        // A conflict may be over the next time; what is gone is not.
        let told = match applied {
            Ok(Applied::Gone) => is_gone,
            Ok(Applied::Conflict) => !is_gone,
            other => panic!("{other:?}"),
        };
        assert!(told, "{reason}");
    }
    let (applied, _) = tokio::join!(
        apply(&client, &route, &desired),
        answer(
            &mut server,
            StatusCode::FORBIDDEN,
            failure(403, "Forbidden")
        ),
    );
    assert!(matches!(applied, Err(ApplyError::Api(_))));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_is_given_up() {
    let (client, _server) = setup();
    let applied = apply(&client, &route(None), &status(7, "Accepted")).await;
    assert!(matches!(applied, Err(ApplyError::Timeout)));
}
