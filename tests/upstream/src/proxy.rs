//! An HTTP proxy on loopback: tunnels by CONNECT, forwards whole URLs, refuses by order, and tells what it was asked.
//!
//! *Caveats*: one request a connection is forwarded; what follows it goes the same way unread.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::TcpStream;

use crate::listener::Port;

/// The longest head that is read.
const MAX_HEAD: usize = 64 * 1024;
const MAX_HEADERS: usize = 64;

/// A running proxy. Dropping it ends everything.
#[derive(Debug)]
pub struct Proxy {
    port: Port,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    orders: Mutex<Orders>,
    asked: Mutex<Vec<Asked>>,
}

#[derive(Clone, Debug, Default)]
struct Orders {
    hosts: BTreeMap<String, SocketAddr>,
    authorization: Option<String>,
    refuse: Option<u16>,
}

/// What a proxy was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// `CONNECT`, or the method of what is forwarded.
    pub method: String,
    /// `host:port`.
    pub target: String,
    /// The headers of the request.
    pub headers: HeaderMap,
}

/// The head of a request.
struct Head {
    asked: Asked,
    /// What goes on, if this is forwarded.
    forwarded: Vec<u8>,
}

// === impl Proxy ===

impl Proxy {
    /// Starts on a free port of 127.0.0.1.
    #[expect(
        clippy::unused_async,
        reason = "sockets and tasks need the runtime that an async caller has"
    )]
    pub async fn start() -> io::Result<Self> {
        let port = Port::reserve(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let state = Arc::new(State::default());
        let served = Arc::clone(&state);
        port.open(move |socket| serve(socket, Arc::clone(&served)))?;
        Ok(Self { port, state })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// `http://ADDRESS`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// From now on `target` (`host:port`) is at `address`. What is nowhere, and is no address itself, is answered 502.
    pub fn route(&self, target: &str, address: SocketAddr) {
        let mut orders = self.state.orders.lock();
        orders.hosts.insert(target.to_owned(), address);
    }

    /// From now on `Proxy-Authorization` must be this, or the answer is 407.
    pub fn demand(&self, authorization: &str) {
        self.state.orders.lock().authorization = Some(authorization.to_owned());
    }

    /// From now on everything is answered with this status.
    pub fn refuse(&self, status: u16) {
        self.state.orders.lock().refuse = Some(status);
    }

    /// Everything that it was asked, in the order of arrival.
    pub fn asked(&self) -> Vec<Asked> {
        self.state.asked.lock().clone()
    }
}

// === impl Asked ===

impl Asked {
    /// A header's value, where it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

// === impl State ===

impl State {
    /// Where to, or the status of the refusal.
    fn judge(&self, asked: &Asked) -> Result<SocketAddr, u16> {
        let Orders {
            hosts,
            authorization,
            refuse,
        } = self.orders.lock().clone();
        if let Some(status) = refuse {
            return Err(status);
        }
        if authorization.is_some()
            && authorization.as_deref() != asked.header("proxy-authorization")
        {
            return Err(407);
        }
        let known = hosts.get(&asked.target).copied();
        known.or_else(|| asked.target.parse().ok()).ok_or(502)
    }
}

async fn serve(mut socket: TcpStream, state: Arc<State>) {
    let Some(head) = read_head(&mut socket).await else {
        return;
    };
    let verdict = state.judge(&head.asked);
    let tunnel = head.asked.method == "CONNECT";
    state.asked.lock().push(head.asked);
    let upstream = match verdict {
        Ok(address) => TcpStream::connect(address).await.map_err(|_| 504),
        Err(status) => Err(status),
    };
    // However it ends, both sides are closed.
    match upstream {
        Ok(mut upstream) => {
            let begun = match tunnel {
                true => {
                    socket
                        .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
                        .await
                }
                false => upstream.write_all(&head.forwarded).await,
            };
            if begun.is_ok() {
                drop(copy_bidirectional(&mut socket, &mut upstream).await);
            }
        }
        Err(status) => {
            let answer = format!(
                "HTTP/1.1 {status} Refused\r\ncontent-length: 7\r\nconnection: close\r\n\r\nrefused"
            );
            drop(socket.write_all(answer.as_bytes()).await);
            drop(socket.shutdown().await);
        }
    }
}

async fn read_head(socket: &mut TcpStream) -> Option<Head> {
    let mut bytes = Vec::new();
    while bytes.len() < MAX_HEAD {
        if socket.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        if let httparse::Status::Complete(_) = request.parse(&bytes).ok()? {
            return head(&request, &bytes);
        }
    }
    None
}

fn head(request: &httparse::Request<'_, '_>, bytes: &[u8]) -> Option<Head> {
    let (method, url) = (request.method?, request.path?);
    let mut headers = HeaderMap::new();
    for header in request.headers.iter() {
        headers.append(
            HeaderName::from_bytes(header.name.as_bytes()).ok()?,
            HeaderValue::from_bytes(header.value).ok()?,
        );
    }
    let (target, forwarded) = match url.strip_prefix("http://") {
        None => (url.to_owned(), Vec::new()),
        Some(rest) => {
            let slash = rest.find('/').unwrap_or(rest.len());
            let (authority, path) = rest.split_at(slash);
            let port = if authority.contains(':') { "" } else { ":80" };
            let mut forwarded = format!("{method} {path} HTTP/1.1").into_bytes();
            let line = bytes.iter().position(|byte| *byte == b'\r')?;
            forwarded.extend_from_slice(&bytes[line..]);
            (format!("{authority}{port}"), forwarded)
        }
    };
    let asked = Asked {
        method: method.to_owned(),
        target,
        headers,
    };
    Some(Head { asked, forwarded })
}
