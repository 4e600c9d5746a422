//! TLS in front of an upstream, with certificates of a CA that was made for the test.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use parking_lot::Mutex;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use crate::harness::{Sidecar, question};

/// Signs certificates.
pub(crate) struct Ca(CertifiedIssuer<'static, KeyPair>);

/// What ends TLS in front of something.
pub(crate) struct Front {
    pub(crate) port: u16,
    /// The names that clients asked for, and whether they showed a certificate.
    pub(crate) clients: Arc<Mutex<Vec<(String, bool)>>>,
}

// === impl Ca ===

impl Ca {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        // Each has a name of its own: a verifier finds issuers by name.
        let name = format!("ca {:x?}", &key.public_key_raw()[..8]);
        params.distinguished_name.push(DnType::CommonName, name);
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A server with a certificate for `names`.
    pub(crate) fn server(&self, names: &[&str]) -> ServerConfig {
        self.server_for(names, None)
    }

    /// A server that wants to see a certificate of `clients`.
    pub(crate) fn server_for(&self, names: &[&str], clients: Option<&Self>) -> ServerConfig {
        let key = KeyPair::generate().unwrap();
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let params = CertificateParams::new(names).unwrap();
        let leaf = params.signed_by(&key, &self.0).unwrap();
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(clients) => {
                let mut roots = RootCertStore::empty();
                roots.add(clients.0.der().clone()).unwrap();
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        builder
            .with_single_cert(vec![leaf.der().clone()], key)
            .unwrap()
    }

    /// A client's certificate and key, in PEM.
    pub(crate) fn client(&self) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["sidecar".to_owned()]).unwrap();
        let leaf = params.signed_by(&key, &self.0).unwrap();
        (leaf.pem(), key.serialize_pem())
    }
}

// === impl Front ===

impl Front {
    /// Ends TLS in front of `behind`.
    pub(crate) async fn start(behind: SocketAddr, config: ServerConfig) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let clients = Arc::<Mutex<Vec<_>>>::default();
        let seen = clients.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (acceptor, seen) = (acceptor.clone(), seen.clone());
                tokio::spawn(async move {
                    if let (Ok(mut tls), Ok(mut plain)) = (
                        acceptor.accept(socket).await,
                        TcpStream::connect(behind).await,
                    ) {
                        let session = tls.get_ref().1;
                        let name = session.server_name().unwrap_or_default().to_owned();
                        let shown = session.peer_certificates().is_some();
                        seen.lock().push((name, shown));
                        let _ = copy_bidirectional(&mut tls, &mut plain).await;
                    }
                });
            }
        });
        Self { port, clients }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }
}

/// A provider that speaks HTTP/2 alone and says so by ALPN; counts its connections. After `per_connection` answers it
/// sends GOAWAY.
pub(crate) async fn http2_only(
    per_connection: usize,
    mut config: ServerConfig,
) -> (u16, Arc<AtomicUsize>) {
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
    (port, connections)
}

/// Answers requests of HTTP/2 on one connection; tells `host: ` and the authority as the text.
pub(crate) async fn answer_by_http2<T>(io: T, most: usize)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (answered, told) = tokio::sync::watch::channel(0);
    let answered = Arc::new(answered);
    let service = service_fn(move |request: Request<Incoming>| {
        let answered = answered.clone();
        async move {
            assert_eq!(request.version(), http::Version::HTTP_2);
            let host = request.uri().host().unwrap_or_default().to_owned();
            request.into_body().collect().await.unwrap();
            answered.send_modify(|count| *count += 1);
            let body = format!(
                r#"{{"id":"1","object":"chat.completion","created":1,"model":"m","choices":[{{"index":0,"message":{{"role":"assistant","content":"by h2 for {host}"}},"finish_reason":"stop"}}]}}"#
            );
            let response = Response::builder().header("content-type", "application/json");
            Ok::<_, Infallible>(response.body(Full::new(Bytes::from(body))).unwrap())
        }
    });
    let connection = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
        .serve_connection(TokioIo::new(io), service);
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

/// Asks until connections have been left twice, as GOAWAY wants; each answer comes in one attempt.
pub(crate) async fn until_left_twice(sidecar: &Sidecar, connections: &AtomicUsize, answer: &str) {
    let until = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    while connections.load(Ordering::Relaxed) < 3 {
        assert!(
            tokio::time::Instant::now() < until,
            "a connection that says GOAWAY is left"
        );
        let reply = sidecar.chat(&question(false)).await;
        assert_eq!(
            (reply.text().as_str(), reply.header("x-fkm-attempts")),
            (answer, "1")
        );
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
