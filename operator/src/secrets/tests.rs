//! Reading Secrets from a scripted API server, past a watch that the test feeds.

use std::convert::Infallible;

use http::{Request, Response, StatusCode};
use kube::client::Body;
use kube::runtime::reflector::{self, store::Writer};
use kube::runtime::watcher::Event;
use parking_lot::Mutex;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use tokio::time::{advance, sleep};

use super::*;
use crate::task::Tasks;

/// A running reader.
struct World {
    reader: SecretReader,
    watch: Writer<PartialObjectMeta<Secret>>,
    server: Arc<Mutex<Server>>,
    tasks: Tasks,
}

/// What the API server answers to every read, and how many there were.
struct Server {
    status: StatusCode,
    body: Value,
    reads: usize,
}

impl World {
    fn new(status: u16, body: Value) -> Self {
        let server = Arc::new(Mutex::new(Server {
            status: StatusCode::from_u16(status).unwrap(),
            body,
            reads: 0,
        }));
        let scripted = Arc::clone(&server);
        let service = tower::service_fn(move |_: Request<Body>| {
            let mut server = scripted.lock();
            server.reads += 1;
            let body = Body::from(serde_json::to_vec(&server.body).unwrap());
            let response = Response::builder().status(server.status).body(body);
            async move { Ok::<_, Infallible>(response.unwrap()) }
        });
        let (store, watch) = reflector::store();
        let client = Client::new(service, "llm");
        let metrics = SecretMetrics::default();
        let reader = SecretReader::new(client, vec![store], Changes::new(), metrics);
        let tasks = Tasks::new();
        let (stopping, running) = (tasks.stopping(), reader.clone().run());
        tasks.spawn("secrets", async move {
            let _ = stopping.run_until_cancelled_owned(running).await;
        });
        reader.want(BTreeSet::from([name()]));
        Self {
            reader,
            watch,
            server,
            tasks,
        }
    }

    fn answers(&self, status: u16, body: Value) {
        let mut server = self.server.lock();
        server.status = StatusCode::from_u16(status).unwrap();
        server.body = body;
    }

    /// What is known after so long.
    async fn after(&self, seconds: f64) -> &'static str {
        sleep(Duration::from_secs_f64(seconds)).await;
        match self.reader.states().get(&name()) {
            None => "nothing",
            Some(SecretState::Held { .. }) => "held",
            Some(SecretState::Missing { .. }) => "missing",
            Some(SecretState::Refused { .. }) => "refused",
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.tasks.stop();
    }
}

fn name() -> ObjectName {
    ObjectName::new("llm", "key")
}

fn metadata(version: &str) -> PartialObjectMeta<Secret> {
    let metadata =
        json!({"namespace": "llm", "name": "key", "uid": "u", "resourceVersion": version});
    serde_json::from_value(json!({"metadata": metadata})).unwrap()
}

fn secret(version: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"namespace": "llm", "name": "key", "uid": "u", "resourceVersion": version},
        "data": {"apiKey": "c2stMQ=="},
    })
}

fn failure(code: u16, reason: &str) -> Value {
    json!({"kind": "Status", "status": "Failure", "reason": reason, "code": code, "message": reason})
}

#[tokio::test(start_paused = true)]
async fn a_secret_that_the_watch_does_not_show_yet_is_asked_for() {
    let mut world = World::new(200, secret("1"));
    assert_eq!(world.after(0.1).await, "held");
    // The watch catches up: it is not read again, and its end is one.
    world
        .watch
        .apply_watcher_event(&Event::Apply(metadata("1")));
    world.reader.changes.notify();
    assert_eq!(world.after(9.0).await, "held");
    assert_eq!(world.server.lock().reads, 1);
    world
        .watch
        .apply_watcher_event(&Event::Delete(metadata("1")));
    world.reader.changes.notify();
    assert_eq!(
        world.after(0.1).await,
        "held",
        "asked when the watch knew none"
    );
}

#[tokio::test(start_paused = true)]
async fn only_the_api_server_says_that_a_secret_is_missing() {
    let mut world = World::new(404, failure(404, "NotFound"));
    assert_eq!(world.after(0.1).await, "missing");
    world.answers(200, secret("1"));
    world
        .watch
        .apply_watcher_event(&Event::Apply(metadata("1")));
    world.reader.changes.notify();
    assert_eq!(world.after(0.1).await, "held");
    world
        .watch
        .apply_watcher_event(&Event::Delete(metadata("1")));
    world.reader.changes.notify();
    assert_eq!(world.after(0.1).await, "missing", "deleted");
}

#[tokio::test(start_paused = true)]
async fn one_refusal_drops_nothing_and_refusals_for_a_while_do() {
    let world = World::new(403, failure(403, "Forbidden"));
    assert_eq!(world.after(4.0).await, "nothing");
    assert_eq!(world.after(4.0).await, "refused");
    world.answers(200, secret("1"));
    assert_eq!(world.after(2.1).await, "held");
}

#[tokio::test(start_paused = true)]
async fn an_api_server_that_fails_for_long_holds_up_nobody_for_ever() {
    let world = World::new(500, failure(500, "InternalError"));
    assert_eq!(world.after(29.0).await, "nothing");
    assert_eq!(world.after(4.0).await, "refused");
    let states = world.reader.states();
    let Some(SecretState::Refused { why }) = states.get(&name()) else {
        panic!("{states:?}")
    };
    assert_eq!(why, "InternalError");
}

#[tokio::test(start_paused = true)]
async fn what_is_held_stays_whatever_fails() {
    let mut world = World::new(200, secret("1"));
    world
        .watch
        .apply_watcher_event(&Event::Apply(metadata("1")));
    assert_eq!(world.after(0.1).await, "held");
    world.answers(500, failure(500, "InternalError"));
    world
        .watch
        .apply_watcher_event(&Event::Apply(metadata("2")));
    world.reader.changes.notify();
    assert_eq!(world.after(99.0).await, "held");
}

#[tokio::test(start_paused = true)]
async fn a_failing_secret_is_not_read_at_every_event() {
    let world = World::new(500, failure(500, "InternalError"));
    for _ in 0..100 {
        world.reader.changes.notify();
        advance(Duration::from_millis(10)).await;
        tokio::task::yield_now().await;
    }
    let reads = world.server.lock().reads;
    assert!((2..=3).contains(&reads), "{reads} reads in a second");
}

#[test]
fn usable_values() {
    let text = |bytes: &[u8]| usable(bytes.to_vec()).map(|value| value.expose_secret().to_owned());
    assert_eq!(text(b"sk-1\r\n").as_deref(), Some("sk-1"));
    assert_eq!(text(b"two words").as_deref(), Some("two words"));
    assert_eq!(text(b"one\ntwo\n").as_deref(), Some("one\ntwo"));
    for wrong in [&b""[..], b"\n", b"\xff\xfe", b"nul\0"] {
        assert_eq!(text(wrong), None, "{wrong:?}");
    }
}

#[test]
fn debug_hides_values() {
    let data = BTreeMap::from([("apiKey".to_owned(), ByteString(b"sk-canary".to_vec()))]);
    let secret = Secret {
        data: Some(data),
        ..Secret::default()
    };
    let shown = format!("{:?}", values(&ObjectName::new("llm", "key"), secret));
    assert!(
        shown.contains("apiKey") && !shown.contains("canary"),
        "{shown}"
    );
}
