//! TLS towards providers: only the bundle that the pool names is trusted, and only for the provider's own name; a client
//! certificate is shown where the pool has one.

use std::sync::atomic::Ordering;

use fkm_sidecar::network::NetworkSettings;
use fkm_upstream::Upstream;
use serde_json::{Value, json};

use crate::front::{Ca, Front, http2_only, until_left_twice};
use crate::harness::{Sidecar, provider, question, snapshot};

#[tokio::test]
async fn a_new_snapshot_opens_a_connection_ahead_of_requests() {
    let ca = Ca::new();
    let (port, connections) = http2_only(usize::MAX, ca.server(&["localhost"])).await;
    let ca = ca.pem();
    let sidecar = Sidecar::start(&over_tls("localhost", port, &ca)).await;
    let until = tokio::time::Instant::now() + std::time::Duration::from_secs(5);
    while connections.load(Ordering::Relaxed) == 0 {
        assert!(
            tokio::time::Instant::now() < until,
            "nothing is opened ahead"
        );
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert_eq!(
        sidecar.chat(&question(false)).await.text(),
        "by h2 for localhost"
    );
    assert_eq!(
        connections.load(Ordering::Relaxed),
        1,
        "the first request takes it"
    );
    // The same provider again: nothing is opened for it.
    sidecar.apply(&over_tls("localhost", port, &ca));
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert_eq!(
        sidecar.chat(&question(false)).await.text(),
        "by h2 for localhost"
    );
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn http2_is_used_where_it_is_offered_and_goaway_is_honoured() {
    let ca = Ca::new();
    let (port, connections) = http2_only(usize::MAX, ca.server(&["localhost"])).await;
    let ca = ca.pem();
    let sidecar = Sidecar::start(&over_tls("localhost", port, &ca)).await;
    for _ in 0..5 {
        assert_eq!(
            sidecar.chat(&question(false)).await.text(),
            "by h2 for localhost"
        );
    }
    // One that carries all, and perhaps one that was opened ahead at the same moment.
    assert!(connections.load(Ordering::Relaxed) <= 2, "{connections:?}");

    let ca = Ca::new();
    let (port, connections) = http2_only(2, ca.server(&["localhost"])).await;
    let ca = ca.pem();
    sidecar.apply(&over_tls("localhost", port, &ca));
    until_left_twice(&sidecar, &connections, "by h2 for localhost").await;
}

fn over_tls(host: &str, port: u16, ca_pem: &str) -> Value {
    let mut provider = provider("a", &format!("https://{host}:{port}/v1"), 0);
    provider["connection"]["http"]["network"] = json!({"tls": {"caPem": ca_pem}});
    snapshot(&[provider])
}

#[tokio::test]
async fn the_named_bundle_is_trusted_and_nothing_else_is() {
    let a = Upstream::start().await.unwrap();
    let ca = Ca::new();
    let port = Front::start(a.address(), ca.server(&["localhost"]))
        .await
        .port;
    let (ca, other_ca) = (ca.pem(), Ca::new().pem());
    let sidecar = Sidecar::start(&over_tls("localhost", port, &ca)).await;
    for stream in [false, true] {
        let reply = sidecar.chat(&question(stream)).await;
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    for (host, ca, case) in [
        ("localhost", other_ca.as_str(), "another CA"),
        ("localhost", "", "public roots"),
        ("127.0.0.1", ca.as_str(), "another name"),
    ] {
        sidecar.apply(&over_tls(host, port, ca));
        let reply = sidecar.chat(&question(false)).await;
        assert_eq!(reply.status, 502, "{case}");
        let message = reply.message();
        assert!(
            message.contains("ConnectFailure") && message.contains("certificate"),
            "{case}: {message}"
        );
    }
}

#[tokio::test]
async fn the_roots_of_the_process_hold_where_a_pool_says_nothing_and_where_it_wants_them() {
    let a = Upstream::start().await.unwrap();
    let (ca, other) = (Ca::new(), Ca::new());
    let front = Front::start(a.address(), ca.server(&["localhost"])).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, ca.pem()).unwrap();
    let instead = NetworkSettings {
        roots: Some(file.clone()),
        ..NetworkSettings::default()
    };
    let besides = NetworkSettings {
        extra_roots: Some(file),
        ..NetworkSettings::default()
    };
    for network in [instead, besides] {
        let sidecar = Sidecar::start_in(network, &over_tls("localhost", front.port, "")).await;
        assert_eq!(sidecar.chat(&question(false)).await.status, 200);
        let mut snapshot = over_tls("localhost", front.port, &other.pem());
        sidecar.apply(&snapshot);
        let reply = sidecar.chat(&question(false)).await;
        assert_eq!(reply.status, 502, "the pool's bundle alone is trusted");
        let http = &mut snapshot["pools"]["test/pool"]["providers"][0]["connection"]["http"];
        http["network"]["tls"]["publicRoots"] = json!(true);
        sidecar.apply(&snapshot);
        assert_eq!(sidecar.chat(&question(false)).await.status, 200);
    }
}

#[tokio::test]
async fn a_provider_may_have_another_name_in_tls_and_in_requests() {
    let a = Upstream::start().await.unwrap();
    let ca = Ca::new();
    let front = Front::start(a.address(), ca.server(&["models.internal"])).await;
    let mut named = provider("a", &format!("https://127.0.0.1:{}/v1", front.port), 0);
    named["connection"]["http"]["network"] = json!({
        "tls": {"caPem": ca.pem(), "serverName": "models.internal"},
        "hostHeader": "gateway.internal:8443",
    });
    let sidecar = Sidecar::start(&snapshot(&[named])).await;
    assert_eq!(sidecar.chat(&question(false)).await.status, 200);
    let asked_for = ("models.internal".to_owned(), false);
    assert_eq!(front.clients.lock().last(), Some(&asked_for));
    let requests = a.requests();
    assert_eq!(requests[0].header("host"), Some("gateway.internal:8443"));
    assert_eq!(requests[0].path, "/v1/chat/completions");
}

const CERTIFICATE: &str = "test/client/tls.crt";
const KEY: &str = "test/client/tls.key";

#[tokio::test]
async fn a_client_certificate_is_shown_and_its_rotation_takes_effect() {
    let a = Upstream::start().await.unwrap();
    let (ca, clients, strangers) = (Ca::new(), Ca::new(), Ca::new());
    let config = ca.server_for(&["localhost"], Some(&clients));
    let front = Front::start(a.address(), config).await;
    let without = over_tls("localhost", front.port, &ca.pem());
    let mut with = without.clone();
    let http = &mut with["pools"]["test/pool"]["providers"][0]["connection"]["http"];
    http["network"]["tls"]["clientCertificate"] = json!({"certificate": CERTIFICATE, "key": KEY});
    let sidecar = Sidecar::start(&without).await;
    let refused = || async {
        let reply = sidecar.chat(&question(false)).await;
        assert_eq!(reply.status, 502, "{reply:?}");
        reply.message()
    };
    let message = refused().await;
    assert!(message.contains("CertificateRequired"), "{message}");

    let (certificate, key) = clients.client();
    let good = [(CERTIFICATE, certificate.as_str()), (KEY, key.as_str())];
    sidecar.apply_with(&with, &good);
    let reply = sidecar.chat(&question(false)).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(front.clients.lock().last().unwrap().1);

    let (certificate, key) = strangers.client();
    let rotated = [(CERTIFICATE, certificate.as_str()), (KEY, key.as_str())];
    sidecar.apply_with(&with, &rotated);
    refused().await;
    sidecar.apply_with(&with, &good);
    assert_eq!(sidecar.chat(&question(false)).await.status, 200);

    // A certificate and the key of another one, or no key: the snapshot is refused, and what was good stays.
    let of = |values: [&str; 2]| {
        let secrets = [(CERTIFICATE, values[0]), (KEY, values[1])];
        let problems = sidecar.try_apply(&with, &secrets).unwrap_err();
        format!("{problems:?}")
    };
    let mixed = of([&clients.client().0, &key]);
    assert!(mixed.contains("network.tls.clientCertificate"), "{mixed}");
    let canary = of([&certificate, "sk-canary"]);
    assert!(canary.contains("clientCertificate.key"), "{canary}");
    assert!(!canary.contains("sk-canary"), "{canary}");
    let problems = sidecar.try_apply(&with, &good[..1]).unwrap_err();
    assert!(problems[0].message.contains(KEY), "{problems:?}");
    assert_eq!(sidecar.chat(&question(false)).await.status, 200);
}
