//! Whole passes over stores that the test fills, against a scripted API server.

use std::collections::BTreeMap;
use std::convert::Infallible;

use fkm_crds::{LLMRoute, ProviderPool};
use http::{Method, Request, Response, StatusCode};
use k8s_openapi::api::core::v1::Pod;
use kube::client::Body;
use kube::runtime::reflector::{self, store::Writer};
use kube::runtime::watcher::Event;
use kube::{Client, ResourceExt};
use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::*;
use crate::assignment::Standing;
use crate::metrics::{SecretMetrics, WriteMetrics};
use crate::push::Violation;

const IMAGE: &str = "registry.example/fkm-sidecar:1";

/// A compiler, and the watches that feed it.
struct World {
    compiler: Compiler,
    memory: Memory,
    routes: Writer<LLMRoute>,
    pools: Writer<ProviderPool>,
    pods: Writer<Pod>,
    server: Arc<Mutex<Server>>,
}

/// The API server's part.
#[derive(Debug, Default)]
struct Server {
    /// By their names.
    revisions: BTreeMap<String, Value>,
    /// Whether it refuses to create any.
    refuses: bool,
    /// Whether it answers nothing.
    hangs: bool,
}

fn parse<K: DeserializeOwned>(value: Value) -> K {
    serde_json::from_value(value).unwrap()
}

fn answer(server: &Mutex<Server>, (method, body): (Method, Value)) -> Response<Body> {
    let mut server = server.lock();
    let (status, body) = match (method, server.refuses) {
        (Method::POST, false) => {
            let name = body["metadata"]["name"].as_str().unwrap();
            server.revisions.insert(name.to_owned(), body.clone());
            (StatusCode::CREATED, body)
        }
        _ => {
            let refusal = json!({"kind": "Status", "status": "Failure", "reason": "Forbidden", "code": 403, "message": "no"});
            (StatusCode::FORBIDDEN, refusal)
        }
    };
    let body = Body::from(serde_json::to_vec(&body).unwrap());
    Response::builder().status(status).body(body).unwrap()
}

impl World {
    fn new() -> Self {
        let server = Arc::new(Mutex::new(Server::default()));
        let scripted = Arc::clone(&server);
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = Arc::clone(&scripted);
            async move {
                let method = request.method().clone();
                let body = request.into_body().collect_bytes().await.unwrap();
                let body = serde_json::from_slice(&body).unwrap_or_default();
                if server.lock().hangs {
                    std::future::pending::<()>().await;
                }
                Ok::<_, Infallible>(answer(&server, (method, body)))
            }
        });
        let client = Client::new(service, "fkm-system");
        let (routes_store, routes) = reflector::store();
        let (pools_store, pools) = reflector::store();
        let (pods_store, pods) = reflector::store();
        let stores = Stores {
            pools: vec![pools_store],
            routes: routes_store,
            namespaces: reflector::store().0,
            config_maps: Vec::new(),
            secrets: Vec::new(),
            pods: pods_store,
            revisions: reflector::store().0,
        };
        let changes = Changes::new();
        let metadata = stores.secrets.clone();
        let metrics = SecretMetrics::default();
        let compiler = Compiler {
            stores,
            secrets: SecretReader::new(client.clone(), metadata, changes.clone(), metrics),
            revisions: Revisions::new(client, "fkm-system", WriteMetrics::default()),
            judge: JudgeSettings::try_new([IMAGE]).unwrap(),
            changes,
            assignments: Assignments::new(),
            outcomes: watch::Sender::default(),
            readiness: Readiness::default(),
            metrics: GroupMetrics::register(&mut fkm_telemetry::metrics::Registry::default()),
        };
        Self {
            compiler,
            memory: Memory::default(),
            routes,
            pools,
            pods,
            server,
        }
    }

    /// Another operator over the same objects.
    fn restarted(mut self) -> Self {
        let mut after = Self::new();
        let (store, mut revisions) = reflector::store();
        for revision in self.server.lock().revisions.values() {
            revisions.apply_watcher_event(&Event::Apply(parse(revision.clone())));
        }
        after.compiler.stores = self.compiler.stores.clone();
        after.compiler.stores.revisions = store;
        std::mem::swap(&mut self.routes, &mut after.routes);
        std::mem::swap(&mut self.pools, &mut after.pools);
        std::mem::swap(&mut self.pods, &mut after.pods);
        after
    }

    async fn pass(&mut self) -> bool {
        self.compiler.pass(&mut self.memory).await
    }

    fn route(&mut self, name: &str, generation: i64, created: &str, spec: &Value) {
        let metadata = json!({"namespace": "shop", "name": name, "uid": name, "generation": generation, "creationTimestamp": created});
        let route = json!({"apiVersion": "fluxkontext.dev/v1alpha1", "kind": "LLMRoute", "metadata": metadata, "spec": spec});
        self.routes.apply_watcher_event(&Event::Apply(parse(route)));
    }

    /// A pool whose part of a snapshot has about so many KiB.
    fn pool(&mut self, name: &str, kib: usize) {
        let provider = |n| json!({"name": format!("p{n}"), "type": "Simulated", "models": [{"name": "m"}], "simulated": {"text": "x".repeat(1024 * kib / 32)}});
        let providers: Vec<Value> = (0..32).map(provider).collect();
        let metadata = json!({"namespace": "shop", "name": name, "uid": name, "generation": 1});
        let pool = json!({"apiVersion": "fluxkontext.dev/v1alpha1", "kind": "ProviderPool", "metadata": metadata, "spec": {"providers": providers}});
        self.pools.apply_watcher_event(&Event::Apply(parse(pool)));
    }

    fn pod(&mut self, name: &str, label: &str, change: impl FnOnce(&mut Value)) {
        let mut pod = json!({
            "metadata": {"namespace": "shop", "name": name, "uid": name, "labels": {"app": "shop", "size": label, "fluxkontext.dev/injected": "true"}},
            "spec": {
                "initContainers": [{"name": "fkm-sidecar", "image": IMAGE, "restartPolicy": "Always", "volumeMounts": [
                    {"name": "fkm-token", "mountPath": "/var/run/fkm"},
                    {"name": "fkm-state", "mountPath": "/var/lib/fkm"},
                ]}],
                "containers": [],
                "volumes": [
                    {"name": "fkm-token", "projected": {"sources": [{"serviceAccountToken": {"audience": "fkm-operator", "path": "token"}}]}},
                    {"name": "fkm-state", "emptyDir": {"medium": "Memory"}},
                ],
            },
            "status": {"phase": "Running"},
        });
        change(&mut pod);
        self.pods.apply_watcher_event(&Event::Apply(parse(pod)));
    }

    fn standing(&self, pod: &str) -> Standing {
        self.compiler.assignments.subscribe(pod).current()
    }

    /// The objects that the pod's snapshot was made of, with their generations.
    fn served(&self, pod: &str) -> Vec<(String, i64)> {
        let Standing::Granted(assignment) = self.standing(pod) else {
            return Vec::new();
        };
        let objects = assignment.snapshot.objects.iter();
        objects
            .filter(|object| object.kind == "LLMRoute")
            .map(|object| (object.name.clone(), object.generation))
            .collect()
    }

    /// Whether status would say of the route that it is accepted. `None`: it says nothing new.
    fn accepted(&self, route: &str) -> Option<bool> {
        let outcome = self.compiler.outcomes.borrow().clone();
        let mut found = outcome.routes.iter();
        found
            .find(|found| found.object.name_any() == route)
            .map(|found| found.judgement.accepted.is_ok())
    }
}

