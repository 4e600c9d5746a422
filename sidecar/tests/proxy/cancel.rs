//! A client that goes away takes its provider's request with it, and is counted.

use std::time::Duration;

use fkm_upstream::{Step, Streamed, Upstream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::harness::{Sidecar, provider, question, send, snapshot};

async fn cancelled_within(step: Step, stream: bool) -> Duration {
    let a = Upstream::start().await.unwrap();
    let sidecar = Sidecar::start(&snapshot(&[provider("a", &a.base_url(), 0)])).await;
    a.script(vec![step]);
    let body = question(stream).to_string();
    let mut socket = TcpStream::connect(sidecar.address()).await.unwrap();
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    socket
        .write_all([head.as_bytes(), body.as_bytes()].concat().as_slice())
        .await
        .unwrap();
    if stream {
        let mut seen = [0; 64];
        assert!(socket.read(&mut seen).await.unwrap() > 0);
    } else {
        a.wait_until(Duration::from_secs(2), |requests| requests.len() == 1)
            .await
            .unwrap();
    }
    let left = Instant::now();
    drop(socket);
    a.wait_until(Duration::from_secs(2), |requests| {
        requests[0].cancelled_at.is_some()
    })
    .await
    .unwrap();
    let took = left.elapsed();
    let url = format!("http://{}/metrics", sidecar.running.addresses().probe);
    let metrics = send(http::Method::GET, &url, &[], bytes::Bytes::new()).await;
    let text = String::from_utf8(metrics.body.to_vec()).unwrap();
    assert!(text.contains(r#"outcome="cancelled"} 1"#), "{text}");
    assert!(text.contains("fkm_requests_in_flight 0"), "{text}");
    assert!(text.contains("fkm_request_bodies_bytes 0"), "{text}");
    took
}

#[tokio::test]
async fn before_the_answer_began() {
    let took = cancelled_within(Step::Hang, false).await;
    assert!(took < Duration::from_millis(100), "{took:?}");
}

#[tokio::test]
async fn in_the_middle_of_a_stream() {
    let stream = Streamed {
        delay_millis: 20,
        ..Streamed::counting(1_000)
    };
    let took = cancelled_within(Step::Streamed(stream), true).await;
    assert!(took < Duration::from_millis(100), "{took:?}");
}
