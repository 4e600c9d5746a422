//! Pooled connections per provider and key, kept across snapshots for as long as some snapshot uses them.

use std::collections::HashMap;
use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use fkm_snapshot::{Addresses, FailureClass, Http2, Millis, Network};
use http::header::PROXY_AUTHORIZATION;
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::address::Forbidden;
use super::body::{RequestBody, Segments, UploadFault};
use super::connector::{Connector, describe};
use super::dialer::{Destination, Dialer, InvalidDestination, Surroundings};
use super::material::Material;
use super::proxy::Proxy;
use super::stream::Reuse;

/// How the sidecar names itself.
pub(crate) const OUR_AGENT: HeaderValue =
    HeaderValue::from_static(concat!("fkm-sidecar/", env!("CARGO_PKG_VERSION")));

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
#[derive(Clone, Debug)]
pub(crate) struct HttpClient {
    client: Client<Connector, RequestBody>,
    /// The proxy that takes whole URLs, if there is one: it sees each request, and wants to know who sends it.
    forwarder: Option<Arc<Proxy>>,
}

/// A pool, and how its connections are opened.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    pub(crate) client: HttpClient,
    connector: Connector,
    encrypted: bool,
}

/// What makes two pools the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PoolKey {
    base_url: String,
    reach: Addresses,
    network: Network,
    connect: Millis,
    /// The key's place (`namespace/secret/key`), never its value; empty where none is sent.
    credential: String,
    /// Another one when a value of [`Material`] is another one: a rotation closes the old pool.
    material: u64,
}

/// All pools of the process.
#[derive(Debug)]
pub(crate) struct Clients {
    around: Surroundings,
    pools: Mutex<HashMap<PoolKey, Pool>>,
    /// Of this process alone: what it makes of a password says nothing about it.
    hasher: RandomState,
}

/// No answer came.
#[derive(Debug)]
pub(crate) struct SendError {
    pub(crate) class: FailureClass,
    /// For a person: the whole chain of causes. Holds addresses and names, never keys.
    pub(crate) message: String,
    /// The address rule refused what was to be dialled.
    pub(crate) is_forbidden: bool,
}

// === impl Clients ===

impl Clients {
    pub(crate) fn new(around: Surroundings) -> Self {
        Self {
            around,
            pools: Mutex::default(),
            hasher: RandomState::new(),
        }
    }

    /// What tells the pool apart that goes `to` there with a credential and this material.
    pub(crate) fn key(
        &self,
        to: Destination<'_>,
        connect: Millis,
        credential: &str,
        material: &Material,
    ) -> PoolKey {
        PoolKey {
            base_url: to.base_url.to_owned(),
            reach: to.reach,
            network: to.network.clone(),
            connect,
            credential: credential.to_owned(),
            material: self.hasher.hash_one(material),
        }
    }

    /// The pool for `key`, opened when it does not exist yet. Known to others only after [`Clients::keep`].
    pub(crate) fn get(
        &self,
        key: &PoolKey,
        material: &Material,
    ) -> Result<Pool, InvalidDestination> {
        if let Some(pool) = self.pools.lock().get(key) {
            return Ok(pool.clone());
        }
        let to = Destination {
            base_url: &key.base_url,
            reach: key.reach,
            network: &key.network,
        };
        let dialer = Dialer::try_new(to, material, &self.around)?;
        let forwarder = dialer.forwarder().cloned();
        let connector = Connector::new(dialer, key.connect.into());
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE)
            .http2_only(key.network.http2 == Http2::PriorKnowledge)
            .http2_keep_alive_interval(H2_PING_INTERVAL)
            .http2_keep_alive_timeout(H2_PING_TIMEOUT)
            .build(connector.clone());
        Ok(Pool {
            client: HttpClient { client, forwarder },
            connector,
            encrypted: key.base_url.starts_with("https:"),
        })
    }

    /// What every connection of the process has in common.
    pub(crate) fn around(&self) -> &Surroundings {
        &self.around
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
        self.encrypted.then(|| self.connector.preconnect())
    }
}

