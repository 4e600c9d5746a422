//! Puts load on one URL and prints what it showed, as one line of JSON. Loopback only.
//!
//! Closed loop by default: each connection sends its next request when its last one has been answered. With `--rate`
//! it is an open loop: requests have due times, a free connection takes the next one, and where none was free, its time
//! counts from when it was due, so that waiting in front of a slow server is not hidden.
//!
//! What ends within the measured time counts, and only the CPU of that time: a stream that began before it counts with
//! the events that it still had.
#![expect(clippy::print_stdout, reason = "its line of output is its interface")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use clap::Parser;
use fkm_bench::control::CLIENT_KEY;
use fkm_bench::load::{Load, Times};
use fkm_bench::{body, proc, task};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use memchr::memchr_iter;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout_at};

#[derive(Debug, Parser)]
struct Args {
    /// Where requests go: `http://127.0.0.1:PORT/PATH`
    #[arg(long)]
    url: Uri,
    /// Bytes of a request's body
    #[arg(long, default_value_t = 300)]
    body_bytes: usize,
    /// Ask for streams
    #[arg(long)]
    stream: bool,
    /// Connections
    #[arg(long, default_value_t = 1)]
    connections: usize,
    /// Requests a second; without it, as many as are answered
    #[arg(long)]
    rate: Option<u32>,
    /// Milliseconds before the measured time
    #[arg(long, default_value_t = 250)]
    warm_up_millis: u64,
    /// Milliseconds measured
    #[arg(long, default_value_t = 1000)]
    measured_millis: u64,
    /// Report the CPU of this process and its children
    #[arg(long)]
    watch: Option<u32>,
}

/// What all connections share.
#[derive(Debug)]
struct Plan {
    address: SocketAddr,
    target: Uri,
    headers: HeaderMap,
    body: Bytes,
    stream: bool,
    rate: Option<u32>,
    /// The next request of an open loop.
    next: AtomicU32,
    start: Instant,
    measured_from: Instant,
    end: Instant,
}

/// What one connection has seen.
#[derive(Debug, Default)]
struct Seen {
    load: Load,
    latency: Times,
    first_token: Times,
    newlines: usize,
}

/// How a stream that is complete ends.
const STREAM_END: &[u8] = b"data: [DONE]\n\n";
/// Newlines an event, wherever reads may cut it: one behind the data, one empty line.
const NEWLINES: usize = 2;

type Connection = SendRequest<Full<Bytes>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let args = Args::parse();
    let plan = Arc::new(Plan::new(&args)?);
    let workers: Vec<_> = (0..args.connections)
        .map(|_| task::spawn(work(Arc::clone(&plan))))
        .collect();
    let cpu = || {
        args.watch
            .map(|pid| proc::usage(pid).cpu)
            .unwrap_or_default()
    };
    sleep_until(plan.measured_from).await;
    let (cpu_before, begun) = (cpu(), Instant::now());
    sleep_until(plan.end).await;
    let (cpu_after, ended) = (cpu(), Instant::now());
    let mut all = Seen::default();
    for worker in workers {
        all.add(worker.await?);
    }
    let load = Load {
        seconds: (ended - begun).as_secs_f64(),
        latency: all.latency.quantiles(),
        first_token: all.first_token.quantiles(),
        events: u64::try_from(all.newlines / NEWLINES)?,
        cpu_micros: cpu_after.saturating_sub(cpu_before).as_secs_f64() * 1e6,
        ..all.load
    };
    println!("{}", serde_json::to_string(&load)?);
    Ok(())
}

/// Sends requests over one connection until the time is over.
async fn work(plan: Arc<Plan>) -> Seen {
    let mut seen = Seen::default();
    let mut connection = None;
    while let Some(from) = plan.next_start().await {
        let Ok(result) =
            timeout_at(plan.end, exchange(&plan, &mut connection, from, &mut seen)).await
        else {
            break;
        };
        let now = Instant::now();
        if now < plan.measured_from {
            continue;
        }
        match result {
            Ok(()) => {
                seen.load.requests += 1;
                seen.latency.record(now - from);
            }
            Err(error) => *seen.load.errors.entry(format!("{error:#}")).or_default() += 1,
        }
    }
    seen
}

