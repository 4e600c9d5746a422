//! A provider that costs next to nothing: answers and streams are rendered beforehand and written by hand.
//!
//! It looks at the length of a request and for `"stream":true` near its end, no more. `GET /__config?events=50&
//! interval-micros=10000&answer-bytes=600` sets what comes next, `GET /__keep` makes it keep the next request,
//! `GET /__kept` shows that one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use bytes::{Buf, BytesMut};
use clap::Parser;
use fkm_bench::task;
use memchr::memmem;
use parking_lot::Mutex;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, interval_at};

/// Where `"stream":true` is looked for: the official SDKs send it behind the messages.
const TAIL: usize = 256;
const READ_AT_ONCE: usize = 256 << 10;

#[derive(Debug, Parser)]
struct Args {
    /// Where it listens
    #[arg(long)]
    listen: SocketAddr,
}

/// What is answered, ready to be written.
#[derive(Debug)]
struct Rendered {
    whole: Vec<u8>,
    stream_head: Vec<u8>,
    event: Vec<u8>,
    stream_end: Vec<u8>,
    events: u32,
    interval: Duration,
}

#[derive(Debug)]
struct Shared {
    rendered: Mutex<Arc<Rendered>>,
    keep: AtomicBool,
    kept: Mutex<Vec<u8>>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let args = Args::parse();
    let shared = Arc::new(Shared {
        rendered: Mutex::new(Arc::new(Rendered::new("")?)),
        keep: AtomicBool::new(false),
        kept: Mutex::default(),
    });
    let listener = TcpListener::bind(args.listen).await?;
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let shared = Arc::clone(&shared);
        // An error is a client that left, or one that does not speak HTTP.
        task::spawn(async move { serve(socket, &shared).await.ok() });
    }
}

async fn serve(mut socket: TcpStream, shared: &Shared) -> Result<()> {
    let mut buffer = BytesMut::with_capacity(READ_AT_ONCE);
    loop {
        let head = loop {
            if let Some(end) = memmem::find(&buffer, b"\r\n\r\n") {
                break end + 4;
            }
            read(&mut socket, &mut buffer).await?;
        };
        let length = content_length(&buffer[..head])?;
        while buffer.len() < head + length {
            read(&mut socket, &mut buffer).await?;
        }
        let request = &buffer[..head + length];
        if request.starts_with(b"GET /__") {
            let answer = order(request, shared)?;
            socket.write_all(&answer).await?;
        } else {
            if shared.keep.swap(false, Ordering::Relaxed) {
                *shared.kept.lock() = request.to_vec();
            }
            let rendered = Arc::clone(&shared.rendered.lock());
            let tail = request.len().saturating_sub(TAIL);
            if length > 0 && memmem::find(&request[tail..], b"\"stream\":true").is_some() {
                stream(&mut socket, &rendered).await?;
            } else {
                socket.write_all(&rendered.whole).await?;
            }
        }
        buffer.advance(head + length);
    }
}

async fn read(socket: &mut TcpStream, buffer: &mut BytesMut) -> Result<()> {
    buffer.reserve(READ_AT_ONCE);
    if socket.read_buf(buffer).await? == 0 {
        bail!("the client left");
    }
    Ok(())
}

/// The length of the body; a chunked one is refused, since no peer of this bench sends it.
fn content_length(head: &[u8]) -> Result<usize> {
    let mut slots = [httparse::EMPTY_HEADER; 64];
    let mut request = httparse::Request::new(&mut slots);
    request.parse(head)?;
    for header in request.headers.iter() {
        if header.name.eq_ignore_ascii_case("content-length") {
            return Ok(std::str::from_utf8(header.value)?.parse()?);
        }
        if header.name.eq_ignore_ascii_case("transfer-encoding") {
            bail!("a chunked request");
        }
    }
    Ok(0)
}

