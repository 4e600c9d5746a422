//! The handle of a running upstream.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use thiserror::Error;
use tokio::time::timeout;

use crate::listener::Port;
use crate::state::State;
use crate::{Answer, Director, Received, Step, connection, control};

/// How an upstream is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where it listens; a loopback address. Default: a free port of 127.0.0.1.
    pub listen: SocketAddr,
    /// Where it takes orders over HTTP (`/__requests` and its like), for tests in other languages. Default: nowhere.
    pub control: Option<SocketAddr>,
    /// A connection that is idle for so long is closed. Default: never.
    pub idle_close: Option<Duration>,
    /// What is done when the script is at its end. Default: an answer.
    pub default: Step,
    /// Decides instead of the script and of `default`; then no request is recorded. Default: nobody.
    pub director: Option<Director>,
}

/// A running upstream. Dropping it ends everything.
#[derive(Debug)]
pub struct Upstream {
    provider: Arc<Provider>,
    control: Option<Port>,
}

/// Its port and what is behind it.
#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) state: Arc<State>,
    port: Port,
    idle_close: Option<Duration>,
    connections: Arc<AtomicUsize>,
}

/// What was waited for did not come about in time.
#[derive(Clone, Debug, Error)]
#[error("not reached within {within:?}; {} requests so far: {requests:#?}", requests.len())]
pub struct NotReached {
    /// The time that there was.
    pub within: Duration,
    /// What had come in.
    pub requests: Vec<Received>,
}

// === impl Upstream ===

impl Upstream {
    /// Starts on a free port of 127.0.0.1. Fails where there is none.
    pub async fn start() -> io::Result<Self> {
        Self::start_with(Options::default()).await
    }

    /// Starts as told. Fails where the address is in use or not on loopback.
    #[expect(
        clippy::unused_async,
        reason = "sockets and tasks need the runtime that an async caller has"
    )]
    pub async fn start_with(options: Options) -> io::Result<Self> {
        let provider = Arc::new(Provider {
            state: Arc::new(State::new(options.default, options.director)),
            port: Port::reserve(options.listen)?,
            idle_close: options.idle_close,
            connections: Arc::default(),
        });
        provider.open()?;
        let control = match options.control {
            None => None,
            Some(address) => {
                let port = Port::reserve(address)?;
                let provider = Arc::clone(&provider);
                port.open(move |socket| control::serve(socket, Arc::clone(&provider)))?;
                Some(port)
            }
        };
        Ok(Self { provider, control })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.provider.port.address()
    }

    /// `http://ADDRESS/v1`: the paths `/chat/completions`, `/messages` and `/models` are below it.
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address())
    }

    /// Where it takes orders, if it does: `http://ADDRESS`.
    pub fn control_url(&self) -> Option<String> {
        Some(format!("http://{}", self.control.as_ref()?.address()))
    }

    /// Sets the steps of the next POSTs, instead of those that are left.
    pub fn script(&self, steps: Vec<Step>) {
        self.provider.state.set_script(steps);
    }

    /// Sets what is done when the script is at its end.
    pub fn set_default(&self, step: Step) {
        self.provider.state.set_default(step);
    }

    /// How many steps no request has taken yet.
    pub fn unused_steps(&self) -> usize {
        self.provider.state.unused_steps()
    }

    /// Every request since the start or the last reset, in the order of arrival.
    pub fn requests(&self) -> Vec<Received> {
        self.provider.state.requests()
    }

    /// Forgets script and requests.
    pub fn reset(&self) {
        self.provider.state.reset();
    }

    /// Waits until the requests are as wanted, and returns them.
    pub async fn wait_until(
        &self,
        within: Duration,
        mut wanted: impl FnMut(&[Received]) -> bool,
    ) -> Result<Vec<Received>, NotReached> {
        let mut changes = self.provider.state.changes();
        let reached = async {
            loop {
                let requests = self.requests();
                if wanted(&requests) {
                    return requests;
                }
                // The sender is in the state that we hold.
                let _ = changes.changed().await;
            }
        };
        timeout(within, reached).await.map_err(|_| NotReached {
            within,
            requests: self.requests(),
        })
    }

    /// Ends every connection and refuses new ones; the port stays reserved. Both is so when this returns.
    pub async fn refuse(&self) {
        self.provider.refuse().await;
    }

    /// Accepts connections again, on the same port.
    pub fn reopen(&self) -> io::Result<()> {
        self.provider.open()
    }
}

// === impl Provider ===

impl Provider {
    pub(crate) fn open(&self) -> io::Result<()> {
        let state = Arc::clone(&self.state);
        let idle_close = self.idle_close;
        let connections = Arc::clone(&self.connections);
        self.port.open(move |socket| {
            let number = connections.fetch_add(1, Ordering::Relaxed);
            connection::serve(socket, number, Arc::clone(&state), idle_close)
        })
    }

    pub(crate) async fn refuse(&self) {
        self.port.close().await;
    }
}

// === impl Options ===

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            control: None,
            idle_close: None,
            default: Step::Answer(Answer::default()),
            director: None,
        }
    }
}
