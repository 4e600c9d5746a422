//! Keys: they are rotated, they belong to their pod, and they are nowhere where they should not be.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use fkm_tests::canary::{self, CANARY};
use fkm_tests::{PodToken, TestPod, http};
use fkm_upstream::Step;
use serde_json::json;
use tokio::time::Instant;

use crate::scene::{Scene, question, secret};

#[tokio::test]
async fn a_rotated_key_is_used_within_two_seconds() {
    let scene = Scene::start().await;
    scene
        .installation
        .apply(&secret("sk-rotated"))
        .await
        .unwrap();
    let applied = Instant::now();
    loop {
        http::post(&scene.chat_url(), &question(false))
            .await
            .unwrap();
        let last = scene.a.requests().pop().unwrap();
        if last.headers["authorization"] == "Bearer sk-rotated" {
            break;
        }
        assert!(
            applied.elapsed() < Duration::from_secs(2),
            "the old key is still used"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A sidecar that is to get nothing: why, as which pod, with which token.
type Case = (&'static str, TestPod, String);

async fn token(scene: &Scene, pod: &TestPod, audience: &str) -> String {
    let token = PodToken {
        namespace: &pod.namespace,
        service_account: "default",
        pod_name: &pod.name,
        pod_uid: &pod.uid,
        audience,
        expiry_seconds: 3600,
    };
    scene.installation.cluster.pod_token(token).await.unwrap()
}

/// The token as it looks a day after its end. Its signature is then void too: no API server gives one that is old already.
fn expired(token: &str) -> String {
    let parts: Vec<&str> = token.split('.').collect();
    let claims = BASE64_URL_SAFE_NO_PAD.decode(parts[1]).unwrap();
    let mut claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    let end = claims["exp"].as_i64().unwrap() - 25 * 60 * 60;
    claims["exp"] = json!(end);
    let claims = BASE64_URL_SAFE_NO_PAD.encode(claims.to_string());
    format!("{}.{claims}.{}", parts[0], parts[2])
}

async fn wrong_tokens(scene: &Scene) -> Vec<Case> {
    let installation = &scene.installation;
    let honest = installation
        .create_pod("shop", "honest", "app")
        .await
        .unwrap();
    let gone = installation
        .create_pod("shop", "gone", "app")
        .await
        .unwrap();
    let of_gone = token(scene, &gone, "fkm-operator").await;
    installation.delete_pod(&gone).await.unwrap();
    vec![
        (
            "another pod's token",
            honest.clone(),
            token(scene, &scene.pod, "fkm-operator").await,
        ),
        (
            "a wrong audience",
            honest.clone(),
            token(scene, &honest, "somebody-else").await,
        ),
        (
            "an expired token",
            honest.clone(),
            expired(&token(scene, &honest, "fkm-operator").await),
        ),
        ("no token at all", honest, "not-a-token".to_owned()),
        ("no such pod", gone, of_gone),
    ]
}

async fn crooked_pods(scene: &Scene) -> Vec<Case> {
    let state = json!([{"name": "fkm-state", "mountPath": "/x"}]);
    let changes = [
        (
            "foreign-image",
            "/spec/initContainers/0/image",
            json!("evil.test/sidecar:1"),
        ),
        (
            "shared-processes",
            "/spec/shareProcessNamespace",
            json!(true),
        ),
        ("host-network", "/spec/hostNetwork", json!(true)),
        ("app-mounts-state", "/spec/containers/0/volumeMounts", state),
    ];
    let mut cases = Vec::new();
    for (name, pointer, value) in changes {
        let mut manifest = TestPod::manifest("shop", name, "app");
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        manifest.pointer_mut(parent).unwrap()[field] = value;
        let pod = scene.installation.create_pod_of(manifest).await.unwrap();
        let token = token(scene, &pod, "fkm-operator").await;
        cases.push((name, pod, token));
    }
    cases
}

#[tokio::test]
async fn who_may_not_have_keys_gets_nothing_and_somebody_is_told() {
    let scene = Scene::start().await;
    let installation = &scene.installation;
    let mut cases = wrong_tokens(&scene).await;
    cases.extend(crooked_pods(&scene).await);
    for (case, pod, token) in cases {
        let mut sidecar = installation.start_sidecar_with(&pod, &token).await.unwrap();
        tokio::time::sleep(Duration::from_millis(700)).await;
        assert!(!sidecar.is_ready().await, "{case}");
        assert!(sidecar.config().await.is_err(), "{case}");
        sidecar.stop().await.unwrap();
    }
    let events = ["get", "events.events.k8s.io", "-n", "shop", "-o", "yaml"];
    let events = installation.kubectl(&events).await.unwrap();
    for name in [
        "honest",
        "foreign-image",
        "shared-processes",
        "host-network",
        "app-mounts-state",
    ] {
        let named = format!("name: {name}");
        assert!(events.contains(&named), "no event about {name}: {events}");
    }
    let metrics = installation.operator_metrics().await.unwrap();
    let refusals = metrics
        .lines()
        .filter(|line| line.starts_with("fkm_operator_push_refusals"));
    assert!(refusals.count() >= 3, "{metrics}");
    for reason in ["WrongPod", "WrongAudience", "ExpiredToken"] {
        assert!(metrics.contains(reason), "{reason}: {metrics}");
    }
    let reply = http::post(&scene.chat_url(), &question(false))
        .await
        .unwrap();
    assert_eq!(reply.status, 200, "nobody else is disturbed");
}

#[tokio::test]
async fn an_ephemeral_container_with_the_state_volume_ends_the_delivery() {
    let scene = Scene::start().await;
    let patch = json!({"spec": {"ephemeralContainers": [{
        "name": "debug", "image": "registry.test/debug:1", "volumeMounts": [{"name": "fkm-state", "mountPath": "/x"}],
    }]}});
    let patch = patch.to_string();
    let pod = scene.pod.name.as_str();
    scene
        .installation
        .kubectl(&[
            "patch",
            "pod",
            "-n",
            "shop",
            pod,
            "--subresource=ephemeralcontainers",
            "--type=strategic",
            "-p",
            &patch,
        ])
        .await
        .unwrap();
    let until = Instant::now() + Duration::from_secs(15);
    while !scene
        .sidecar
        .metrics()
        .await
        .unwrap()
        .contains("fkm_push_connected 0")
    {
        assert!(Instant::now() < until, "the stream is still open");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    scene
        .installation
        .apply(&secret("sk-after-the-fact"))
        .await
        .unwrap();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    http::post(&scene.chat_url(), &question(false))
        .await
        .unwrap();
    assert_ne!(
        scene.a.requests().pop().unwrap().headers["authorization"],
        "Bearer sk-after-the-fact"
    );
}

/// What clients get to read while both providers echo their keys.
async fn answers_to_echoes(scene: &Scene) -> String {
    let mut answers = Vec::new();
    for status in [400, 401, 403, 429, 500] {
        scene.a.set_default(Step::EchoKey { status });
        scene.b.set_default(Step::EchoKey { status });
        for stream in [false, true] {
            let reply = http::post(&scene.chat_url(), &question(stream))
                .await
                .unwrap();
            answers.push(format!("{:?} {}", reply.headers, reply.body));
        }
    }
    let sent = scene.a.requests().pop().unwrap();
    let expected = format!("Bearer {CANARY}");
    assert_eq!(
        sent.headers["authorization"], expected,
        "the key is used where it belongs"
    );
    answers.join("\n")
}

#[tokio::test]
async fn no_key_is_anywhere_but_where_it_is_used() {
    let scene = Scene::start().await;
    let installation = &scene.installation;
    let mut texts = vec![("answers".to_owned(), answers_to_echoes(&scene).await)];
    // A broken route: what the operator says about it.
    installation
        .apply(&crate::scene::route(&["a", "missing"]))
        .await
        .unwrap();
    let object = ["llmroute", "-n", "shop", "assistant"];
    installation
        .condition(&object, "ResolvedRefs", "False")
        .await
        .unwrap();

    texts.push((
        "config dump".to_owned(),
        scene.sidecar.config().await.unwrap(),
    ));
    texts.push((
        "sidecar metrics".to_owned(),
        scene.sidecar.metrics().await.unwrap(),
    ));
    texts.push((
        "operator metrics".to_owned(),
        installation.operator_metrics().await.unwrap(),
    ));
    for kind in [
        "events",
        "providerpools",
        "llmroutes",
        "controllerrevisions",
        "configmaps",
        "pods",
    ] {
        let shown = installation
            .kubectl(&["get", kind, "-A", "-o", "yaml"])
            .await
            .unwrap();
        texts.push((kind.to_owned(), shown));
    }
    let logs = canary::logs(installation.folder()).unwrap();
    for program in ["operator.log", "sidecar.log"] {
        let at_trace =
            |(path, text): &(String, String)| path.ends_with(program) && text.contains("TRACE");
        assert!(logs.iter().any(at_trace), "{program} is not at trace");
    }
    texts.extend(logs);
    let pairs = texts
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()));
    canary::assert_absent(pairs).unwrap();
    let stored = ["get", "secret", "-n", "fkm-system", "keys", "-o", "yaml"];
    let stored = installation.kubectl(&stored).await.unwrap();
    let found = canary::assert_absent([("the Secret itself", stored.as_str())]);
    assert!(found.is_err(), "the search finds the key where it is");
}
