//! Opens connections for one pool, all inside one connect time-out, and one ahead of the first request.
//!
//! The stream that comes back knows whether it has carried a request before ([`super::stream::Reuse`]), so that a
//! connection that went stale in the pool can be told from a provider that closes on us.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use parking_lot::Mutex;
use thiserror::Error;
use tokio::time::Instant;
use tower::Service;

use super::dialer::Dialer;
use super::stream::Stream;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Opens connections to one provider, wherever the URL of a request says that they lead.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    dialer: Arc<Dialer>,
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

/// The connection was not established within `timeouts.connect`.
#[derive(Debug, Error)]
#[error(
    "no connection within {after:?}{through}; maybe a NetworkPolicy or firewall drops the packets"
)]
pub(crate) struct ConnectTimeout {
    after: Duration,
    through: String,
}

// === impl Connector ===

impl Connector {
    pub(crate) fn new(dialer: Dialer, timeout: Duration) -> Self {
        Self {
            dialer: Arc::new(dialer),
            timeout,
            warm: Arc::default(),
        }
    }

    /// Opens a connection ahead of the first request, which then finds name, TCP and TLS done. What goes wrong here is left
    /// for that request to find out.
    pub(crate) async fn preconnect(self) {
        match open(self.dialer, self.timeout).await {
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

async fn open(dialer: Arc<Dialer>, after: Duration) -> Result<Stream, BoxError> {
    match tokio::time::timeout(after, dialer.open()).await {
        Ok(opened) => opened,
        Err(_) => {
            let through = dialer.detour();
            Err(ConnectTimeout { after, through }.into())
        }
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        match self.take_warm() {
            Some(stream) => Box::pin(std::future::ready(Ok(stream))),
            None => Box::pin(open(self.dialer.clone(), self.timeout)),
        }
    }
}

/// The causes of an error, outermost first, without the words that hyper adds to every one.
pub(crate) fn describe(error: &(dyn std::error::Error + 'static)) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        let wrapper = matches!(
            text.as_str(),
            "client error (Connect)" | "client error (SendRequest)"
        );
        if !wrapper && parts.last().is_none_or(|last| !last.contains(&text)) {
            parts.push(text);
        }
        if error.is::<ConnectTimeout>() {
            break;
        }
        next = error.source();
    }
    parts.join(": ")
}
