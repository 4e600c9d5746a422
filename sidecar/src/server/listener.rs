//! Accepts connections and serves HTTP/1.1 on them, within bounds, until draining begins.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::{Request, Response};
use http_body::Body;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::stall::StallGuard;
use crate::task::Tasks;

/// A client that takes longer to send its first request's head has gone, or means ill.
const FIRST_HEAD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a connection may wait for its next request, head included. Above the pools of common clients (5 s in httpx, 4 s
/// in undici, 90 s in Go), so that it is they who close, and no request meets a connection that is being closed.
const IDLE_TIMEOUT: Duration = Duration::from_mins(2);

/// All header bytes of a request; the official SDKs send about 1 KiB.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// The largest read buffer of a connection: a body of 128 KiB comes in one piece, and 4096 idle connections hold little.
const MAX_BUFFER_BYTES: usize = 128 * 1024;

/// Header lines of a request; the official SDKs send about 20.
const MAX_HEADERS: usize = 100;

/// Connections of one listener at a time; more wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 4096;

/// Pause after the kernel refused to accept (no file descriptors left), so that the loop does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A bound listener. `name` says in logs what it is for.
#[derive(Debug)]
pub(crate) struct Listener {
    name: &'static str,
    socket: TcpListener,
    address: SocketAddr,
}

// === impl Listener ===

impl Listener {
    /// Binds `address`.
    pub(crate) async fn bind(name: &'static str, address: SocketAddr) -> io::Result<Self> {
        let socket = TcpListener::bind(address).await.map_err(|error| {
            io::Error::new(
                error.kind(),
                format!("cannot listen on {address} for {name}: {error}"),
            )
        })?;
        let address = socket.local_addr()?;
        Ok(Self {
            name,
            socket,
            address,
        })
    }

    /// Binds all of `addresses`. Where IPv6 is switched off, its addresses are left out as long as another one is left.
    pub(crate) async fn bind_all(
        name: &'static str,
        addresses: &[SocketAddr],
    ) -> io::Result<Vec<Self>> {
        let mut bound = Vec::new();
        for &address in addresses {
            match Self::bind(name, address).await {
                Ok(listener) => bound.push(listener),
                Err(error)
                    if address.is_ipv6()
                        && addresses.iter().any(SocketAddr::is_ipv4)
                        && is_absent(&error) =>
                {
                    tracing::info!(%address, name, "no IPv6 here, not listening on it");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(bound)
    }

    /// Where it listens; the port is the real one when 0 was asked for.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves every connection with `handler` until draining begins.
    pub(crate) fn spawn<H, F, B>(self, tasks: &Tasks, handler: H)
    where
        H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response<B>> + Send + 'static,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let spawner = tasks.clone();
        tasks.spawn(async move { self.accept_all(spawner, handler).await });
    }

    async fn accept_all<H, F, B>(self, tasks: Tasks, handler: H)
    where
        H: Fn(Request<Incoming>) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Response<B>> + Send + 'static,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        let draining = tasks.draining().clone();
        loop {
            let accepted = tokio::select! {
                () = draining.cancelled() => return,
                accepted = self.accept(&room) => accepted,
            };
            let Some((socket, place)) = accepted else {
                continue;
            };
            let (connection_tasks, handler) = (tasks.clone(), handler.clone());
            tasks.spawn(async move {
                serve_connection(socket, &connection_tasks, handler).await;
                drop(place);
            });
        }
    }

    async fn accept(
        &self,
        room: &Arc<Semaphore>,
    ) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
        let place = room.clone().acquire_owned().await.ok()?;
        match self.socket.accept().await {
            Ok((socket, _)) => Some((socket, place)),
            Err(error) => {
                tracing::warn!(name = self.name, %error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                None
            }
        }
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported
    ) || error.raw_os_error() == Some(97)
}

async fn serve_connection<H, F, B>(socket: TcpStream, tasks: &Tasks, handler: H)
where
    H: Fn(Request<Incoming>) -> F,
    F: Future<Output = Response<B>>,
    B: Body<Data = Bytes> + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    // Small writes of a stream must not wait for each other.
    let _ = socket.set_nodelay(true);
    let begun = AtomicBool::new(false);
    let service = service_fn(|request| {
        begun.store(true, Ordering::Relaxed);
        let response = handler(request);
        async move { Ok::<_, Infallible>(response.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_TIMEOUT)
        .max_header_size(MAX_HEAD_BYTES)
        .max_buf_size(MAX_BUFFER_BYTES)
        .max_headers(MAX_HEADERS)
        .serve_connection(StallGuard::new(socket), service);
    let mut connection = std::pin::pin!(connection);
    let served = tokio::select! {
        served = connection.as_mut() => served,
        () = silent(&begun) => return,
        () = tasks.draining().cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = served {
        tracing::debug!(%error, "a client's connection ended with an error");
    }
}

/// Ends when a connection has not brought one request's head in time; else never.
async fn silent(begun: &AtomicBool) {
    tokio::time::sleep(FIRST_HEAD_TIMEOUT).await;
    if begun.load(Ordering::Relaxed) {
        std::future::pending::<()>().await;
    }
}
