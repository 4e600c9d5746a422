//! Requests that are wrong, hostile or slow: the right error in the client's format, bounded memory, nobody else disturbed.

use std::time::Duration;

use bytes::Bytes;
use fkm_upstream::Upstream;
use http::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::harness::{Sidecar, provider, question, send, snapshot};

async fn one() -> (Upstream, Sidecar) {
    let a = Upstream::start().await.unwrap();
    let sidecar = Sidecar::start(&snapshot(&[provider("a", &a.base_url(), 0)])).await;
    (a, sidecar)
}

/// Writes `bytes`, then reads until the sidecar closes or nothing comes for `patience`.
async fn raw(sidecar: &Sidecar, bytes: &[u8], patience: Duration) -> String {
    let mut socket = TcpStream::connect(sidecar.address()).await.unwrap();
    // A sidecar that has answered early may close before all is written.
    let _ = socket.write_all(bytes).await;
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    while let Ok(Ok(n @ 1..)) = tokio::time::timeout(patience, socket.read(&mut piece)).await {
        answer.extend_from_slice(&piece[..n]);
    }
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn bodies_that_are_not_what_they_should_be() {
    let (a, sidecar) = one().await;
    let deep = format!(
        r#"{{"model":"m","messages":{}{}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    let cases: Vec<(&str, String, &str)> = vec![
        ("empty", String::new(), "JSON"),
        ("not JSON", "hello".into(), "JSON"),
        ("cut JSON", r#"{"model":"m","messages":["#.into(), "JSON"),
        ("an array", "[]".into(), "object"),
        (
            "two documents",
            r#"{"model":"m"}{"model":"m"}"#.into(),
            "more follows",
        ),
        ("depth bomb", deep, "deeper"),
        (
            "duplicate key",
            r#"{"model":"m","model":"x","messages":[]}"#.into(),
            "`model` appears twice",
        ),
        (
            "escaped duplicate key",
            r#"{"model":"m","\u006dodel":"x","messages":[]}"#.into(),
            "`model` appears twice",
        ),
        (
            "no model",
            r#"{"messages":[]}"#.into(),
            "`model` is missing",
        ),
        (
            "empty model",
            r#"{"model":"","messages":[]}"#.into(),
            "`model` is missing",
        ),
        (
            "model of a wrong type",
            r#"{"model":7,"messages":[]}"#.into(),
            "`model` must be",
        ),
        (
            "stream of a wrong type",
            r#"{"model":"m","stream":"yes"}"#.into(),
            "`stream` must be",
        ),
    ];
    for (name, body, part) in cases {
        for path in ["/v1/chat/completions", "/v1/messages"] {
            let reply = sidecar.post(path, body.clone()).await;
            assert_eq!(reply.status, 400, "{name}: {reply:?}");
            let error = &reply.json()["error"];
            assert_eq!(error["type"], "invalid_request_error", "{name}");
            assert!(
                error["message"].as_str().unwrap().contains(part),
                "{name}: {error}"
            );
            assert_eq!(
                reply.json()["type"] == "error",
                path == "/v1/messages",
                "{name}: in the client's format"
            );
            assert_eq!(reply.header("x-fkm-request-id").len(), 32);
            assert_eq!(reply.header("x-should-retry"), "false");
        }
    }
    assert!(a.requests().is_empty(), "no bad request reaches a provider");
    assert_eq!(sidecar.chat(&question(false)).await.status, 200);
}

#[tokio::test]
async fn not_utf8_is_refused() {
    let (_a, sidecar) = one().await;
    let reply = sidecar
        .post(
            "/v1/chat/completions",
            Bytes::from_static(b"{\"model\":\"m\xff\"}"),
        )
        .await;
    assert_eq!(reply.status, 400, "{reply:?}");
}

#[tokio::test]
async fn errors_of_openai_have_all_four_members() {
    let (_a, sidecar) = one().await;
    let error = sidecar.post("/v1/chat/completions", "{}").await.json()["error"].clone();
    for member in ["message", "type", "param", "code"] {
        assert!(
            error.as_object().unwrap().contains_key(member),
            "{member}: {error}"
        );
    }
    assert_eq!(error["param"], "model");
}

#[tokio::test]
async fn unknown_models_paths_and_methods() {
    let a = Upstream::start().await.unwrap();
    let mut snapshot = snapshot(&[provider("a", &a.base_url(), 0)]);
    snapshot["rules"][0]["matches"] = json!([{"models": ["m", "alias", "other-*"]}]);
    let sidecar = Sidecar::start(&snapshot).await;
    let reply = sidecar
        .chat(&json!({"model": "gpt-9", "messages": []}))
        .await;
    assert_eq!(reply.status, 404);
    let error = &reply.json()["error"];
    assert_eq!(
        (&error["code"], &error["param"]),
        (&json!("model_not_found"), &json!("model"))
    );
    let message = error["message"].as_str().unwrap();
    assert!(
        message.contains("\"gpt-9\"") && message.contains("alias, m"),
        "{message}"
    );
    let reply = sidecar
        .chat(&json!({"model": "other-x", "messages": []}))
        .await;
    assert_eq!(reply.status, 404);
    assert!(
        reply.json()["error"]["message"]
            .as_str()
            .unwrap()
            .contains("test/route"),
        "{reply:?}"
    );

    let reply = sidecar.get("/v1/chat/completions").await;
    assert_eq!(
        (reply.status.as_u16(), reply.header("allow")),
        (405, "POST")
    );
    let reply = sidecar.post("/v1/models", "{}").await;
    assert_eq!((reply.status.as_u16(), reply.header("allow")), (405, "GET"));
    let reply = sidecar.post("/v1/nothing", "{}").await;
    assert_eq!(reply.status, 404);
    assert!(
        reply.json()["error"]["message"]
            .as_str()
            .unwrap()
            .contains("/v1/chat/completions")
    );
}

#[tokio::test]
async fn another_site_is_refused() {
    let (a, sidecar) = one().await;
    let body = Bytes::from(question(false).to_string());
    for headers in [
        ("host", "evil.example"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        let reply = send(
            Method::POST,
            &sidecar.url("/v1/chat/completions"),
            &[headers],
            body.clone(),
        )
        .await;
        assert_eq!(reply.status, 403, "{headers:?}");
        assert!(reply.json()["error"]["message"].is_string());
    }
    assert!(a.requests().is_empty());
}

#[tokio::test]
async fn large_bodies_are_cut_off() {
    let (a, sidecar) = one().await;
    // Announced: refused before it is read.
    let head = "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100000000\r\n\r\n";
    let answer = raw(&sidecar, head.as_bytes(), Duration::from_millis(500)).await;
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    // Not announced: refused when it is too much.
    let piece = [b"100000\r\n".as_slice(), &vec![b' '; 0x10_0000], b"\r\n"].concat();
    let head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\n";
    let mut socket = TcpStream::connect(sidecar.address()).await.unwrap();
    socket.write_all(head).await.unwrap();
    let mut sent = 0;
    for _ in 0..100 {
        if socket.write_all(&piece).await.is_err() {
            break;
        }
        sent += 1;
    }
    assert!(sent < 64, "{sent} MiB were taken");
    assert!(a.requests().is_empty());
    assert_eq!(sidecar.chat(&question(false)).await.status, 200);
}

#[tokio::test]
async fn header_floods_and_slow_heads_end() {
    let (_a, sidecar) = one().await;
    let many = (0..200).fold(String::new(), |text, i| format!("{text}x-{i}: y\r\n"));
    let flood = format!("GET /v1/models HTTP/1.1\r\nhost: localhost\r\n{many}\r\n");
    let answer = raw(&sidecar, flood.as_bytes(), Duration::from_secs(2)).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    let long = format!(
        "GET /v1/models HTTP/1.1\r\nhost: localhost\r\nx: {}\r\n\r\n",
        "y".repeat(100_000)
    );
    let answer = raw(&sidecar, long.as_bytes(), Duration::from_secs(2)).await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");

    let began = Instant::now();
    let answer = raw(
        &sidecar,
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: lo",
        Duration::from_secs(20),
    )
    .await;
    assert!(
        began.elapsed() < Duration::from_secs(13),
        "{:?}",
        began.elapsed()
    );
    assert!(
        answer.is_empty() || answer.starts_with("HTTP/1.1 4"),
        "{answer}"
    );
}

#[tokio::test]
async fn bodies_that_stop_coming_end() {
    let (_a, sidecar) = one().await;
    let began = Instant::now();
    let half = b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{\"model\"";
    let answer = raw(&sidecar, half, Duration::from_secs(20)).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(answer.contains("stopped coming"), "{answer}");
    assert!(
        began.elapsed() < Duration::from_secs(13),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn announced_bodies_that_do_not_come_starve_nobody() {
    let (_a, sidecar) = one().await;
    let mut open = Vec::new();
    for _ in 0..20 {
        let mut socket = TcpStream::connect(sidecar.address()).await.unwrap();
        let head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 33554432\r\n\r\n{";
        socket.write_all(head).await.unwrap();
        open.push(socket);
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(sidecar.chat(&question(false)).await.status, 200);
}

#[tokio::test]
async fn a_client_that_has_closed_its_half_disturbs_nobody() {
    let (_a, sidecar) = one().await;
    for _ in 0..50 {
        let mut socket = TcpStream::connect(sidecar.address()).await.unwrap();
        socket.write_all(b"POST /v1/chat").await.unwrap();
        socket.shutdown().await.unwrap();
    }
    assert_eq!(sidecar.chat(&question(false)).await.status, 200);
}

#[tokio::test]
async fn an_idle_connection_outlives_the_pools_of_clients() {
    let (_a, sidecar) = one().await;
    let mut socket = TcpStream::connect(sidecar.address()).await.unwrap();
    let request = b"GET /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n";
    for pause in [0, 12] {
        tokio::time::sleep(Duration::from_secs(pause)).await;
        socket.write_all(request).await.unwrap();
        let mut answer = [0; 2048];
        let length = socket.read(&mut answer).await.unwrap();
        assert!(
            answer[..length].starts_with(b"HTTP/1.1 200"),
            "after {pause} s"
        );
    }
}

#[tokio::test]
async fn compressed_bodies_are_refused_by_name() {
    let (_a, sidecar) = one().await;
    let headers = [("content-encoding", "gzip")];
    let reply = send(
        Method::POST,
        &sidecar.url("/v1/chat/completions"),
        &headers,
        Bytes::from_static(b"xx"),
    )
    .await;
    assert_eq!(reply.status, 400);
    assert!(
        reply.json()["error"]["message"]
            .as_str()
            .unwrap()
            .contains("gzip")
    );
}