// === impl HttpClient ===

impl HttpClient {
    /// For one request, after which nothing is kept.
    pub(crate) fn for_one(
        to: Destination<'_>,
        connect: Duration,
        around: &Surroundings,
    ) -> Result<Self, InvalidDestination> {
        let dialer = Dialer::try_new(to, &Material::default(), around)?;
        let forwarder = dialer.forwarder().cloned();
        let client = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(0)
            .build(Connector::new(dialer, connect));
        Ok(Self { client, forwarder })
    }

    async fn request(
        &self,
        mut request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, Error> {
        let forwarder = self.forwarder.as_ref();
        if let Some(authorization) = forwarder.and_then(|proxy| proxy.authorization.as_ref()) {
            let headers = request.headers_mut();
            headers.insert(PROXY_AUTHORIZATION, authorization.clone());
        }
        self.client.request(request).await
    }

    /// The proxy's own refusal, which is not an answer of the provider.
    fn refusal(&self, response: &Response<Incoming>) -> Option<SendError> {
        let proxy = self.forwarder.as_ref()?;
        let refused = response.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED;
        refused.then(|| SendError {
            class: FailureClass::ConnectFailure,
            message: proxy.denied().to_string(),
            is_forbidden: false,
        })
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
        match client.request(request().map(RequestBody::Segments)).await {
            Ok(response) => {
                if let Some(reuse) = response.extensions().get::<Reuse>() {
                    reuse.mark();
                }
                return client.refusal(&response).map_or(Ok(response), Err);
            }
            Err(error) if left > 0 && sent.elapsed() < STALE_WITHIN && is_stale(&error) => {
                left -= 1;
            }
            Err(error) => return Err(SendError::from(error)),
        }
    }
}

/// Why a request that is sent once got no answer.
#[derive(Debug)]
pub(crate) enum NotSent {
    /// The provider's side.
    Failed(SendError),
    /// What the client sends did not come, or not all of it.
    Upload(UploadFault),
}

/// Sends a request whose body cannot be had again, and waits for the head of the answer.
pub(crate) async fn send_once(
    client: &HttpClient,
    request: Request<RequestBody>,
) -> Result<Response<Incoming>, NotSent> {
    match client.request(request).await {
        Ok(response) => {
            if let Some(reuse) = response.extensions().get::<Reuse>() {
                reuse.mark();
            }
            let refusal = client.refusal(&response);
            refusal.map_or(Ok(response), |error| Err(NotSent::Failed(error)))
        }
        Err(error) => Err(match UploadFault::behind(&error) {
            Some(fault) => NotSent::Upload(fault),
            None => NotSent::Failed(error.into()),
        }),
    }
}

/// Whether the connection had already carried an exchange when it broke.
fn is_stale(error: &Error) -> bool {
    let mut extras = http::Extensions::new();
    if let Some(connected) = error.connect_info() {
        connected.get_extras(&mut extras);
    }
    extras.get::<Reuse>().is_some_and(Reuse::is_marked)
}

// === impl SendError ===

impl From<Error> for SendError {
    fn from(error: Error) -> Self {
        let class = match error.is_connect() {
            true => FailureClass::ConnectFailure,
            false => FailureClass::BrokenStream,
        };
        Self {
            class,
            message: describe(&error),
            is_forbidden: is_forbidden(&error),
        }
    }
}

/// Whether the address rule is among the causes.
fn is_forbidden(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(error) = next {
        // What an I/O error was made of is not its source.
        let inside = error.downcast_ref::<std::io::Error>();
        let inside = inside.and_then(std::io::Error::get_ref);
        let inside = inside.and_then(|inside| inside.downcast_ref::<Forbidden>());
        if error.is::<Forbidden>() || inside.is_some() {
            return true;
        }
        next = error.source();
    }
    false
}