/// Sends one request and reads its answer to the end.
async fn exchange(
    plan: &Plan,
    slot: &mut Option<Connection>,
    from: Instant,
    seen: &mut Seen,
) -> Result<()> {
    // A connection that the server has closed meanwhile is replaced; one that breaks under a request is an error.
    let mut connection = match slot.take() {
        Some(connection) if !connection.is_closed() => connection,
        _ => connect(plan.address).await.context("connect")?,
    };
    connection.ready().await.context("connection")?;
    let response = connection
        .send_request(plan.request())
        .await
        .context("send")?;
    ensure!(
        response.status() == StatusCode::OK,
        "status {}",
        response.status().as_u16()
    );
    let finished = read(plan, response, from, seen).await.context("body")?;
    ensure!(finished, "a stream without its end");
    *slot = Some(connection);
    Ok(())
}

async fn connect(address: SocketAddr) -> Result<Connection> {
    let socket = TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    let (connection, driver) = handshake(TokioIo::new(socket)).await?;
    task::spawn(driver);
    Ok(connection)
}

/// Reads a body; true when it is as complete as its kind shows.
async fn read(
    plan: &Plan,
    response: Response<Incoming>,
    from: Instant,
    seen: &mut Seen,
) -> Result<bool> {
    let mut body = response.into_body();
    let mut tail = Vec::new();
    let mut first = true;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        if !plan.stream || data.is_empty() {
            continue;
        }
        let now = Instant::now();
        if now >= plan.measured_from {
            if first {
                seen.first_token.record(now - from);
            }
            seen.newlines += memchr_iter(b'\n', &data).count();
        }
        first = false;
        tail.extend_from_slice(&data[data.len().saturating_sub(STREAM_END.len())..]);
        tail.drain(..tail.len().saturating_sub(STREAM_END.len()));
    }
    Ok(!plan.stream || tail == STREAM_END)
}

// === impl Plan ===

impl Plan {
    fn new(args: &Args) -> Result<Self> {
        let authority = args.url.authority().context("--url has no host")?;
        let address: SocketAddr = authority
            .as_str()
            .parse()
            .context("--url needs an address and a port")?;
        ensure!(address.ip().is_loopback(), "{address} is not on loopback");
        let mut headers = HeaderMap::new();
        headers.insert(HOST, authority.as_str().parse()?);
        headers.insert(AUTHORIZATION, format!("Bearer {CLIENT_KEY}").parse()?);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let body = body::chat(args.body_bytes, args.stream).into();
        // Only now: what is prepared takes no time of what is measured.
        let start = Instant::now();
        let measured_from = start + Duration::from_millis(args.warm_up_millis);
        Ok(Self {
            address,
            target: args.url.path().parse()?,
            headers,
            body,
            stream: args.stream,
            rate: args.rate,
            next: AtomicU32::new(0),
            start,
            measured_from,
            end: measured_from + Duration::from_millis(args.measured_millis),
        })
    }

    /// From when the next request counts, waiting until it is due; `None` when the time is over.
    async fn next_start(&self) -> Option<Instant> {
        let now = Instant::now();
        let Some(rate) = self.rate else {
            return (now < self.end).then_some(now);
        };
        let due =
            self.start + Duration::from_secs(1) * self.next.fetch_add(1, Ordering::Relaxed) / rate;
        if due >= self.end {
            return None;
        }
        if due <= now {
            return Some(due);
        }
        sleep_until(due).await;
        // A late timer is this program's fault, not the server's.
        Some(Instant::now())
    }

    fn request(&self) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.target.clone();
        *request.headers_mut() = self.headers.clone();
        request
    }
}

// === impl Seen ===

impl Seen {
    fn add(&mut self, other: Self) {
        self.latency.add(&other.latency);
        self.first_token.add(&other.first_token);
        self.load.requests += other.load.requests;
        self.newlines += other.newlines;
        for (error, count) in other.load.errors {
            *self.load.errors.entry(error).or_default() += count;
        }
    }
}
