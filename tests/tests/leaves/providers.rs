//! The far side of a scene: the fault upstreams `a` and `b`, TLS in front of `a`, and a server that gives tokens.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use fkm_sidecar::signin::ambient::Ambient;
use fkm_upstream::{Step, Upstream};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::Value;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::tokens::Tokens;
use crate::transcript::{Transcript, received};

/// What an upstream does with every request.
#[derive(Clone, Debug)]
pub(crate) enum Does {
    This(Step),
    /// Takes no connection.
    Refuses,
}

/// The upstreams of one play.
pub(crate) struct Providers {
    a: Upstream,
    b: Upstream,
    front: Front,
    tokens: Tokens,
}

/// Ends TLS for `localhost` in front of an upstream, as long as it lives.
struct Front {
    port: u16,
    ca_pem: String,
    /// Of a CA that signed nothing.
    other_ca_pem: String,
    _accepting: JoinSet<()>,
}

// === impl Providers ===

impl Providers {
    /// `b` answers. A TLS handshake with the front is answered after `handshake`.
    pub(crate) async fn start(a_does: &Does, handshake: Duration) -> Self {
        let (a, b) = (
            Upstream::start().await.unwrap(),
            Upstream::start().await.unwrap(),
        );
        b.set_default(Step::answer("from b"));
        match a_does {
            Does::This(step) => a.set_default(step.clone()),
            Does::Refuses => a.refuse().await,
        }
        let front = Front::start(a.address(), handshake).await;
        let tokens = Tokens::start().await;
        Self {
            a,
            b,
            front,
            tokens,
        }
    }

    /// What the platform says of the pod: that the token server is all of its agents.
    pub(crate) fn ambient(&self) -> Ambient {
        self.tokens.ambient()
    }

    /// Puts addresses and certificates into every text of a manifest: `$A`, `$B`, `$TLS`, `$CA`,
    /// `$OTHER_CA`, and `$TOKENS` with a path behind it.
    pub(crate) fn fill(&self, manifest: &mut Value) {
        match manifest {
            Value::String(text) => {
                let filled = match text.as_str() {
                    "$A" => self.a.base_url(),
                    "$B" => self.b.base_url(),
                    "$TLS" => format!("https://localhost:{}/v1", self.front.port),
                    "$CA" => self.front.ca_pem.clone(),
                    "$OTHER_CA" => self.front.other_ca_pem.clone(),
                    other => match other.strip_prefix("$TOKENS") {
                        Some(path) => format!("{}{path}", self.tokens.url()),
                        None => return,
                    },
                };
                *text = filled;
            }
            Value::Array(list) => list.iter_mut().for_each(|item| self.fill(item)),
            Value::Object(map) => map.values_mut().for_each(|field| self.fill(field)),
            _ => {}
        }
    }

    /// Adds what came in, and takes the ports out of everything.
    pub(crate) fn tell(&self, transcript: &mut Transcript) {
        for (name, upstream) in [("a", &self.a), ("b", &self.b)] {
            for request in upstream.requests() {
                transcript.add(format!("{name} got {}", received(&request)));
            }
            transcript.replace(
                &format!(":{}", upstream.address().port()),
                &format!(":<{name}>"),
            );
        }
        transcript.replace(&format!(":{}", self.front.port), ":<tls>");
        self.tokens.tell(transcript);
    }
}

// === impl Front ===

impl Front {
    async fn start(behind: SocketAddr, handshake: Duration) -> Self {
        let issuer = authority();
        let acceptor = acceptor(&issuer);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut accepting = JoinSet::new();
        accepting.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                connections.spawn(serve(socket, acceptor.clone(), behind, handshake));
            }
        });
        Self {
            port,
            ca_pem: issuer.pem(),
            other_ca_pem: authority().pem(),
            _accepting: accepting,
        }
    }
}

async fn serve(socket: TcpStream, acceptor: TlsAcceptor, behind: SocketAddr, handshake: Duration) {
    sleep(handshake).await;
    let Ok(mut tls) = acceptor.accept(socket).await else {
        return;
    };
    let Ok(mut plain) = TcpStream::connect(behind).await else {
        return;
    };
    // however it ends, both sides are closed
    drop(copy_bidirectional(&mut tls, &mut plain).await);
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn acceptor(issuer: &CertifiedIssuer<'_, KeyPair>) -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let leaf = params.signed_by(&key, issuer).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}
