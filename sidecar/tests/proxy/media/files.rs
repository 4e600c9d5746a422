//! A host of images and documents: serves bytes as they are given, and records what was asked.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What is sent for a path, and whether the connection then stays open without a word.
pub(super) struct Served {
    pub(super) bytes: Vec<u8>,
    pub(super) hangs: bool,
}

/// The host, as long as it lives.
pub(super) struct Files {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    _accepting: JoinSet<()>,
}

// === impl Served ===

impl Served {
    /// A whole answer.
    pub(super) fn whole(head: &str, body: &[u8]) -> Self {
        let length = body.len();
        let head = format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\n\r\n");
        Self {
            bytes: [head.as_bytes(), body].concat(),
            hangs: false,
        }
    }

    /// An answer that ends where the connection ends.
    pub(super) fn until_close(body: &[u8]) -> Self {
        Self {
            bytes: [b"HTTP/1.1 200 OK\r\n\r\n", body].concat(),
            hangs: false,
        }
    }

    /// A redirect.
    pub(super) fn redirect(to: &str) -> Self {
        Self::whole(&format!("302 Found\r\nlocation: {to}"), b"")
    }
}

// === impl Files ===

impl Files {
    pub(super) async fn start(serve: impl Fn(&str) -> Served + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (serve, kept) = (Arc::new(serve), asked.clone());
        let mut accepting = JoinSet::new();
        accepting.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                connections.spawn(answer(socket, serve.clone(), kept.clone()));
            }
        });
        Self {
            address,
            asked,
            _accepting: accepting,
        }
    }

    pub(super) fn port(&self) -> u16 {
        self.address.port()
    }

    /// The heads of the requests so far.
    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().clone()
    }
}

async fn answer(
    mut socket: TcpStream,
    serve: Arc<impl Fn(&str) -> Served>,
    asked: Arc<Mutex<Vec<String>>>,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match socket.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap().to_owned();
    asked.lock().push(head);
    let served = serve(&path);
    // The client may have heard enough.
    drop(socket.write_all(&served.bytes).await);
    if served.hangs {
        tokio::time::sleep(Duration::from_mins(1)).await;
    }
}
