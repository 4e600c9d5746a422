//! What providers keep behind ids: whoever made it is asked for it, by every sidecar, and nobody else.

use fkm_upstream::{Received, Step, Upstream};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Reply, Sidecar, provider, send, snapshot};

/// A provider of answers that are kept, of files and of batches.
fn keeper(name: &str, upstream: &Upstream, priority: i32) -> Value {
    let mut provider = provider(name, &upstream.base_url(), priority);
    let http = &mut provider["connection"]["http"];
    http["dialect"] = json!({"format": "openai.responses", "path": "/responses", "auth": "Bearer",
        "countPath": "/responses/input_tokens"});
    http["keeps"] = json!([
        {"kept": "openai.responses", "path": "/responses"},
        {"kept": "openai.files", "path": "/files"},
        {"kept": "openai.batches", "path": "/batches"},
    ]);
    provider
}

/// Two of them, `a` before `b`, and two sidecars with the same snapshot.
struct World {
    a: Upstream,
    b: Upstream,
    one: Sidecar,
    other: Sidecar,
    snapshot: Value,
}

impl World {
    async fn start() -> Self {
        let (a, b) = (
            Upstream::start().await.unwrap(),
            Upstream::start().await.unwrap(),
        );
        let snapshot = snapshot(&[keeper("a", &a, 0), keeper("b", &b, 1)]);
        let one = Sidecar::start(&snapshot).await;
        let other = Sidecar::start(&snapshot).await;
        Self {
            a,
            b,
            one,
            other,
            snapshot,
        }
    }

    /// An answer that `b` keeps, since `a` failed.
    async fn kept_by_b(&self) -> String {
        self.a.script(vec![Step::status(503)]);
        let reply = ask(&self.one, &json!({})).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        assert_eq!(reply.header("x-fkm-provider"), "b");
        self.a.reset();
        self.b.reset();
        id(&reply)
    }

    /// The requests that `b` got, when `a` got none.
    fn of_b(&self) -> Vec<Received> {
        assert!(self.a.requests().is_empty(), "{:?}", self.a.requests());
        let requests = self.b.requests();
        self.b.reset();
        requests
    }
}

async fn ask(sidecar: &Sidecar, more: &Value) -> Reply {
    let mut body = json!({"model": "m", "input": "Hi"});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    sidecar.post("/v1/responses", body.to_string()).await
}

async fn call(sidecar: &Sidecar, method: Method, path: &str) -> Reply {
    send(method, &sidecar.url(path), &[], bytes::Bytes::new()).await
}

fn id(reply: &Reply) -> String {
    let json = reply.json();
    json["id"]
        .as_str()
        .unwrap_or_else(|| panic!("{reply:?}"))
        .to_owned()
}

/// The provider's own id.
fn own(id: &str) -> &str {
    id.rsplit_once("_fkm_").unwrap().0
}

fn check_refused(reply: &Reply, field: &str) {
    assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{reply:?}");
    let error = &reply.json()["error"];
    assert_eq!(error["code"], "state_elsewhere", "{reply:?}");
    assert_eq!(error["param"], field, "{reply:?}");
    assert!(reply.message().contains(field), "{reply:?}");
}

#[tokio::test]
async fn a_conversation_goes_on_where_it_is_kept() {
    let world = World::start().await;
    let first = world.kept_by_b().await;
    assert!(first.starts_with("resp_upstream"), "{first}");
    let mut previous = first;
    for sidecar in [&world.one, &world.other, &world.one] {
        let reply = ask(sidecar, &json!({"previous_response_id": previous})).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        let requests = world.of_b();
        assert_eq!(requests[0].json()["previous_response_id"], own(&previous));
        assert!(!id(&reply).is_empty());
        previous = id(&reply);
        assert_eq!(previous.rsplit_once("_fkm_").unwrap().1.len(), 16);
    }
}

#[tokio::test]
async fn every_event_of_a_stream_has_the_same_id() {
    let world = World::start().await;
    let previous = world.kept_by_b().await;
    let more = json!({"previous_response_id": previous, "stream": true});
    let reply = ask(&world.other, &more).await;
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    let events: Vec<Value> = reply
        .frames()
        .iter()
        .map(|data| serde_json::from_str(data).unwrap())
        .collect();
    let ids: Vec<&str> = events
        .iter()
        .filter_map(|event| event["response"]["id"].as_str())
        .collect();
    assert_eq!(ids.len(), 3, "{events:?}");
    assert!(ids.iter().all(|id| *id == ids[0] && id.contains("_fkm_")));
    world.of_b();
    let again = call(
        &world.one,
        Method::GET,
        &format!("/v1/responses/{}?stream=true&starting_after=0", ids[0]),
    )
    .await;
    assert!(
        again
            .header("content-type")
            .starts_with("text/event-stream")
    );
    assert!(again.frames()[0].contains(ids[0]), "{again:?}");
    let requests = world.of_b();
    let expected = format!("/v1/responses/{}?stream=true&starting_after=0", own(ids[0]));
    assert_eq!(requests[0].path, expected);
    assert_eq!(
        requests[0].header("authorization"),
        Some("Bearer sk-test-0123456789abcdef")
    );
}

