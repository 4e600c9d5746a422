//! What a proxy refuses, and what is never asked of one.

use fkm_upstream::{Proxy, Upstream};
use serde_json::{Value, json};

use super::{IN_HEADER, PASSWORD, behind_proxy, environment, external};
use crate::harness::{Sidecar, provider, question, snapshot};

#[tokio::test]
async fn a_proxy_that_refuses_is_named_without_its_password_and_the_next_provider_answers() {
    let (_a, proxy, sidecar, ca) = behind_proxy().await;
    let tls = json!({"tls": {"caPem": ca.pem()}});
    let b = Upstream::start().await.unwrap();
    let first = external(provider("a", "https://api.test/v1", 0), tls.clone());
    let unknown = external(provider("a", "https://unknown.test/v1", 0), tls.clone());
    let second = provider("b", &b.base_url(), 1);
    let ask = |alone: &Value| {
        sidecar.apply(&snapshot(std::slice::from_ref(alone)));
        let both = snapshot(&[alone.clone(), second.clone()]);
        let sidecar = &sidecar;
        async move {
            let reply = sidecar.chat(&question(false)).await;
            assert_eq!(reply.status, 502, "{reply:?}");
            sidecar.apply(&both);
            let saved = sidecar.chat(&question(false)).await;
            assert_eq!(
                (saved.status.as_u16(), saved.header("x-fkm-provider")),
                (200, "b")
            );
            reply.message()
        }
    };
    let named = format!("proxy {}", proxy.url());
    let check = |message: String, part: &str| {
        assert!(
            message.contains("ConnectFailure") && message.contains(&named),
            "{message}"
        );
        assert!(message.contains(part), "{part}: {message}");
        for secret in [PASSWORD, "p%40ss", "dXNlc"] {
            assert!(!message.contains(secret), "{message}");
        }
    };
    check(
        ask(&unknown).await,
        "did not connect to unknown.test:443: status 502",
    );
    proxy.demand("Basic another");
    check(
        ask(&first).await,
        "does not take its credentials (status 407)",
    );
    proxy.refuse(403);
    check(
        ask(&first).await,
        "did not connect to api.test:443: status 403",
    );
    let address = proxy.address();
    drop(proxy);
    // The port refuses connections once the proxy's tasks are gone.
    while tokio::net::TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    check(ask(&first).await, "cannot be reached");
}

#[tokio::test]
async fn a_forwarding_proxy_that_wants_credentials_is_no_answer_of_the_provider() {
    let proxy = Proxy::start().await.unwrap();
    proxy.demand(IN_HEADER);
    let settings = environment(&[("HTTP_PROXY", proxy.url())]);
    let forwarded = external(provider("a", "http://api.test/v1", 0), json!({}));
    let sidecar = Sidecar::start_in(settings, &snapshot(&[forwarded])).await;
    let reply = sidecar.chat(&question(false)).await;
    assert_eq!(reply.status, 502);
    let message = reply.message();
    assert!(
        message.contains("ConnectFailure") && message.contains("wants credentials (status 407)"),
        "{message}"
    );
}

#[tokio::test]
async fn no_proxy_is_asked_for_metadata_however_it_is_spelled() {
    let proxy = Proxy::start().await.unwrap();
    let url = proxy.url();
    let settings = environment(&[("ALL_PROXY", url)]);
    let sidecar = Sidecar::start_in(settings, &snapshot(&[])).await;
    for host in [
        "169.254.169.254",
        "2852039166",
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "169.254.43518",
        "[::ffff:169.254.169.254]",
        "[::ffff:a9fe:a9fe]",
        "[64:ff9b::a9fe:a9fe]",
        "[fd00:ec2::254]",
        "100.100.100.200",
        "metadata.google.internal",
        "METADATA.google.internal.",
    ] {
        for scheme in ["http", "https"] {
            let provider = provider("a", &format!("{scheme}://{host}/v1"), 0);
            sidecar.apply(&snapshot(&[external(provider, json!({}))]));
            let reply = sidecar.chat(&question(false)).await;
            assert_eq!(reply.status, 502, "{host}");
            let message = reply.message();
            assert!(
                message.contains("ConnectFailure") && message.contains("metadata"),
                "{host}: {message}"
            );
        }
    }
    assert!(proxy.asked().is_empty(), "{:?}", proxy.asked());
}

#[tokio::test]
async fn a_proxy_is_no_metadata_service_either() {
    let sidecar = Sidecar::start_in(environment(&[]), &snapshot(&[])).await;
    for host in ["169.254.169.254", "2852039166", "[::ffff:169.254.169.254]"] {
        let proxy = json!({"proxy": {"through": {"url": format!("http://{host}:80")}}});
        let provider = external(provider("a", "https://api.test/v1", 0), proxy);
        sidecar.apply(&snapshot(&[provider]));
        let message = sidecar.chat(&question(false)).await.message();
        assert!(
            message.contains("proxy http://") && message.contains("link-local"),
            "{host}: {message}"
        );
    }
}