/// A route to these pools, for the pods of one size or for all.
fn route_to(pools: &[&str], size: Option<&str>, rules: &[&str]) -> Value {
    let mut labels = BTreeMap::from([("app", "shop")]);
    labels.extend(size.map(|size| ("size", size)));
    let backends: Vec<Value> = pools
        .iter()
        .map(|pool| json!({"name": pool, "poolRef": {"name": pool}, "model": "m"}))
        .collect();
    let rules: Vec<Value> = rules
        .iter()
        .map(|rule| json!({"name": rule, "matches": [{"models": [format!("{rule}*")]}], "backends": backends}))
        .collect();
    json!({"workloadSelector": {"matchLabels": labels}, "rules": rules})
}

const OLD: &str = "2026-01-01T00:00:00Z";
const YOUNG: &str = "2026-02-01T00:00:00Z";

/// One route for two groups; in that of `pod-full` there is no room for it.
fn too_large_in_one_of_two_groups() -> World {
    let mut world = World::new();
    let names: Vec<String> = (0..8).map(|n| format!("pool-{n}")).collect();
    for name in &names {
        world.pool(name, 255);
    }
    world.pool("last", 255 * 4);
    world.pool("late", 255 * 4);
    let most: Vec<&str> = names.iter().map(String::as_str).collect();
    world.route("first", 1, OLD, &route_to(&most, Some("full"), &["f"]));
    let spec = route_to(&["last", "late"], None, &["r"]);
    world.route("second", 1, YOUNG, &spec);
    world.pod("pod-full", "full", |_| {});
    world.pod("pod-free", "free", |_| {});
    world
}

#[tokio::test]
async fn what_one_group_refuses_and_another_serves_outlives_a_wrong_edit() {
    let mut world = too_large_in_one_of_two_groups();
    assert!(world.pass().await);
    assert_eq!(world.served("pod-full"), [("first".to_owned(), 1)]);
    assert_eq!(world.served("pod-free"), [("second".to_owned(), 1)]);
    assert_eq!(world.accepted("second"), Some(false));
    let stored = world.server.lock().revisions.clone();
    assert!(
        stored.contains_key("llmroute-second-1-pushed"),
        "{stored:?}"
    );

    // Two rules of one name.
    let wrong = route_to(&["last", "late"], None, &["r", "r"]);
    world.route("second", 2, YOUNG, &wrong);
    assert!(world.pass().await);
    assert_eq!(world.served("pod-free"), [("second".to_owned(), 1)]);
}