#[tokio::test]
async fn an_answer_is_fetched_cancelled_and_deleted_by_its_id() {
    let world = World::start().await;
    let minted = world.kept_by_b().await;
    let path = format!("/v1/responses/{minted}");
    for (method, path, object) in [
        (Method::GET, path.clone(), "response"),
        (Method::GET, format!("/openai{path}"), "response"),
        (
            Method::GET,
            format!("/openai/responses/{minted}?api-version=2025-04-01"),
            "response",
        ),
        (Method::GET, format!("{path}/input_items?limit=2"), "list"),
        (Method::POST, format!("{path}/cancel"), "response"),
        (Method::DELETE, path.clone(), "response"),
    ] {
        let reply = call(&world.other, method.clone(), &path).await;
        assert_eq!(reply.status, StatusCode::OK, "{path}: {reply:?}");
        assert_eq!(reply.json()["object"], object);
        assert_eq!(reply.header("x-fkm-provider"), "b");
        assert!(!reply.header("x-fkm-request-id").is_empty());
        if object == "response" {
            assert_eq!(id(&reply), minted);
        }
        let requests = world.of_b();
        assert_eq!(requests[0].method, method);
        assert!(requests[0].path.contains(own(&minted)));
        assert!(!requests[0].path.contains("_fkm_") && !requests[0].path.contains("api-version"));
    }
    let gone = call(&world.one, Method::GET, &path).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND, "{gone:?}");
    assert!(gone.message().contains("No such object"), "{gone:?}");
}

#[tokio::test]
async fn work_in_the_background_is_kept_too() {
    let world = World::start().await;
    let previous = world.kept_by_b().await;
    let more = json!({"previous_response_id": previous, "background": true});
    let reply = ask(&world.one, &more).await;
    assert_eq!(reply.json()["status"], "queued", "{reply:?}");
    assert_eq!(reply.json()["previous_response_id"], *previous);
    let path = format!("/v1/responses/{}/cancel", id(&reply));
    let cancelled = call(&world.other, Method::POST, &path).await;
    assert_eq!(cancelled.json()["status"], "cancelled", "{cancelled:?}");
    assert_eq!(id(&cancelled), id(&reply));
}

#[tokio::test]
async fn other_formats_keep_nothing() {
    let upstream = Upstream::start().await.unwrap();
    let chat = snapshot(&[provider("a", &upstream.base_url(), 0)]);
    let sidecar = Sidecar::start(&chat).await;
    for more in [
        json!({"background": true}),
        json!({"previous_response_id": "resp_1"}),
        json!({"input": [{"type": "item_reference", "id": "msg_1"}]}),
    ] {
        let reply = ask(&sidecar, &more).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{more}: {reply:?}");
        assert!(reply.message().len() > 20, "{reply:?}");
    }
    let reply = call(&sidecar, Method::GET, "/v1/responses/resp_1").await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{reply:?}");
    assert!(
        reply.message().contains("keeps openai.responses"),
        "{reply:?}"
    );
    assert!(upstream.requests().is_empty());
}

#[tokio::test]
async fn nobody_is_asked_who_is_out_of_reach() {
    let world = World::start().await;
    let minted = world.kept_by_b().await;
    // Another credential, another name, another rule: another owner.
    let mut changes = vec![
        world.snapshot.clone(),
        world.snapshot.clone(),
        world.snapshot.clone(),
    ];
    let b = "/pools/test~1pool/providers/1";
    *changes[0].pointer_mut(&format!("{b}/name")).unwrap() = json!("c");
    *changes[1]
        .pointer_mut(&format!("{b}/connection/http/credentials/0/name"))
        .unwrap() = json!("x");
    *changes[2].pointer_mut(&format!("{b}/models")).unwrap() = json!({"n": {}});
    changes[2]["rules"][0]["matches"] = json!([{"models": ["m"]}]);
    for change in changes {
        world.other.apply(&change);
        let reply = ask(&world.other, &json!({"previous_response_id": minted})).await;
        check_refused(&reply, "previous_response_id");
        let reply = call(
            &world.other,
            Method::GET,
            &format!("/v1/responses/{minted}"),
        )
        .await;
        check_refused(&reply, "id");
        assert!(world.of_b().is_empty());
    }
    let unknown = "resp_1_fkm_0123456789abcdef";
    let reply = ask(&world.one, &json!({"previous_response_id": unknown})).await;
    check_refused(&reply, "previous_response_id");
    assert!(world.of_b().is_empty());
}

