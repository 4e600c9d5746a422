//! `/livez`, `/readyz` and `/metrics`, for the kubelet and Prometheus: plain HTTP, no secrets, nothing to change.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fkm_telemetry::metrics::{self, Registry};
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tracing::{debug, warn};

/// A client that has not sent its request line and headers by then is cut off.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause after `accept` failed, which it does for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What must be true before `/readyz` says so. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Readiness(Arc<Flags>);

#[derive(Debug, Default)]
struct Flags {
    synced: AtomicBool,
    published: AtomicBool,
    listening: AtomicBool,
    draining: AtomicBool,
}

/// What the pages are made of. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Pages {
    readiness: Readiness,
    registry: Arc<Registry>,
}

// === impl Readiness ===

impl Readiness {
    /// Every store has its first list.
    pub fn set_synced(&self) {
        self.0.synced.store(true, Ordering::Relaxed);
    }

    /// Every pod that was there at the start has its standing.
    pub fn set_published(&self) {
        self.0.published.store(true, Ordering::Relaxed);
    }

    /// Sidecars can connect.
    pub fn set_listening(&self) {
        self.0.listening.store(true, Ordering::Relaxed);
    }

    /// The process is about to end.
    pub fn set_draining(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
    }

    /// What is not ready yet; `None`: all is.
    pub fn missing(&self) -> Option<&'static str> {
        let Flags {
            synced,
            published,
            listening,
            draining,
        } = &*self.0;
        if draining.load(Ordering::Relaxed) {
            return Some("shutting down");
        }
        let conditions = [
            (synced, "waiting for the first list of every watch"),
            (published, "waiting for the first compilation"),
            (listening, "waiting for the push listener"),
        ];
        conditions
            .into_iter()
            .find(|(flag, _)| !flag.load(Ordering::Relaxed))
            .map(|(_, what)| what)
    }
}

// === impl Pages ===

impl Pages {
    /// Pages over what is registered.
    pub fn new(readiness: Readiness, registry: Arc<Registry>) -> Self {
        Self {
            readiness,
            registry,
        }
    }

    /// Serves connections until it is dropped.
    pub async fn serve(self, listener: TcpListener, spawn: impl Fn(ConnectionFuture)) {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => spawn(Box::pin(self.clone().connection(stream))),
                Err(error) => {
                    accept_failed(&error);
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    async fn connection(self, stream: TcpStream) {
        let service = service_fn(move |request: Request<Incoming>| {
            let answer = self.answer(request.method(), request.uri().path());
            async move { Ok::<_, Infallible>(answer) }
        });
        let mut server = http1::Builder::new();
        server
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT);
        if let Err(error) = server.serve_connection(TokioIo::new(stream), service).await {
            debug!(
                error = &error as &dyn std::error::Error,
                "admin connection ended early"
            );
        }
    }

    fn answer(&self, method: &Method, path: &str) -> Response<Full<Bytes>> {
        if method != Method::GET && method != Method::HEAD {
            return page(
                StatusCode::METHOD_NOT_ALLOWED,
                TEXT,
                "only GET\n".to_owned(),
            );
        }
        match (path, self.readiness.missing()) {
            ("/livez", _) | ("/readyz", None) => page(StatusCode::OK, TEXT, "ok\n".to_owned()),
            ("/readyz", Some(missing)) => page(
                StatusCode::SERVICE_UNAVAILABLE,
                TEXT,
                format!("{missing}\n"),
            ),
            ("/metrics", _) => page(
                StatusCode::OK,
                metrics::CONTENT_TYPE,
                metrics::encode(&self.registry),
            ),
            _ => page(
                StatusCode::NOT_FOUND,
                TEXT,
                "there are /livez, /readyz and /metrics\n".to_owned(),
            ),
        }
    }
}

/// One connection, to be run by whoever spawns tasks.
pub type ConnectionFuture = std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

const TEXT: &str = "text/plain; charset=utf-8";

fn page(status: StatusCode, content_type: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static(content_type),
    );
    response
}

fn accept_failed(error: &io::Error) {
    warn!(
        error = error as &dyn std::error::Error,
        "admin listener cannot accept; maybe the open-file limit is reached"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages() -> Pages {
        Pages::new(Readiness::default(), Arc::new(Registry::default()))
    }

    #[test]
    fn ready_only_when_everything_is() {
        let pages = pages();
        let status = |path: &str| pages.answer(&Method::GET, path).status();
        assert_eq!(status("/livez"), 200);
        for set in [
            Readiness::set_listening,
            Readiness::set_synced,
            Readiness::set_published,
        ] {
            assert_eq!(status("/readyz"), 503);
            set(&pages.readiness);
        }
        assert_eq!(status("/readyz"), 200);
        pages.readiness.set_draining();
        assert_eq!(status("/readyz"), 503);
        assert_eq!(status("/livez"), 200);
    }

    #[test]
    fn nothing_else_is_there() {
        assert_eq!(pages().answer(&Method::GET, "/debug").status(), 404);
        assert_eq!(pages().answer(&Method::POST, "/metrics").status(), 405);
        assert_eq!(pages().answer(&Method::GET, "/metrics").status(), 200);
    }
}
