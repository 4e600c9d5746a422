//! Pooled connections per provider and key, kept across snapshots for as long as some snapshot uses them.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use fkm_snapshot::{FailureClass, HttpConnection, Millis};
use http::uri::Scheme;
use http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use parking_lot::Mutex;
use tokio::time::Instant;
use url::Url;

use super::body::Segments;
use super::connector::{AddressRule, ConnectTimeout, Connector, Reuse};
use super::tls::{self, InvalidBundle};

/// Connections that nobody used for so long are closed. Below the idle time-outs of common servers (60 s and more), so
/// that a request seldom meets a connection that the provider is closing.
const POOL_IDLE: Duration = Duration::from_secs(50);

/// A dead socket fails at once; an error that takes longer is the provider's.
const STALE_WITHIN: Duration = Duration::from_secs(1);

/// After a provider's restart more than one pooled connection is dead.
const STALE_RESENDS: u32 = 3;

/// How often an idle HTTP/2 connection is asked whether it lives, and how long it may think.
const H2_PING_INTERVAL: Duration = Duration::from_secs(20);
const H2_PING_TIMEOUT: Duration = Duration::from_secs(10);

/// A pool of connections to one provider with one key.
pub(crate) type HttpClient = Client<Connector, Segments>;

/// A pool, and how its connections are opened.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    pub(crate) client: HttpClient,
    connector: Connector,
    base_url: String,
}

/// What makes two pools the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PoolKey {
    origin: String,
    ca_pem: String,
    local: bool,
    connect: Millis,
    /// The key's place (`namespace/secret/key`), never its value; empty where none is sent.
    credential: String,
}

/// All pools of the process.
#[derive(Debug)]
pub(crate) struct Clients {
    own_ports: Arc<[u16]>,
    pools: Mutex<HashMap<PoolKey, Pool>>,
}

/// No answer came.
#[derive(Debug)]
pub(crate) struct SendError {
    pub(crate) class: FailureClass,
    /// For a person: the whole chain of causes. Holds addresses and names, never keys.
    pub(crate) message: String,
}

// === impl PoolKey ===

impl PoolKey {
    pub(crate) fn new(http: &HttpConnection, connect: Millis, credential: &str) -> Self {
        Self {
            origin: http.base_url.clone(),
            ca_pem: http.ca_pem.clone(),
            local: http.locality == fkm_snapshot::Locality::Local,
            connect,
            credential: credential.to_owned(),
        }
    }
}

// === impl Clients ===

impl Clients {
    /// `own_ports`: the sidecar's listeners, which no provider may be.
    pub(crate) fn new(own_ports: Arc<[u16]>) -> Self {
        let pools = Mutex::default();
        Self { own_ports, pools }
    }

    /// The pool for `key`, opened when it does not exist yet. Known to others only after [`Clients::keep`].
    pub(crate) fn get(&self, key: &PoolKey, http: &HttpConnection) -> Result<Pool, InvalidBundle> {
        if let Some(pool) = self.pools.lock().get(key) {
            return Ok(pool.clone());
        }
        let port = Url::parse(&http.base_url)
            .ok()
            .and_then(|url| url.port_or_known_default());
        let rule = AddressRule {
            locality: http.locality,
            port: port.unwrap_or_default(),
            own_ports: self.own_ports.clone(),
        };
        let connector = Connector::new(tls::client_config(&http.ca_pem)?, rule, key.connect.into());
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE)
            .http2_keep_alive_interval(H2_PING_INTERVAL)
            .http2_keep_alive_timeout(H2_PING_TIMEOUT)
            .build(connector.clone());
        Ok(Pool {
            client,
            connector,
            base_url: http.base_url.clone(),
        })
    }

    /// Keeps exactly these pools; exchanges that still hold another one finish on it. Gives those that are new.
    pub(crate) fn keep(&self, used: HashMap<PoolKey, Pool>) -> Vec<Pool> {
        let mut pools = self.pools.lock();
        let new = used.iter().filter(|(key, _)| !pools.contains_key(key));
        let new = new.map(|(_, pool)| pool.clone()).collect();
        *pools = used;
        new
    }
}

// === impl Pool ===

impl Pool {
    /// What opens a connection ahead, where that saves a TLS handshake.
    pub(crate) fn preconnect(self) -> Option<impl Future<Output = ()> + Send + 'static> {
        let uri: Uri = self.base_url.parse().ok()?;
        let encrypted = uri.scheme() == Some(&Scheme::HTTPS);
        encrypted.then(|| self.connector.preconnect(uri))
    }
}

/// Sends a request and waits for the head of the answer.
///
/// A pooled connection that turns out to be dead is the pool's fault, not the provider's: the request is sent again, on
/// another connection, and nobody counts it. Only at once: what breaks later may have been worked on.
pub(crate) async fn send(
    client: &HttpClient,
    request: impl Fn() -> Request<Segments>,
) -> Result<Response<Incoming>, SendError> {
    let mut left = STALE_RESENDS;
    loop {
        let sent = Instant::now();
        match client.request(request()).await {
            Ok(response) => {
                if let Some(reuse) = response.extensions().get::<Reuse>() {
                    reuse.mark();
                }
                return Ok(response);
            }
            Err(error) if left > 0 && sent.elapsed() < STALE_WITHIN && is_stale(&error) => {
                left -= 1;
            }
            Err(error) => return Err(SendError::from(error)),
        }
    }
}

/// Whether the connection had already carried an exchange when it broke.
fn is_stale(error: &hyper_util::client::legacy::Error) -> bool {
    let mut extras = http::Extensions::new();
    if let Some(connected) = error.connect_info() {
        connected.get_extras(&mut extras);
    }
    extras.get::<Reuse>().is_some_and(Reuse::is_marked)
}

// === impl SendError ===

impl From<hyper_util::client::legacy::Error> for SendError {
    fn from(error: hyper_util::client::legacy::Error) -> Self {
        let class = match error.is_connect() {
            true => FailureClass::ConnectFailure,
            false => FailureClass::BrokenStream,
        };
        Self {
            class,
            message: describe(&error),
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
