//! Pooled connections per provider and key, kept across snapshots for as long as some snapshot uses them.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use fkm_snapshot::{FailureClass, HttpConnection, Millis};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::capture_connection;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use parking_lot::Mutex;

use super::body::Segments;
use super::connector::{AddressRule, ConnectTimeout, Connector, Reuse};
use super::tls::{self, InvalidBundle};

/// Connections that nobody used for so long are closed. Below the idle time-outs of common servers (60 s and more), so
/// that a request seldom meets a connection that the provider is closing.
const POOL_IDLE: Duration = Duration::from_secs(50);

/// A pool of connections to one provider with one key.
pub(crate) type HttpClient = Client<Connector, Segments>;

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
    pools: Mutex<HashMap<PoolKey, HttpClient>>,
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

    /// The pool for `key`, opened when it does not exist yet.
    pub(crate) fn get(
        &self,
        key: &PoolKey,
        http: &HttpConnection,
    ) -> Result<HttpClient, InvalidBundle> {
        if let Some(client) = self.pools.lock().get(key) {
            return Ok(client.clone());
        }
        let rule = AddressRule {
            locality: http.locality,
            own_ports: self.own_ports.clone(),
        };
        let connector = Connector::new(tls::client_config(&http.ca_pem)?, rule, key.connect.into());
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE)
            .build(connector);
        self.pools.lock().insert(key.clone(), client.clone());
        Ok(client)
    }

    /// Forgets the pools that are not in `used`; exchanges that still hold one finish on it.
    pub(crate) fn retain(&self, used: &HashSet<PoolKey>) {
        self.pools.lock().retain(|key, _| used.contains(key));
    }
}

/// Sends a request and waits for the head of the answer.
///
/// A pooled connection that turns out to be dead is the pool's fault, not the provider's: the request is sent once more,
/// on another connection, and nobody counts it.
pub(crate) async fn send(
    client: &HttpClient,
    request: &Request<Segments>,
) -> Result<Response<Incoming>, SendError> {
    match try_send(client, request.clone()).await {
        Err((error, true)) if !error.is_connect() => try_send(client, request.clone()).await,
        first => first,
    }
    .map_err(|(error, _)| SendError::from(error))
}

/// The error comes with whether the connection had already carried an exchange.
async fn try_send(
    client: &HttpClient,
    mut request: Request<Segments>,
) -> Result<Response<Incoming>, (hyper_util::client::legacy::Error, bool)> {
    let captured = capture_connection(&mut request);
    match client.request(request).await {
        Ok(response) => {
            if let Some(reuse) = response.extensions().get::<Reuse>() {
                reuse.mark();
            }
            Ok(response)
        }
        Err(error) => {
            let mut extras = http::Extensions::new();
            if let Some(connected) = captured.connection_metadata().as_ref() {
                connected.get_extras(&mut extras);
            }
            let stale = extras.get::<Reuse>().is_some_and(Reuse::is_marked);
            Err((error, stale))
        }
    }
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
