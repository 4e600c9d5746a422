//! Reads one HTTP/1.1 request from a socket.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const MAX_HEADERS: usize = 128;
const MAX_HEAD_BYTES: usize = 1 << 20;
/// Far above what any test sends on purpose.
const MAX_BODY_BYTES: usize = 256 << 20;

/// A request, whole.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Whether the connection may be used again after the answer.
    pub(crate) keep_alive: bool,
}

/// Why no request could be read.
#[derive(Debug, Error)]
pub(crate) enum RequestError {
    #[error("the socket failed")]
    Io(#[from] io::Error),
    #[error("the client went away in the middle of a request")]
    Truncated,
    #[error("not HTTP/1.1: {0}")]
    Malformed(String),
    #[error("more bytes than any test sends")]
    TooLarge,
}

struct Head {
    bytes: usize,
    request: Request,
    framing: Framing,
    expects_continue: bool,
}

enum Framing {
    Length(usize),
    Chunked,
}

// === impl Request ===

impl Request {
    /// The path without the query.
    pub(crate) fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }
}

/// Reads the next request; `None` when the client closed the connection between two of them. What follows the request
/// stays in `buffer`.
pub(crate) async fn read(
    socket: &mut TcpStream,
    buffer: &mut BytesMut,
) -> Result<Option<Request>, RequestError> {
    let head = loop {
        if let Some(head) = parse_head(buffer)? {
            break head;
        }
        if buffer.len() > MAX_HEAD_BYTES {
            return Err(RequestError::TooLarge);
        }
        if socket.read_buf(buffer).await? == 0 {
            return if buffer.is_empty() {
                Ok(None)
            } else {
                Err(RequestError::Truncated)
            };
        }
    };
    buffer.advance(head.bytes);
    let mut request = head.request;
    if head.expects_continue {
        socket.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    }
    request.body = match head.framing {
        Framing::Length(length) => take(socket, buffer, length).await?,
        Framing::Chunked => read_chunked(socket, buffer).await?,
    };
    Ok(Some(request))
}

fn parse_head(buffer: &[u8]) -> Result<Option<Head>, RequestError> {
    let malformed = |what: &dyn ToString| RequestError::Malformed(what.to_string());
    let mut slots = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut slots);
    let bytes = match parsed.parse(buffer).map_err(|error| malformed(&error))? {
        httparse::Status::Complete(bytes) => bytes,
        httparse::Status::Partial => return Ok(None),
    };
    let mut headers = HeaderMap::new();
    for header in parsed.headers.iter() {
        let name: HeaderName = header.name.parse().map_err(|error| malformed(&error))?;
        let value = HeaderValue::from_bytes(header.value).map_err(|error| malformed(&error))?;
        headers.append(name, value);
    }
    let says = |name: &str, word: &str| {
        headers.get(name).is_some_and(|value| {
            String::from_utf8_lossy(value.as_bytes())
                .to_ascii_lowercase()
                .contains(word)
        })
    };
    let framing = match headers.get("content-length") {
        _ if says("transfer-encoding", "chunked") => Framing::Chunked,
        None => Framing::Length(0),
        Some(length) => Framing::Length(
            length
                .to_str()
                .ok()
                .and_then(|length| length.parse().ok())
                .ok_or_else(|| malformed(&"content-length is no number"))?,
        ),
    };
    let expects_continue = says("expect", "100-continue");
    let keep_alive = parsed.version == Some(1) && !says("connection", "close");
    let method = parsed.method.unwrap_or_default();
    Ok(Some(Head {
        bytes,
        framing,
        expects_continue,
        request: Request {
            method: method.parse().map_err(|error| malformed(&error))?,
            target: parsed.path.unwrap_or_default().to_owned(),
            headers,
            body: Bytes::new(),
            keep_alive,
        },
    }))
}

/// Takes exactly `length` bytes.
async fn take(
    socket: &mut TcpStream,
    buffer: &mut BytesMut,
    length: usize,
) -> Result<Bytes, RequestError> {
    if length > MAX_BODY_BYTES {
        return Err(RequestError::TooLarge);
    }
    while buffer.len() < length {
        buffer.reserve(length - buffer.len());
        if socket.read_buf(buffer).await? == 0 {
            return Err(RequestError::Truncated);
        }
    }
    Ok(buffer.split_to(length).freeze())
}

async fn read_chunked(
    socket: &mut TcpStream,
    buffer: &mut BytesMut,
) -> Result<Bytes, RequestError> {
    let mut body = BytesMut::new();
    loop {
        let line = take_line(socket, buffer).await?;
        let digits = line.split(';').next().unwrap_or_default().trim();
        let length = usize::from_str_radix(digits, 16)
            .map_err(|_| RequestError::Malformed(format!("chunk length {digits:?}")))?;
        if length == 0 {
            break;
        }
        if body.len() + length > MAX_BODY_BYTES {
            return Err(RequestError::TooLarge);
        }
        body.extend_from_slice(&take(socket, buffer, length).await?);
        if !take_line(socket, buffer).await?.is_empty() {
            return Err(RequestError::Malformed(
                "a chunk longer than said".to_owned(),
            ));
        }
    }
    // Trailers, up to the empty line.
    while !take_line(socket, buffer).await?.is_empty() {}
    Ok(body.freeze())
}

/// Takes one line, without its end.
async fn take_line(socket: &mut TcpStream, buffer: &mut BytesMut) -> Result<String, RequestError> {
    loop {
        if let Some(end) = buffer.windows(2).position(|pair| pair == b"\r\n") {
            let line = buffer.split_to(end + 2);
            return Ok(String::from_utf8_lossy(&line[..end]).into_owned());
        }
        if buffer.len() > MAX_HEAD_BYTES {
            return Err(RequestError::TooLarge);
        }
        if socket.read_buf(buffer).await? == 0 {
            return Err(RequestError::Truncated);
        }
    }
}
