//! The least HTTP client that shows how an answer ended.
#![expect(clippy::panic, reason = "helpers of tests fail as tests do")]

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How an answer ended, seen from the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Complete,
    Closed,
    Reset,
    /// Not within the time that the client waits.
    Waiting,
}

/// An answer, as far as it came.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    pub(crate) ended: Ended,
}

/// One connection.
pub(crate) struct Client(TcpStream);

pub(crate) fn chat(stream: bool) -> Value {
    json!({"model": "m", "messages": [{"role": "user", "content": "hi"}], "stream": stream})
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self(
            TcpStream::connect(address)
                .await
                .expect("the upstream accepts"),
        )
    }

    pub(crate) async fn send(&mut self, method: &str, path: &str, body: &Value) {
        let body = body.to_string();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer sk-test\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.0
            .write_all(request.as_bytes())
            .await
            .expect("the upstream reads");
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.expect("the upstream reads");
    }

    /// Reads one answer, for at most 300 ms where it does not end.
    pub(crate) async fn read(&mut self) -> Seen {
        let mut bytes = Vec::new();
        let ended = timeout(Duration::from_millis(300), async {
            loop {
                if is_complete(&bytes) {
                    return Ended::Complete;
                }
                match self.0.read_buf(&mut bytes).await {
                    Ok(0) => return Ended::Closed,
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::ConnectionReset => {
                        return Ended::Reset;
                    }
                    Err(error) => panic!("{error}"),
                }
            }
        })
        .await
        .unwrap_or(Ended::Waiting);
        let (head, body) = split(&bytes);
        Seen {
            status: head
                .get(9..12)
                .and_then(|digits| digits.parse().ok())
                .unwrap_or(0),
            body: if is_chunked(&head) {
                dechunk(body).0
            } else {
                body.to_vec()
            },
            head,
            ended,
        }
    }

    pub(crate) async fn post(&mut self, path: &str, body: &Value) -> Seen {
        self.send("POST", path, body).await;
        self.read().await
    }
}

impl Seen {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

fn split(bytes: &[u8]) -> (String, &[u8]) {
    match bytes.windows(4).position(|four| four == b"\r\n\r\n") {
        None => (String::new(), &[]),
        Some(at) => (
            String::from_utf8_lossy(&bytes[..at + 4]).into_owned(),
            &bytes[at + 4..],
        ),
    }
}

fn is_chunked(head: &str) -> bool {
    head.contains("transfer-encoding: chunked")
}

fn is_complete(bytes: &[u8]) -> bool {
    let (head, body) = split(bytes);
    if head.is_empty() {
        return false;
    }
    if is_chunked(&head) {
        return dechunk(body).1;
    }
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .and_then(|length| length.parse::<usize>().ok());
    length.is_some_and(|length| body.len() == length)
}

/// The payload so far, and whether the last chunk was there.
fn dechunk(mut body: &[u8]) -> (Vec<u8>, bool) {
    let mut payload = Vec::new();
    while let Some(end) = body.windows(2).position(|two| two == b"\r\n") {
        let digits = std::str::from_utf8(&body[..end]).expect("hex digits");
        let length = usize::from_str_radix(digits, 16).expect("hex digits");
        if length == 0 {
            return (payload, true);
        }
        let Some(data) = body.get(end + 2..end + 2 + length) else {
            break;
        };
        payload.extend_from_slice(data);
        body = body.get(end + 4 + length..).unwrap_or_default();
    }
    (payload, false)
}
