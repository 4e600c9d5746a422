//! TLS towards providers: only the bundle that the pool names is trusted, and only for the provider's own name.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use fkm_upstream::Upstream;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::server::TlsStream;

use crate::harness::{Sidecar, provider, question, snapshot};

/// A CA's PEM, and server settings with a certificate of its for `names`.
fn certified(names: &[&str]) -> (String, ServerConfig) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let leaf = CertificateParams::new(names)
        .unwrap()
        .signed_by(&key, &ca)
        .unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![leaf.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    (ca.pem(), config)
}

/// Ends TLS for `names` in front of `upstream`; returns its port and the CA's PEM.
async fn terminate(upstream: &Upstream, names: &[&str]) -> (u16, String) {
    let (ca, config) = certified(names);
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (port, behind) = (listener.local_addr().unwrap().port(), upstream.address());
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                if let (Ok(mut tls), Ok(mut plain)) = (
                    acceptor.accept(socket).await,
                    TcpStream::connect(behind).await,
                ) {
                    let _ = tokio::io::copy_bidirectional(&mut tls, &mut plain).await;
                }
            });
        }
    });
    (port, ca)
}

/// A provider that speaks HTTP/2 alone and says so by ALPN; counts its connections. After `per_connection` answers it
/// sends GOAWAY.
async fn http2_only(per_connection: usize) -> (u16, String, Arc<AtomicUsize>) {
    let (ca, mut config) = certified(&["localhost"]);
    config.alpn_protocols = vec![b"h2".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let connections = Arc::new(AtomicUsize::new(0));
    let counted = connections.clone();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            let tls = acceptor.accept(socket).await.unwrap();
            tokio::spawn(answer_by_http2(tls, per_connection));
        }
    });
    (port, ca, connections)
}

async fn answer_by_http2(tls: TlsStream<TcpStream>, most: usize) {
    let (answered, told) = tokio::sync::watch::channel(0);
    let answered = Arc::new(answered);
    let service = service_fn(move |request: Request<Incoming>| {
        let answered = answered.clone();
        async move {
            assert_eq!(request.version(), http::Version::HTTP_2);
            request.into_body().collect().await.unwrap();
            answered.send_modify(|count| *count += 1);
            let body = r#"{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"by h2"},"finish_reason":"stop"}]}"#;
            let response = Response::builder().header("content-type", "application/json");
            Ok::<_, Infallible>(response.body(Full::new(Bytes::from(body))).unwrap())
        }
    });
    let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(tls), service);
    let mut connection = std::pin::pin!(connection);
    let mut told = told;
    let enough = async move { told.wait_for(|count| *count >= most).await.is_ok() };
    tokio::select! {
        _ = connection.as_mut() => {}
        _ = enough => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

#[tokio::test]
async fn a_new_snapshot_opens_a_connection_ahead_of_requests() {
    let (port, ca, connections) = http2_only(usize::MAX).await;
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
    assert_eq!(sidecar.chat(&question(false)).await.text(), "by h2");
    assert_eq!(
        connections.load(Ordering::Relaxed),
        1,
        "the first request takes it"
    );
    // The same provider again: nothing is opened for it.
    sidecar.apply(&over_tls("localhost", port, &ca));
    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    assert_eq!(sidecar.chat(&question(false)).await.text(), "by h2");
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn http2_is_used_where_it_is_offered_and_goaway_is_honoured() {
    let (port, ca, connections) = http2_only(usize::MAX).await;
    let sidecar = Sidecar::start(&over_tls("localhost", port, &ca)).await;
    for _ in 0..5 {
        assert_eq!(sidecar.chat(&question(false)).await.text(), "by h2");
    }
    // One that carries all, and perhaps one that was opened ahead at the same moment.
    assert!(connections.load(Ordering::Relaxed) <= 2, "{connections:?}");

    let (port, ca, connections) = http2_only(2).await;
    sidecar.apply(&over_tls("localhost", port, &ca));
    let until = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    while connections.load(Ordering::Relaxed) < 3 {
        assert!(
            tokio::time::Instant::now() < until,
            "a connection that says GOAWAY is left"
        );
        let reply = sidecar.chat(&question(false)).await;
        assert_eq!(
            (reply.text().as_str(), reply.header("x-fkm-attempts")),
            ("by h2", "1")
        );
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

fn over_tls(host: &str, port: u16, ca_pem: &str) -> Value {
    let mut provider = provider("a", &format!("https://{host}:{port}/v1"), 0);
    provider["connection"]["http"]["caPem"] = json!(ca_pem);
    snapshot(&[provider])
}

#[tokio::test]
async fn the_named_bundle_is_trusted_and_nothing_else_is() {
    let a = Upstream::start().await.unwrap();
    let (port, ca) = terminate(&a, &["localhost"]).await;
    let (_, other_ca) = terminate(&a, &["localhost"]).await;
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
        let message = reply.json()["error"]["message"]
            .as_str()
            .unwrap()
            .to_owned();
        assert!(
            message.contains("ConnectFailure") && message.contains("certificate"),
            "{case}: {message}"
        );
    }
}
