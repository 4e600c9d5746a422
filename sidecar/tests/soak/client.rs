//! A small HTTP/1.1 client that sees how an answer ends, keeps its connection, and can give up at any byte.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// More than any exchange may take.
const LONGEST: Duration = Duration::from_secs(40);

/// When a client gives up.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Patience {
    Endless,
    /// After so many bytes of the body.
    Bytes(usize),
    /// After so long.
    Time(Duration),
}

/// How an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// As HTTP wants it.
    Whole,
    /// In the middle.
    Broken,
    /// The client went away.
    GivenUp,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    /// 0 where the client went away before the head.
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) ended: Ended,
}

/// One client with its connection.
#[derive(Debug)]
pub(crate) struct Client {
    address: SocketAddr,
    kept: Option<TcpStream>,
}

enum Framing {
    Length(usize),
    Chunked,
}

// === impl Client ===

impl Client {
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self {
            address,
            kept: None,
        }
    }

    /// Sends one request. `Err` is what no server may do: no answer, or one that is no HTTP, or that never ends.
    pub(crate) async fn post(
        &mut self,
        path: &str,
        body: &str,
        patience: Patience,
    ) -> Result<Reply, String> {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nauthorization: Bearer none\r\n\
             content-length: {}\r\n\r\n",
            body.len()
        );
        self.send(&[head.as_bytes(), body.as_bytes()].concat(), patience)
            .await
    }

    pub(crate) async fn get(&mut self, path: &str) -> Result<Reply, String> {
        let head = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
        self.send(head.as_bytes(), Patience::Endless).await
    }

    async fn send(&mut self, request: &[u8], patience: Patience) -> Result<Reply, String> {
        let limit = match patience {
            Patience::Time(time) => time,
            Patience::Endless | Patience::Bytes(_) => LONGEST,
        };
        let mut reply = Reply {
            status: 0,
            headers: Vec::new(),
            body: Vec::new(),
            ended: Ended::GivenUp,
        };
        let exchange = self.exchange(request, patience, &mut reply);
        match (timeout(limit, exchange).await, patience) {
            (Ok(Ok(ended)), _) => reply.ended = ended,
            (Ok(Err(error)), _) => return Err(format!("{error}; so far {reply:?}")),
            (Err(_), Patience::Time(_)) => {}
            (Err(_), _) => return Err(format!("no end within {LONGEST:?}; so far {reply:?}")),
        }
        if reply.ended != Ended::Whole {
            self.kept = None;
        }
        Ok(reply)
    }

    async fn exchange(
        &mut self,
        request: &[u8],
        patience: Patience,
        reply: &mut Reply,
    ) -> io::Result<Ended> {
        // It is put back when the answer has ended: given up, it is closed.
        let reused = self.kept.take();
        let fresh = reused.is_none();
        let mut socket = match reused {
            Some(socket) => socket,
            None => TcpStream::connect(self.address).await?,
        };
        let mut buffer = Vec::new();
        let begun = match socket.write_all(request).await {
            Ok(()) => head(&mut socket, &mut buffer, reply).await,
            Err(error) => Err(error),
        };
        let framing = match begun {
            Ok(framing) => framing,
            // A server may close a connection that is idle.
            Err(_) if !fresh && buffer.is_empty() => {
                socket = TcpStream::connect(self.address).await?;
                socket.write_all(request).await?;
                head(&mut socket, &mut buffer, reply).await?
            }
            Err(error) => return Err(error),
        };
        let most = match patience {
            Patience::Bytes(most) => most,
            Patience::Endless | Patience::Time(_) => usize::MAX,
        };
        let ended = body(&mut socket, buffer, framing, most, reply).await?;
        let close = reply.header("connection") == Some("close");
        self.kept = (ended == Ended::Whole && !close).then_some(socket);
        Ok(ended)
    }
}

// === impl Reply ===

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Reads the head of an answer; what follows stays in the buffer.
async fn head(
    socket: &mut TcpStream,
    buffer: &mut Vec<u8>,
    reply: &mut Reply,
) -> io::Result<Framing> {
    let end = loop {
        if let Some(at) = find(buffer, b"\r\n\r\n") {
            break at;
        }
        if socket.read_buf(buffer).await? == 0 {
            return Err(wrong("closed before the head of an answer"));
        }
    };
    let text = String::from_utf8(buffer[..end].to_vec()).map_err(|_| wrong("head is no text"))?;
    buffer.drain(..end + 4);
    let mut lines = text.split("\r\n");
    let status = lines.next().and_then(|line| line.get(9..12));
    reply.status = status
        .and_then(|status| status.parse().ok())
        .ok_or_else(|| wrong("no status"))?;
    for line in lines {
        let (name, value) = line.split_once(':').ok_or_else(|| wrong("no header"))?;
        let header = (name.to_ascii_lowercase(), value.trim().to_owned());
        reply.headers.push(header);
    }
    match reply.header("content-length") {
        Some(length) => {
            let length = length.parse().map_err(|_| wrong("no length"))?;
            Ok(Framing::Length(length))
        }
        None => Ok(Framing::Chunked),
    }
}

/// Reads the body into the reply, up to `most` bytes of it.
async fn body(
    socket: &mut TcpStream,
    mut buffer: Vec<u8>,
    framing: Framing,
    most: usize,
    reply: &mut Reply,
) -> io::Result<Ended> {
    loop {
        let done = match framing {
            Framing::Length(length) => {
                reply.body.append(&mut buffer);
                if reply.body.len() > length {
                    return Err(wrong("more than its length"));
                }
                reply.body.len() == length
            }
            Framing::Chunked => unchunk(&mut buffer, &mut reply.body)?,
        };
        if done && !buffer.is_empty() {
            return Err(wrong("more after the last chunk"));
        }
        if done {
            return Ok(Ended::Whole);
        }
        if reply.body.len() >= most {
            return Ok(Ended::GivenUp);
        }
        match socket.read_buf(&mut buffer).await {
            Ok(0) | Err(_) => return Ok(Ended::Broken),
            Ok(_) => {}
        }
    }
}

/// Takes the complete chunks; whether the last one was among them.
fn unchunk(buffer: &mut Vec<u8>, body: &mut Vec<u8>) -> io::Result<bool> {
    while let Some(line) = find(buffer, b"\r\n") {
        let text = std::str::from_utf8(&buffer[..line]).map_err(|_| wrong("no chunk"))?;
        let length = usize::from_str_radix(text, 16).map_err(|_| wrong("no chunk"))?;
        let end = line + 2 + length;
        if buffer.len() < end + 2 {
            return Ok(false);
        }
        if buffer[end..end + 2] != *b"\r\n" {
            return Err(wrong("a chunk that is longer than it says"));
        }
        body.extend_from_slice(&buffer[line + 2..end]);
        buffer.drain(..end + 2);
        if length == 0 {
            return Ok(true);
        }
    }
    Ok(false)
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
