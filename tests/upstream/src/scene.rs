//! Answers decided by a function of the request, instead of by a script: for many requests at once, whose order nobody knows.

use std::fmt::{self, Debug, Formatter};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::sleep;

use crate::Received;
use crate::respond::Then;

/// What one request meets: bytes of HTTP/1.1 as they go to the socket, and how the connection goes on.
#[derive(Clone, Debug)]
pub struct Scene {
    /// Each with the wait before it.
    pub writes: Vec<(Duration, Vec<u8>)>,
    /// What comes after them.
    pub end: SceneEnd,
}

/// How a scene ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SceneEnd {
    /// The connection serves the next request.
    Reuse,
    /// The connection is closed (FIN).
    Close,
    /// The connection is reset (RST).
    Reset,
    /// Nothing comes until the client goes away.
    Hang,
}

/// A function from a request to what it meets.
#[derive(Clone)]
pub struct Director(Arc<dyn Fn(&Received) -> Scene + Send + Sync>);

// === impl Director ===

impl Director {
    /// Asked once for each request, on the connection's own task.
    pub fn new(direct: impl Fn(&Received) -> Scene + Send + Sync + 'static) -> Self {
        Self(Arc::new(direct))
    }

    pub(crate) fn scene(&self, request: &Received) -> Scene {
        (self.0)(request)
    }
}

impl Debug for Director {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("Director")
    }
}

/// Plays it; an error is the client's going away.
pub(crate) async fn play(out: &mut (impl AsyncWrite + Unpin), scene: Scene) -> io::Result<Then> {
    for (wait, bytes) in scene.writes {
        if !wait.is_zero() {
            sleep(wait).await;
        }
        out.write_all(&bytes).await?;
    }
    match scene.end {
        SceneEnd::Reuse => Ok(Then::Reuse),
        SceneEnd::Close => Ok(Then::Close),
        SceneEnd::Reset => Ok(Then::Reset),
        SceneEnd::Hang => std::future::pending().await,
    }
}
