//! Writes HTTP/1.1 answers by hand.

use std::fmt::Write as _;
use std::io;

use http::StatusCode;
use tokio::io::{AsyncWrite, AsyncWriteExt};

/// How the body of an answer is delimited.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Framing {
    /// By its length.
    Length(usize),
    /// In chunks.
    Chunked,
}

/// The head of an answer.
pub(crate) fn head(status: u16, headers: &[(String, String)], framing: Framing) -> Vec<u8> {
    let reason = StatusCode::from_u16(status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or("Scripted");
    let mut head = format!("HTTP/1.1 {status} {reason}\r\n");
    for (name, value) in headers {
        // Writing to a string cannot fail.
        let _ = write!(head, "{name}: {value}\r\n");
    }
    let _ = match framing {
        Framing::Length(length) => write!(head, "content-length: {length}\r\n\r\n"),
        Framing::Chunked => write!(head, "transfer-encoding: chunked\r\n\r\n"),
    };
    head.into_bytes()
}

/// A whole answer in one write.
pub(crate) async fn whole(
    out: &mut (impl AsyncWrite + Unpin),
    status: u16,
    headers: &[(String, String)],
    body: &[u8],
) -> io::Result<()> {
    let mut bytes = head(status, headers, Framing::Length(body.len()));
    bytes.extend_from_slice(body);
    out.write_all(&bytes).await
}

/// One chunk in one write.
pub(crate) async fn chunk(out: &mut (impl AsyncWrite + Unpin), data: &[u8]) -> io::Result<()> {
    let mut bytes = format!("{:x}\r\n", data.len()).into_bytes();
    bytes.extend_from_slice(data);
    bytes.extend_from_slice(b"\r\n");
    out.write_all(&bytes).await
}

/// The end of a chunked body.
pub(crate) async fn last_chunk(out: &mut (impl AsyncWrite + Unpin)) -> io::Result<()> {
    out.write_all(b"0\r\n\r\n").await
}
