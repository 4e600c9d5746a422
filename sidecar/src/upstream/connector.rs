//! Opens connections: name, address rule, TCP, TLS, all inside one connect time-out.
//!
//! *Guarantees*: every address that is dialled, literal or resolved, has passed [`address::check`] for that very
//! connection. The stream that comes back knows whether it has carried a request before ([`Reuse`]), so that a
//! connection that went stale in the pool can be told from a provider that closes on us.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use fkm_snapshot::Locality;
use http::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::time::Instant;
use tower::Service;

use super::address::{self, Forbidden};
use super::client::describe;

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type Inner = MaybeHttpsStream<TokioIo<TcpStream>>;

/// Opens connections to one provider.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    inner: HttpsConnector<HttpConnector<GuardedResolver>>,
    rule: AddressRule,
    timeout: Duration,
    /// A connection that was opened ahead, for the first request that asks.
    warm: Arc<Mutex<Option<Warm>>>,
}

/// A connection that was opened ahead.
#[derive(Debug)]
struct Warm {
    stream: Stream,
    opened: Instant,
}

/// A warm connection that nobody took for so long is closed, before the provider does.
const WARM_FOR: Duration = Duration::from_secs(20);

/// Which addresses may be dialled for this provider.
#[derive(Clone, Debug)]
pub(crate) struct AddressRule {
    pub(crate) locality: Locality,
    /// The port of the provider: a resolver is asked for a name alone.
    pub(crate) port: u16,
    pub(crate) own_ports: Arc<[u16]>,
}

/// The connection was not established within `timeouts.connect`.
#[derive(Debug, Error)]
#[error("no connection within {0:?}; maybe a NetworkPolicy or firewall drops the packets")]
pub(crate) struct ConnectTimeout(Duration);

/// Whether a connection has already carried a whole exchange. Travels as a connection extra.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reuse(Arc<AtomicBool>);

/// A connection, plain or TLS, with its [`Reuse`] mark.
#[derive(Debug)]
pub(crate) struct Stream {
    inner: Inner,
    reuse: Reuse,
}

/// Resolves names and keeps only the addresses that the rule allows.
#[derive(Clone, Debug)]
pub(crate) struct GuardedResolver {
    rule: AddressRule,
}

// === impl Connector ===

impl Connector {
    pub(crate) fn new(tls: rustls::ClientConfig, rule: AddressRule, timeout: Duration) -> Self {
        let mut tcp = HttpConnector::new_with_resolver(GuardedResolver { rule: rule.clone() });
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        // A peer that vanished without a word is noticed, idle or with a request under way.
        tcp.set_keepalive(Some(Duration::from_secs(30)));
        tcp.set_keepalive_interval(Some(Duration::from_secs(10)));
        tcp.set_keepalive_retries(Some(3));
        tcp.set_tcp_user_timeout(Some(Duration::from_secs(30)));
        let inner = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(tcp);
        let warm = Arc::default();
        Self {
            inner,
            rule,
            timeout,
            warm,
        }
    }

    /// Opens a connection to `uri` ahead of the first request, which then finds name, TCP and TLS done. What goes wrong
    /// here is left for that request to find out.
    pub(crate) async fn preconnect(mut self, uri: Uri) {
        match self.call(uri).await {
            Ok(stream) => {
                // It may have died when somebody takes it: then it counts as stale, as a pooled one does.
                stream.reuse.mark();
                let opened = Instant::now();
                *self.warm.lock() = Some(Warm { stream, opened });
                tokio::time::sleep(WARM_FOR).await;
                drop(self.warm.lock().take());
            }
            Err(error) => {
                tracing::debug!(error = describe(&*error), "no connection ahead of requests");
            }
        }
    }

    fn take_warm(&self) -> Option<Stream> {
        let warm = self.warm.lock().take()?;
        (warm.opened.elapsed() < WARM_FOR).then_some(warm.stream)
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        // The TCP connector dials a literal address without asking its resolver.
        if let Err(forbidden) = self.rule.check_literal(&uri) {
            return Box::pin(async move { Err(forbidden.into()) });
        }
        if let Some(stream) = self.take_warm() {
            return Box::pin(std::future::ready(Ok(stream)));
        }
        let connecting = self.inner.call(uri);
        let timeout = self.timeout;
        Box::pin(async move {
            let inner = tokio::time::timeout(timeout, connecting)
                .await
                .map_err(|_| ConnectTimeout(timeout))??;
            let reuse = Reuse::default();
            Ok(Stream { inner, reuse })
        })
    }
}

// === impl AddressRule ===

impl AddressRule {
    fn check_literal(&self, uri: &Uri) -> Result<(), Forbidden> {
        let host = uri.host().unwrap_or_default();
        match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(ip) => self.check(SocketAddr::new(ip, self.port)),
            Err(_) => Ok(()),
        }
    }

    fn check(&self, address: SocketAddr) -> Result<(), Forbidden> {
        address::check(address, self.locality, &self.own_ports)
    }
}

// === impl GuardedResolver ===

impl Service<Name> for GuardedResolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let rule = self.rule.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let mut refused = None;
            let mut allowed = Vec::new();
            for address in found {
                match rule.check(SocketAddr::new(address.ip(), rule.port)) {
                    Ok(()) => allowed.push(address),
                    Err(forbidden) => refused = Some(forbidden),
                }
            }
            match refused {
                Some(forbidden) if allowed.is_empty() => Err(io::Error::other(forbidden)),
                _ => Ok(allowed.into_iter()),
            }
        })
    }
}

// === impl Reuse ===

impl Reuse {
    /// Notes that the connection has carried an answer.
    pub(crate) fn mark(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it had before.
    pub(crate) fn is_marked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

// === impl Stream ===

impl Connection for Stream {
    fn connected(&self) -> Connected {
        self.inner.connected().extra(self.reuse.clone())
    }
}

impl Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}
