//! How long a provider is waited for, and whose fault it is when that is too long.

use std::time::Duration;

use fkm_upstream::{End, Step, Streamed};
use serde_json::json;
use tokio::time::Instant;

use crate::harness::{Sidecar, pair, provider, question, snapshot};

#[tokio::test]
async fn each_timeout_ends_what_it_is_for() {
    let (a, b, sidecar) = pair().await;
    let providers = [
        provider("a", &a.base_url(), 0),
        provider("b", &b.base_url(), 1),
    ];
    let mut snapshot = snapshot(&providers);
    let slow_rest = Step::Streamed(Streamed {
        delay_millis: 2_000,
        ..Streamed::counting(3)
    });
    for (timeouts, step, provider) in [
        (json!({"attempt": 150}), Step::Hang, "b"),
        (json!({"firstContent": 150}), Step::Hang, "b"),
        (json!({"firstContent": 150}), Step::HangAfterHeaders, "b"),
        (json!({"firstContent": 150}), slow_rest, "b"),
    ] {
        snapshot["rules"][0]["policy"] = json!({"timeouts": timeouts});
        sidecar.apply(&snapshot);
        a.script(vec![step.clone()]);
        let stream = matches!(step, Step::Streamed(_));
        let began = Instant::now();
        let reply = sidecar.chat(&question(stream)).await;
        assert_eq!(
            reply.header("x-fkm-provider"),
            provider,
            "{timeouts} {step:?}"
        );
        assert!(
            began.elapsed() < Duration::from_millis(1_500),
            "{timeouts} {step:?}: {:?}",
            began.elapsed()
        );
    }
    snapshot["rules"][0]["policy"] = json!({"timeouts": {"request": 150}});
    sidecar.apply(&snapshot);
    a.script(vec![Step::Hang]);
    let reply = sidecar.chat(&question(false)).await;
    assert_eq!(reply.status, 504);
    assert!(
        reply.json()["error"]["message"]
            .as_str()
            .unwrap()
            .contains("timeouts.request")
    );
}

#[tokio::test]
async fn a_connect_timeout_is_a_failed_connection() {
    // A listener whose queue is full does not answer: bound, never accepted, backlog filled.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let deaf = socket.listen(1).unwrap();
    let address = deaf.local_addr().unwrap();
    let mut waiting = Vec::new();
    for _ in 0..4 {
        let connecting = tokio::net::TcpStream::connect(address);
        waiting.push(tokio::time::timeout(Duration::from_millis(200), connecting).await);
    }
    let b = fkm_upstream::Upstream::start().await.unwrap();
    let providers = [
        provider("a", &format!("http://{address}/v1"), 0),
        provider("b", &b.base_url(), 1),
    ];
    let mut snapshot = snapshot(&providers);
    snapshot["rules"][0]["policy"] =
        json!({"timeouts": {"connect": 200}, "fallbackOn": ["ConnectFailure"]});
    let sidecar = Sidecar::start(&snapshot).await;
    let began = Instant::now();
    let reply = sidecar.chat(&question(false)).await;
    assert_eq!(reply.header("x-fkm-provider"), "b", "{reply:?}");
    assert!(
        began.elapsed() < Duration::from_secs(2),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn error_bodies_that_drip_do_not_hold_up_the_next_provider() {
    let (a, b, sidecar) = pair().await;
    let (address, _dripping) = drip().await;
    sidecar.apply(&snapshot(&[
        provider("a", &format!("http://{address}/v1"), 0),
        provider("b", &b.base_url(), 1),
    ]));
    let began = Instant::now();
    let reply = sidecar.chat(&question(false)).await;
    assert_eq!(reply.header("x-fkm-provider"), "b");
    assert!(
        began.elapsed() < Duration::from_secs(4),
        "{:?}",
        began.elapsed()
    );
    drop(a);
}

/// A provider that answers 503 and then sends its long body a byte at a time.
async fn drip() -> (std::net::SocketAddr, tokio::task::JoinHandle<()>) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let dripping = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        let _ = socket.read(&mut request).await;
        let _ = socket
            .write_all(b"HTTP/1.1 503 Busy\r\ncontent-length: 1000\r\n\r\n")
            .await;
        while socket.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    });
    (address, dripping)
}

#[tokio::test]
async fn the_time_of_the_whole_exchange_tells_what_had_failed_before() {
    let (a, b, sidecar) = pair().await;
    let mut snapshot = snapshot(&[
        provider("a", &a.base_url(), 0),
        provider("b", &b.base_url(), 1),
    ]);
    snapshot["rules"][0]["policy"] = json!({"timeouts": {"request": 300}});
    sidecar.apply(&snapshot);
    a.script(vec![Step::status(500)]);
    b.script(vec![Step::Hang]);
    let reply = sidecar.chat(&question(false)).await;
    assert_eq!(reply.status, 504);
    let message = reply.json()["error"]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        message.contains("a/m-upstream: ServerError")
            && message.contains("b/m-upstream: still waiting"),
        "{message}"
    );
    let url = format!("http://{}/metrics", sidecar.running.addresses().probe);
    let metrics = crate::harness::send(http::Method::GET, &url, &[], bytes::Bytes::new()).await;
    let metrics = String::from_utf8(metrics.body.to_vec()).unwrap();
    let hung = r#"provider="b",credential="main",model="m-upstream",outcome="Timeout"} 1"#;
    assert!(metrics.contains(hung), "{metrics}");
}

#[tokio::test]
async fn a_connection_that_breaks_after_a_while_is_the_providers_fault() {
    let (a, _b, sidecar) = pair().await;
    sidecar.apply(&snapshot(&[provider("a", &a.base_url(), 0)]));
    assert_eq!(sidecar.chat(&question(false)).await.status, 200);
    a.script(vec![
        Step::Drop(End::Close).delayed(1_300),
        Step::answer("never"),
    ]);
    assert_eq!(sidecar.chat(&question(false)).await.status, 502);
    assert_eq!(a.requests().len(), 2, "the work was not asked for twice");
}
