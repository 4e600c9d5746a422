//! TLS towards providers: only the bundle that the pool names is trusted, and only for the provider's own name.

use std::sync::Arc;

use fkm_upstream::Upstream;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::harness::{Sidecar, provider, question, snapshot};

/// Ends TLS for `names` in front of `upstream`; returns its port and the CA's PEM.
async fn terminate(upstream: &Upstream, names: &[&str]) -> (u16, String) {
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
    (port, ca.pem())
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
