//! Connections: how many there may be, and how long one may stay that serves nobody.
//!
//! *Guarantees*: connections that have shown no good token are few, so that they cannot keep out those that have; one
//! without a session is cut off after [`IDLE`] at most twice over.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::stream::{Stream, unfold};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep, sleep_until};
use tonic::transport::server::Connected;
use tracing::warn;

/// Connections at one time: above the sidecars that one replica is made for. More wait until others close.
const MOST: usize = 16_384;

/// Connections at one time that have not shown a good token yet: more than come up together when all reconnect.
const MOST_STRANGERS: usize = 1_024;

/// How long a connection may have no session. A handshake and a review take at most 10 s.
pub(super) const IDLE: Duration = Duration::from_secs(15);

/// Pause after `accept` failed, which it does for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// One connection, which closes itself when it serves nobody.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    usage: Usage,
    deadline: Pin<Box<Sleep>>,
    _one_of_all: OwnedSemaphorePermit,
}

/// What a connection is used for. Cheap to clone; all clones are one connection's.
#[derive(Clone, Debug)]
pub(super) struct Usage(Arc<UsageInner>);

#[derive(Debug)]
struct UsageInner {
    sessions: AtomicUsize,
    stranger: Mutex<Option<OwnedSemaphorePermit>>,
}

/// A session on a connection, as long as it is held.
#[derive(Debug)]
pub(super) struct InUse(Usage);

/// How many there may be.
struct Bounds {
    all: Arc<Semaphore>,
    strangers: Arc<Semaphore>,
}

/// Connections as they come, not more than there may be. An error of `accept` concerns that one connection, or the whole
/// process for a moment: neither ends this.
pub(super) fn accept(listener: TcpListener) -> impl Stream<Item = io::Result<Connection>> {
    accept_at_most(listener, MOST, MOST_STRANGERS)
}

fn accept_at_most(
    listener: TcpListener,
    most: usize,
    most_strangers: usize,
) -> impl Stream<Item = io::Result<Connection>> {
    let bounds = Bounds {
        all: Arc::new(Semaphore::new(most)),
        strangers: Arc::new(Semaphore::new(most_strangers)),
    };
    unfold((listener, bounds), async |(listener, bounds)| {
        let (one_of_all, stranger) = bounds.place().await;
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    // Without it, a small message waits for the acknowledgement of the one before.
                    let connection = stream
                        .set_nodelay(true)
                        .map(|()| Connection::new(stream, one_of_all, stranger));
                    return Some((connection, (listener, bounds)));
                }
                Err(error) => {
                    warn!(
                        error = &error as &dyn std::error::Error,
                        "push listener cannot accept; maybe the open-file limit is reached"
                    );
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    })
}

// === impl Bounds ===

impl Bounds {
    /// Waits for a place for one more.
    async fn place(&self) -> (OwnedSemaphorePermit, OwnedSemaphorePermit) {
        let place = async |of: &Arc<Semaphore>| {
            let permit = Arc::clone(of).acquire_owned().await;
            permit.expect("the semaphore is never closed")
        };
        (place(&self.all).await, place(&self.strangers).await)
    }
}

// === impl Connection ===

impl Connection {
    fn new(
        stream: TcpStream,
        one_of_all: OwnedSemaphorePermit,
        stranger: OwnedSemaphorePermit,
    ) -> Self {
        Self {
            stream,
            usage: Usage(Arc::new(UsageInner {
                sessions: AtomicUsize::new(0),
                stranger: Mutex::new(Some(stranger)),
            })),
            deadline: Box::pin(sleep_until(Instant::now() + IDLE)),
            _one_of_all: one_of_all,
        }
    }

    /// Ready when nobody has used it for a whole period.
    fn poll_idle(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.deadline.as_mut().poll(context));
            if self.usage.0.sessions.load(Ordering::Relaxed) == 0 {
                return Poll::Ready(());
            }
            self.deadline.as_mut().reset(Instant::now() + IDLE);
        }
    }
}

impl Connected for Connection {
    type ConnectInfo = Usage;

    fn connect_info(&self) -> Usage {
        self.usage.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.poll_idle(context).is_ready() {
            let message = format!("no session within {IDLE:?}");
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, message)));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

// === impl Usage ===

impl Usage {
    /// A good token was shown, and a session begins.
    pub(super) fn begin(&self) -> InUse {
        self.0.stranger.lock().take();
        self.0.sessions.fetch_add(1, Ordering::Relaxed);
        InUse(self.clone())
    }
}

// === impl InUse ===

impl Drop for InUse {
    fn drop(&mut self) {
        self.0.0.sessions.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;
    use tokio::io::AsyncReadExt;
    use tokio::time::timeout;

    use super::*;

    async fn connect(listener: &TcpListener) -> TcpStream {
        let address = listener.local_addr().unwrap();
        TcpStream::connect(address).await.unwrap()
    }

    #[tokio::test]
    async fn strangers_are_bounded_apart_and_all_together() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut clients = Vec::new();
        for _ in 0..4 {
            clients.push(connect(&listener).await);
        }
        let mut accepted = Box::pin(accept_at_most(listener, 2, 1));
        let soon = Duration::from_millis(200);
        let first = accepted.next().await.unwrap().unwrap();
        assert!(timeout(soon, accepted.next()).await.is_err(), "a stranger");
        let session = first.connect_info().begin();
        let second = accepted.next().await.unwrap().unwrap();
        let _other = second.connect_info().begin();
        assert!(timeout(soon, accepted.next()).await.is_err(), "too many");
        drop((first, session));
        assert!(accepted.next().await.unwrap().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_serves_nobody_is_cut_off() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let _client = connect(&listener).await;
        let mut accepted = Box::pin(accept(listener));
        let mut connection = accepted.next().await.unwrap().unwrap();
        let session = connection.connect_info().begin();
        let read = timeout(9 * IDLE, connection.read_u8()).await;
        assert!(read.is_err(), "it has a session");
        drop(session);
        let read = timeout(2 * IDLE, connection.read_u8()).await;
        let error = read.unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
