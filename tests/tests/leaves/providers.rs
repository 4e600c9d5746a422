//! The far side of a scene: the fault upstreams `a` and `b`, TLS in front of `a`, two proxies, and a server that gives
//! tokens.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use fkm_sidecar::signin::ambient::Ambient;
use fkm_upstream::{Proxy, Step, Upstream};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use serde_json::Value;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use crate::files::Files;
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
    /// Has an image under every path.
    files: Files,
    /// Wants the certificate of a client.
    mutual: Front,
    proxy: Proxy,
    other_proxy: Proxy,
    certificates: Certificates,
}

/// The certificates of one play, in PEM.
struct Certificates {
    ca: String,
    /// Of a CA that signed nothing of a server's.
    other_ca: String,
    /// Certificate and key of a client of the first.
    client: [String; 2],
    /// Of the other.
    other_client: [String; 2],
}

/// Ends TLS for `localhost` in front of an upstream, as long as it lives.
struct Front {
    port: u16,
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
        let (issuer, other) = (authority("one"), authority("other"));
        let open = acceptor(&issuer, None);
        let mutual = acceptor(&issuer, Some(&issuer));
        let front = Front::start(a.address(), open, handshake).await;
        let (proxy, other_proxy) = (Proxy::start().await.unwrap(), Proxy::start().await.unwrap());
        for proxy in [&proxy, &other_proxy] {
            let address = SocketAddr::from(([127, 0, 0, 1], front.port));
            proxy.route(&format!("localhost:{}", front.port), address);
        }
        Self {
            tokens: Tokens::start().await,
            files: Files::start().await,
            front,
            mutual: Front::start(a.address(), mutual, handshake).await,
            proxy,
            other_proxy,
            certificates: Certificates {
                ca: issuer.pem(),
                other_ca: other.pem(),
                client: client(&issuer),
                other_client: client(&other),
            },
            a,
            b,
        }
    }

    /// The CA that signed the servers' certificates.
    pub(crate) fn ca_pem(&self) -> &str {
        &self.certificates.ca
    }

    /// What the platform says of the pod: that the token server is all of its agents.
    pub(crate) fn ambient(&self) -> Ambient {
        self.tokens.ambient()
    }

    /// Puts addresses and certificates into every text of a manifest: `$A`, `$B`, `$TLS`, `$MUTUAL`, `$PROXY`, `$CA` and
    /// so on, and `$TOKENS` or `$FILES` with a path behind it.
    pub(crate) fn fill(&self, manifest: &mut Value) {
        match manifest {
            Value::String(text) => {
                let filled = match text.as_str() {
                    "$A" => self.a.base_url(),
                    "$B" => self.b.base_url(),
                    "$TLS" => format!("https://localhost:{}/v1", self.front.port),
                    "$MUTUAL" => format!("https://localhost:{}/v1", self.mutual.port),
                    "$PROXY" => self.proxy.url(),
                    "$OTHER_PROXY" => self.other_proxy.url(),
                    "$CA" => self.certificates.ca.clone(),
                    "$OTHER_CA" => self.certificates.other_ca.clone(),
                    "$CLIENT" => self.certificates.client[0].clone(),
                    "$CLIENT_KEY" => self.certificates.client[1].clone(),
                    "$OTHER_CLIENT" => self.certificates.other_client[0].clone(),
                    "$OTHER_CLIENT_KEY" => self.certificates.other_client[1].clone(),
                    "$FILES_HOST" => format!("localhost:{}", self.files.port),
                    other => match (other.strip_prefix("$TOKENS"), other.strip_prefix("$FILES")) {
                        (Some(path), _) => format!("{}{path}", self.tokens.url()),
                        (_, Some(path)) => format!("http://localhost:{}{path}", self.files.port),
                        _ => return,
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
        for (name, proxy) in [("proxy", &self.proxy), ("other proxy", &self.other_proxy)] {
            // The target is not told: it has a port. How often is not either: a connection may be opened ahead.
            if let Some(asked) = proxy.asked().first() {
                let login = asked.header("proxy-authorization").unwrap_or("nobody");
                transcript.add(format!("{name} got {} of {login}", asked.method));
            }
        }
        transcript.replace(&format!(":{}", self.front.port), ":<tls>");
        transcript.replace(&format!(":{}", self.files.port), ":<files>");
        self.tokens.tell(transcript);
        transcript.replace(&format!(":{}", self.mutual.port), ":<mutual>");
    }
}

// === impl Front ===

impl Front {
    async fn start(behind: SocketAddr, acceptor: TlsAcceptor, handshake: Duration) -> Self {
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

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn client(issuer: &CertifiedIssuer<'_, KeyPair>) -> [String; 2] {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["sidecar".to_owned()]).unwrap();
    let leaf = params.signed_by(&key, issuer).unwrap();
    [leaf.pem(), key.serialize_pem()]
}

fn acceptor(
    issuer: &CertifiedIssuer<'_, KeyPair>,
    clients: Option<&CertifiedIssuer<'_, KeyPair>>,
) -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let leaf = params.signed_by(&key, issuer).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(clients) => {
            let mut roots = RootCertStore::empty();
            roots.add(clients.der().clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let config = builder
        .with_single_cert(vec![leaf.der().clone()], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}
