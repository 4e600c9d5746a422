//! Providers on a Unix socket, and those that take HTTP/2 without TLS.

use std::path::Path;

use fkm_upstream::Upstream;
use serde_json::{Value, json};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream, UnixListener};

use crate::front::answer_by_http2;
use crate::harness::{Sidecar, provider, question, snapshot};

fn with(base_url: &str, network: Value) -> Value {
    let mut provider = provider("a", base_url, 0);
    provider["connection"]["http"]["network"] = network;
    snapshot(&[provider])
}

/// A Unix socket in front of an upstream.
fn socket(path: &Path, upstream: &Upstream) {
    let listener = UnixListener::bind(path).unwrap();
    let behind = upstream.address();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            tokio::spawn(async move {
                if let Ok(mut plain) = TcpStream::connect(behind).await {
                    let _ = copy_bidirectional(&mut socket, &mut plain).await;
                }
            });
        }
    });
}

#[tokio::test]
async fn a_provider_on_a_unix_socket_answers() {
    let a = Upstream::start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("llm.sock");
    let network = json!({"socket": path});
    let sidecar = Sidecar::start(&with("http://localhost/v1", network)).await;
    let message = sidecar.chat(&question(false)).await.message();
    assert!(
        message.contains("ConnectFailure") && message.contains("llm.sock"),
        "{message}"
    );
    socket(&path, &a);
    for stream in [false, true] {
        let reply = sidecar.chat(&question(stream)).await;
        assert_eq!(reply.status, 200, "{reply:?}");
    }
    let requests = a.requests();
    assert_eq!(requests[0].path, "/v1/chat/completions");
    assert_eq!(requests[0].header("host"), Some("localhost"));
    assert_eq!(requests[0].connection, requests[1].connection);
}

#[tokio::test]
async fn http2_is_spoken_without_tls_where_a_pool_knows_that_it_is_taken() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(answer_by_http2(socket, usize::MAX));
        }
    });
    let url = format!("http://127.0.0.1:{port}/v1");
    let known = json!({"http2": "PriorKnowledge", "hostHeader": "vllm.models.svc"});
    let sidecar = Sidecar::start(&with(&url, known)).await;
    let reply = sidecar.chat(&question(false)).await;
    assert_eq!(reply.text(), "by h2 for vllm.models.svc");
    sidecar.apply(&with(&url, json!({})));
    assert_eq!(sidecar.chat(&question(false)).await.status, 502);
}