#[tokio::test]
async fn an_edit_that_is_too_large_for_one_group_takes_nothing_from_it() {
    let mut world = too_large_in_one_of_two_groups();
    world.pool("tiny", 1);
    world.route("second", 1, YOUNG, &route_to(&["tiny"], None, &["r"]));
    assert!(world.pass().await);
    let full = |world: &World| world.served("pod-full").last().cloned();
    assert_eq!(full(&world), Some(("second".to_owned(), 1)));

    let larger = route_to(&["tiny", "last", "late"], None, &["r"]);
    world.route("second", 2, YOUNG, &larger);
    for _ in 0..2 {
        assert!(world.pass().await);
        assert_eq!(full(&world), Some(("second".to_owned(), 1)));
        assert_eq!(world.served("pod-free"), [("second".to_owned(), 2)]);
    }
    let mut world = world.restarted();
    assert!(world.pass().await);
    assert_eq!(full(&world), Some(("second".to_owned(), 1)));
    assert_eq!(world.served("pod-free"), [("second".to_owned(), 2)]);

    // Two rules of one name: what was accepted for all stands in.
    let wrong = route_to(&["tiny"], None, &["r", "r"]);
    world.route("second", 3, YOUNG, &wrong);
    assert!(world.pass().await);
    assert_eq!(full(&world), Some(("second".to_owned(), 1)));
    assert_eq!(world.served("pod-free"), [("second".to_owned(), 1)]);
}

#[tokio::test]
async fn what_cannot_be_stored_is_neither_pushed_nor_told() {
    let mut world = too_large_in_one_of_two_groups();
    world.server.lock().refuses = true;
    assert!(!world.pass().await);
    for pod in ["pod-full", "pod-free"] {
        assert!(matches!(world.standing(pod), Standing::Awaited), "{pod}");
    }
    assert_eq!(world.accepted("first"), None);
    world.server.lock().refuses = false;
    assert!(world.pass().await);
    assert_eq!(world.served("pod-free"), [("second".to_owned(), 1)]);
    assert_eq!(world.accepted("first"), Some(true));
}

#[tokio::test]
async fn a_group_with_a_pending_neighbour_is_stored_before_it_is_published() {
    let mut world = World::new();
    world.pool("small", 1);
    // Its Secret is being read, for ever.
    let credentials = json!([{"name": "k", "type": "APIKey", "apiKey": {"secretKeyRef": {"name": "key", "key": "apiKey"}}}]);
    let provider = json!({"name": "p", "type": "OpenAI", "credentials": credentials});
    let pool = json!({
        "apiVersion": "fluxkontext.dev/v1alpha1", "kind": "ProviderPool",
        "metadata": {"namespace": "shop", "name": "slow", "uid": "slow", "generation": 1},
        "spec": {"providers": [provider]},
    });
    world.pools.apply_watcher_event(&Event::Apply(parse(pool)));
    world.route("slow", 1, OLD, &route_to(&["slow"], Some("full"), &["s"]));
    world.route("both", 1, YOUNG, &route_to(&["small"], None, &["r"]));
    world.pod("pod-full", "full", |_| {});
    world.pod("pod-free", "free", |_| {});
    assert!(!world.pass().await);
    assert!(matches!(world.standing("pod-full"), Standing::Awaited));
    assert_eq!(world.served("pod-free"), [("both".to_owned(), 1)]);
    let stored = world.server.lock().revisions.clone();
    assert!(stored.contains_key("llmroute-both-1-pushed"), "{stored:?}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_and_an_end_do_not_wait_for_the_api_server() {
    let mut world = World::new();
    world.pod("good", "free", |_| {});
    assert!(world.pass().await);
    world.pod("bad", "free", |pod| pod["spec"]["hostPID"] = json!(true));
    let gone = json!({"metadata": {"namespace": "shop", "name": "good", "uid": "good"}});
    world.pods.apply_watcher_event(&Event::Delete(parse(gone)));
    world.pool("small", 1);
    world.route("first", 1, OLD, &route_to(&["small"], None, &["r"]));
    world.server.lock().hangs = true;
    let pass = timeout(Duration::from_secs(1), world.pass()).await;
    assert!(pass.is_err(), "it waits for the API server");
    let denied = world.standing("bad");
    assert!(matches!(denied, Standing::Denied(Violation::HostPid)));
    assert!(matches!(world.standing("good"), Standing::Unknown));
}

#[tokio::test(start_paused = true)]
async fn readiness_waits_for_a_group_that_is_held_back_but_not_for_ever() {
    let mut world = too_large_in_one_of_two_groups();
    world.server.lock().refuses = true;
    let missing = |world: &World| world.compiler.readiness.missing();
    world.compiler.readiness.set_synced();
    world.compiler.readiness.set_listening();
    world.pass().await;
    assert!(missing(&world).is_some());
    tokio::time::advance(PATIENCE).await;
    world.pass().await;
    assert_eq!(missing(&world), None);
}
