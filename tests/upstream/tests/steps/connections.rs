//! Connections: refused, dropped, idle, pipelined, and who may have them.

use std::time::Duration;

use fkm_upstream::{End, Options, Step, Upstream};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::client::{Client, Ended, chat};
use super::{CHAT, start};

#[tokio::test]
async fn a_connection_is_dropped_without_an_answer() {
    for (end, ended) in [(End::Close, Ended::Closed), (End::Reset, Ended::Reset)] {
        let (_upstream, mut client) = start(vec![Step::answer("first"), Step::Drop(end)]).await;
        assert_eq!(client.post(CHAT, &chat(false)).await.ended, Ended::Complete);
        let seen = client.post(CHAT, &chat(false)).await;
        assert_eq!((seen.head.as_str(), seen.ended), ("", ended));
    }
}

#[tokio::test]
async fn refuses_and_reopens_on_the_same_port() {
    let (upstream, mut client) = start(Vec::new()).await;
    client.post(CHAT, &chat(false)).await;
    for _ in 0..3 {
        upstream.refuse().await;
        let refused = TcpStream::connect(upstream.address()).await.unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
        assert_ne!(client.read().await.ended, Ended::Waiting);
        upstream.reopen().unwrap();
        client = Client::connect(upstream.address()).await;
        assert_eq!(client.post(CHAT, &chat(false)).await.status, 200);
    }
}

#[tokio::test]
async fn idle_connections_are_closed() {
    let upstream = Upstream::start_with(Options {
        idle_close: Some(Duration::from_millis(50)),
        ..Options::default()
    })
    .await
    .unwrap();
    let mut client = Client::connect(upstream.address()).await;
    assert_eq!(client.post(CHAT, &chat(false)).await.ended, Ended::Complete);
    assert_eq!(client.read().await.ended, Ended::Closed);
}

#[tokio::test]
async fn chunked_requests_pipelined_requests_and_other_paths() {
    let (upstream, mut client) = start(vec![Step::answer("a"), Step::answer("b")]).await;
    let head = "POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n";
    let chunked = format!("{head}transfer-encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n");
    let plain = format!("{head}content-length: 2\r\n\r\n{{}}");
    client.write((chunked + &plain).as_bytes()).await;
    sleep(Duration::from_millis(50)).await;
    let requests = upstream.requests();
    assert_eq!(requests.len(), 2);
    assert!(
        requests
            .iter()
            .all(|request| &*request.body == b"{}" && !request.cancelled())
    );
    drop(client);

    let mut client = Client::connect(upstream.address()).await;
    client.send("GET", "/v1/models", &Value::Null).await;
    assert_eq!(
        client.read().await.json()["data"][0]["id"],
        "upstream-model"
    );
    assert_eq!(client.post("/v1/nothing", &json!({})).await.status, 404);
    client.write(b"\x16\x03\x01 no http\r\n\r\n").await;
    assert_eq!(client.read().await.status, 400);
}

#[tokio::test]
async fn other_addresses_than_loopback_are_refused() {
    let options = Options {
        listen: "0.0.0.0:0".parse().unwrap(),
        ..Options::default()
    };
    let error = Upstream::start_with(options).await.unwrap_err();
    assert!(error.to_string().contains("loopback"), "{error}");
}

#[tokio::test]
async fn waiting_in_vain_says_what_was_there() {
    let (upstream, mut client) = start(Vec::new()).await;
    client.post(CHAT, &chat(false)).await;
    let within = Duration::from_millis(20);
    let error = upstream
        .wait_until(within, |all| all.len() == 2)
        .await
        .unwrap_err();
    assert_eq!(error.requests.len(), 1);
}
