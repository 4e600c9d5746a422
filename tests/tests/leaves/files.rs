//! A host of images, over plain HTTP.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// How long an image is.
const BYTES: usize = 600;

/// How long a path that begins with `/slow` takes.
const SLOW: Duration = Duration::from_secs(2);

/// Serves the same image under every path, as long as it lives.
pub(crate) struct Files {
    pub(crate) port: u16,
    _accepting: JoinSet<()>,
}

// === impl Files ===

impl Files {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut accepting = JoinSet::new();
        accepting.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                connections.spawn(serve(socket));
            }
        });
        Self {
            port,
            _accepting: accepting,
        }
    }
}

async fn serve(mut socket: TcpStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match socket.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    if head.starts_with(b"GET /slow") {
        sleep(SLOW).await;
    }
    let mut image = b"\x89PNG\r\n\x1a\n".to_vec();
    image.resize(BYTES, 0);
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {BYTES}\r\n\r\n");
    // The client may have heard enough.
    drop(socket.write_all(&[head.as_bytes(), &image].concat()).await);
}