async fn stream(socket: &mut TcpStream, rendered: &Rendered) -> Result<()> {
    socket.write_all(&rendered.stream_head).await?;
    // A timer that is due now rings at the next millisecond: the first event takes none.
    let mut ticks = None;
    for _ in 0..rendered.events {
        match &mut ticks {
            _ if rendered.interval.is_zero() => {}
            None => {
                let next = Instant::now() + rendered.interval;
                ticks = Some(interval_at(next, rendered.interval));
            }
            Some(ticks) => drop(ticks.tick().await),
        }
        socket.write_all(&rendered.event).await?;
    }
    socket.write_all(&rendered.stream_end).await?;
    Ok(())
}

fn order(request: &[u8], shared: &Shared) -> Result<Vec<u8>> {
    let line = request
        .split(|&byte| byte == b'\r')
        .next()
        .unwrap_or_default();
    let target = std::str::from_utf8(line)?
        .split(' ')
        .nth(1)
        .context("no target")?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut body = Vec::new();
    match path {
        "/__config" => *shared.rendered.lock() = Arc::new(Rendered::new(query)?),
        "/__keep" => shared.keep.store(true, Ordering::Relaxed),
        "/__kept" => body.clone_from(&shared.kept.lock()),
        _ => bail!("{path} is no order"),
    }
    let length = body.len();
    let mut answer =
        format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n")
            .into_bytes();
    answer.extend_from_slice(&body);
    Ok(answer)
}

// === impl Rendered ===

impl Rendered {
    /// From the query of `/__config`; what it does not name is as at the start.
    fn new(query: &str) -> Result<Self> {
        let (mut events, mut micros, mut answer_bytes) = (20, 0, 600);
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("events", value)) => events = value.parse()?,
                Some(("interval-micros", value)) => micros = value.parse()?,
                Some(("answer-bytes", value)) => answer_bytes = value.parse()?,
                _ => bail!("{pair} is no setting"),
            }
        }
        let head = "HTTP/1.1 200 OK\r\nx-request-id: req_0123456789abcdef\r\n";
        let answer = answer(answer_bytes);
        let length = answer.len();
        let whole = format!(
            "{head}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{answer}"
        );
        let stream_head = format!(
            "{head}content-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"
        );
        let delta = json!([{"index": 0, "delta": {"content": " token"}, "logprobs": null, "finish_reason": null}]);
        let finish = json!([{"index": 0, "delta": {}, "logprobs": null, "finish_reason": "stop"}]);
        let mut stream_end = chunk(&event(&finish, false));
        stream_end.extend(chunk(&event(&json!([]), true)));
        stream_end.extend(chunk("data: [DONE]\n\n"));
        stream_end.extend(b"0\r\n\r\n");
        Ok(Self {
            whole: whole.into_bytes(),
            stream_head: stream_head.into_bytes(),
            event: chunk(&event(&delta, false)),
            stream_end,
            events,
            interval: Duration::from_micros(micros),
        })
    }
}

/// A whole answer of about so many bytes.
fn answer(bytes: usize) -> String {
    let render = |text: &str| {
        json!({
            "id": "chatcmpl-bench", "object": "chat.completion", "created": 1_750_000_000, "model": "bench-model",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text, "refusal": null},
                "logprobs": null, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 60, "completion_tokens": 40, "total_tokens": 100},
        })
        .to_string()
    };
    let room = bytes.saturating_sub(render("").len());
    render(&"The queue drained because of a restart. ".repeat(room.div_ceil(40))[..room])
}

fn event(choices: &serde_json::Value, usage: bool) -> String {
    let mut data = json!({
        "id": "chatcmpl-bench", "object": "chat.completion.chunk", "created": 1_750_000_000, "model": "bench-model",
        "choices": choices,
        "usage": null,
    });
    if usage {
        data["usage"] = json!({"prompt_tokens": 60, "completion_tokens": 40, "total_tokens": 100});
    }
    format!("data: {data}\n\n")
}

fn chunk(data: &str) -> Vec<u8> {
    format!("{:x}\r\n{data}\r\n", data.len()).into_bytes()
}