#[tokio::test]
async fn what_several_keep_cannot_be_used_at_once() {
    let world = World::start().await;
    let of_b = world.kept_by_b().await;
    let of_a = id(&ask(&world.one, &json!({})).await);
    world.a.reset();
    let input = json!([{"role": "user", "content": [{"type": "input_file", "file_id": of_a}]}]);
    let more = json!({"previous_response_id": of_b, "input": input});
    let reply = ask(&world.one, &more).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{reply:?}");
    let message = reply.message();
    assert!(
        message.contains("previous_response_id") && message.contains("file_id"),
        "{message}"
    );
    assert!(world.of_b().is_empty());
}

#[tokio::test]
async fn its_owner_alone_is_asked_also_when_it_fails() {
    let world = World::start().await;
    let minted = world.kept_by_b().await;
    world.b.script(vec![Step::status(503)]);
    let reply = ask(&world.one, &json!({"previous_response_id": minted})).await;
    assert_eq!(reply.status.as_u16() / 100, 5, "{reply:?}");
    assert_eq!(world.of_b().len(), 1);
}

#[tokio::test]
async fn an_id_from_elsewhere_goes_where_a_request_without_one_goes() {
    let world = World::start().await;
    let reply = call(&world.one, Method::GET, "/v1/responses/resp_other").await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND, "{reply:?}");
    assert_eq!(world.a.requests()[0].path, "/v1/responses/resp_other");
    assert!(world.b.requests().is_empty());
}

#[tokio::test]
async fn tokens_are_counted_and_conversations_compacted_by_the_owner() {
    let world = World::start().await;
    let minted = world.kept_by_b().await;
    let body = json!({"model": "m", "input": "Hi", "previous_response_id": minted}).to_string();
    let reply = world
        .one
        .post("/v1/responses/input_tokens", body.clone())
        .await;
    assert_eq!(reply.json()["input_tokens"], 42, "{reply:?}");
    let reply = world.one.post("/v1/responses/compact", body).await;
    assert!(id(&reply).starts_with("resp_compacted_fkm_"), "{reply:?}");
    for request in world.of_b() {
        assert_eq!(request.json()["previous_response_id"], own(&minted));
        assert_eq!(request.json()["model"], "m-upstream");
    }
    let reply = world.one.post("/v1/responses/compact", "{}").await;
    assert!(reply.message().contains("`model` is missing"), "{reply:?}");
    assert_eq!(reply.json()["error"]["param"], "model", "{reply:?}");
}

#[tokio::test]
async fn no_id_leads_to_another_path_and_no_key_of_a_client_goes_on() {
    let world = World::start().await;
    let minted = world.kept_by_b().await;
    let mark = &minted[own(&minted).len()..];
    for (method, path) in [
        (Method::GET, format!("/v1/responses/..{mark}")),
        (Method::DELETE, format!("/v1/files/%2E%2e{mark}")),
        (Method::GET, format!("/v1/files/..{mark}/content")),
        (Method::POST, format!("/v1/batches/.{mark}/cancel")),
    ] {
        let reply = call(&world.one, method, &path).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{path}: {reply:?}");
        assert_eq!(reply.json()["error"]["param"], "id", "{path}: {reply:?}");
    }
    assert!(world.of_b().is_empty());
    let path = format!("/v1/responses/{minted}?key=mine&include=x");
    call(&world.one, Method::GET, &path).await;
    let expected = format!("/v1/responses/{}?include=x", own(&minted));
    assert_eq!(world.of_b()[0].path, expected);
}

#[tokio::test]
async fn methods_that_are_not_known_are_told() {
    let world = World::start().await;
    for (method, path, allowed) in [
        (Method::POST, "/v1/responses/resp_1", "GET, DELETE"),
        (Method::GET, "/v1/responses/resp_1/cancel", "POST"),
        (Method::DELETE, "/v1/files", "GET, POST"),
        (Method::PUT, "/v1/batches/b", "GET"),
    ] {
        let reply = call(&world.one, method, path).await;
        assert_eq!(reply.status, StatusCode::METHOD_NOT_ALLOWED, "{reply:?}");
        assert_eq!(reply.header("allow"), allowed);
    }
}
