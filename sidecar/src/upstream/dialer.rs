//! Opens connections to one provider: straight, through a proxy, or over a Unix socket; and TLS at the end.
//!
//! *Guarantees*: every address that is dialled, literal or resolved, has passed [`address::check`] for that very
//! connection, the provider's and a proxy's alike; what a proxy is asked for has passed [`address::check_unresolved`].
//! What is dialled for a provider comes from the pool alone, never from the URL of a request.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use fkm_snapshot::{Addresses, Http2, Network, Proxy as Wanted};
use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use thiserror::Error;
use tokio::net::UnixStream;
use tower::{Service, ServiceExt};
use url::{Host, Url};

use super::address::{self, Forbidden};
use super::material::Material;
use super::proxy::{Proxy, ProxyError};
use super::stream::{Io, Stream};
use super::tls::{InvalidTls, Roots, Secured};
use crate::network::{NetworkSettings, Resolver};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Where connections lead.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Destination<'a> {
    pub(crate) base_url: &'a str,
    pub(crate) reach: Addresses,
    pub(crate) network: &'a Network,
}

/// What every dialer of the process has in common.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings {
    pub(crate) settings: NetworkSettings,
    pub(crate) roots: Roots,
    /// The sidecar's listeners, which no provider may be.
    pub(crate) own_ports: Arc<[u16]>,
}

/// How connections to one provider are opened.
#[derive(Debug)]
pub(crate) struct Dialer {
    entry: Entry,
    /// With the provider.
    tls: Option<Secured>,
}

/// What is dialled.
#[derive(Debug)]
enum Entry {
    Straight(Door),
    Socket(PathBuf),
    Detour(Detour),
}

/// A proxy, and what it is asked for.
#[derive(Debug)]
struct Detour {
    proxy: Arc<Proxy>,
    door: Door,
    /// With the proxy.
    tls: Option<Secured>,
    /// By CONNECT; else the proxy takes whole URLs.
    tunnel: bool,
    /// Of the provider.
    host: Host,
    port: u16,
    rule: AddressRule,
}

/// A host to which TCP connections are opened.
#[derive(Clone, Debug)]
struct Door {
    uri: Uri,
    host: Host,
    rule: AddressRule,
    tcp: HttpConnector<GuardedResolver>,
}

/// Which addresses may be dialled.
#[derive(Clone, Debug)]
struct AddressRule {
    reach: Addresses,
    /// A resolver is asked for a name alone.
    port: u16,
    own_ports: Arc<[u16]>,
}

/// Resolves names and keeps only the addresses that the rule allows.
#[derive(Clone, Debug)]
struct GuardedResolver {
    resolver: Resolver,
    rule: AddressRule,
}

/// A destination that cannot be dialled.
#[derive(Debug, Error)]
pub(crate) enum InvalidDestination {
    #[error("it is not an absolute http or https URL")]
    Url,
    #[error("it is not the URL of an HTTP proxy")]
    Proxy,
    #[error(transparent)]
    Tls(#[from] InvalidTls),
}

// === impl InvalidDestination ===

impl InvalidDestination {
    /// The field of the connection that is wrong.
    pub(crate) fn field(&self) -> String {
        match self {
            Self::Url => "baseUrl".to_owned(),
            Self::Proxy => "network.proxy.through.url".to_owned(),
            Self::Tls(error) => format!("network.tls.{}", error.field()),
        }
    }
}

// === impl Dialer ===

impl Dialer {
    pub(crate) fn try_new(
        to: Destination<'_>,
        material: &Material,
        around: &Surroundings,
    ) -> Result<Self, InvalidDestination> {
        let url = Url::parse(to.base_url).map_err(|_| InvalidDestination::Url)?;
        let (host, port) = host_and_port(&url).ok_or(InvalidDestination::Url)?;
        let tls = match url.scheme() {
            "https" => Some(Secured::provider(
                &around.roots,
                &to.network.tls,
                material.identity.as_ref(),
                &host,
            )?),
            _ => None,
        };
        let rule = around.rule(to.reach, port);
        let entry = if to.network.socket.is_empty() {
            match proxy(&url, to, material, around)? {
                None => Entry::Straight(Door::new(&url, host, rule, around)?),
                Some(proxy) => {
                    let plain = tls.is_none()
                        && to.network.host_header.is_empty()
                        && to.network.http2 == Http2::Negotiated;
                    let ca_pem = &to.network.tls.ca_pem;
                    let (door, tls) = door_of(&proxy, ca_pem, around)?;
                    Entry::Detour(Detour {
                        proxy: Arc::new(proxy),
                        door,
                        tls,
                        tunnel: !plain,
                        host,
                        port,
                        rule,
                    })
                }
            }
        } else {
            Entry::Socket(PathBuf::from(&to.network.socket))
        };
        Ok(Self { entry, tls })
    }

    /// The proxy that takes whole URLs, if connections go through one.
    pub(crate) fn forwarder(&self) -> Option<&Arc<Proxy>> {
        match &self.entry {
            Entry::Detour(detour) if !detour.tunnel => Some(&detour.proxy),
            _ => None,
        }
    }

    /// For a person who wonders why nothing answers: what is dialled, if that is not the provider.
    pub(crate) fn detour(&self) -> String {
        match &self.entry {
            Entry::Detour(detour) => format!(" through proxy {}", detour.proxy),
            Entry::Straight(_) | Entry::Socket(_) => String::new(),
        }
    }

    /// Opens a connection.
    pub(crate) async fn open(&self) -> Result<Stream, BoxError> {
        let io = match &self.entry {
            Entry::Straight(door) => door.open().await?,
            Entry::Socket(path) => match UnixStream::connect(path).await {
                Ok(socket) => Box::new(socket) as Box<dyn Io>,
                Err(error) => {
                    let message =
                        format!("cannot connect to the socket {}: {error}", path.display());
                    return Err(io::Error::new(error.kind(), message).into());
                }
            },
            Entry::Detour(detour) => detour.open().await?,
        };
        let mut stream = match &self.tls {
            None => Stream::new(io),
            Some(tls) => {
                let (io, http2) = tls.handshake(io).await?;
                let mut stream = Stream::new(io);
                stream.http2 = http2;
                stream
            }
        };
        stream.forwarded = self.forwarder().is_some();
        Ok(stream)
    }
}

fn proxy(
    url: &Url,
    to: Destination<'_>,
    material: &Material,
    around: &Surroundings,
) -> Result<Option<Proxy>, InvalidDestination> {
    match &to.network.proxy {
        Wanted::Direct => Ok(None),
        Wanted::Environment => {
            let found = around.settings.proxies.for_url(url);
            Ok(found.as_ref().map(Proxy::of_environment))
        }
        Wanted::Through(server) => {
            let proxy = Proxy::of_pool(server, material.proxy.as_ref(), to.reach);
            proxy.map(Some).ok_or(InvalidDestination::Proxy)
        }
    }
}

fn door_of(
    proxy: &Proxy,
    ca_pem: &str,
    around: &Surroundings,
) -> Result<(Door, Option<Secured>), InvalidDestination> {
    let url = Url::parse(&proxy.uri.to_string()).map_err(|_| InvalidDestination::Proxy)?;
    let (host, port) = host_and_port(&url).ok_or(InvalidDestination::Proxy)?;
    let tls = match url.scheme() {
        "https" => Some(Secured::proxy(&around.roots, ca_pem, &host)?),
        _ => None,
    };
    let rule = around.rule(proxy.reach, port);
    Ok((Door::new(&url, host, rule, around)?, tls))
}

fn host_and_port(url: &Url) -> Option<(Host, u16)> {
    let is_http = matches!(url.scheme(), "http" | "https");
    let host = url.host().filter(|_| is_http)?.to_owned();
    Some((host, url.port_or_known_default()?))
}

// === impl Surroundings ===

impl Surroundings {
    fn rule(&self, reach: Addresses, port: u16) -> AddressRule {
        AddressRule {
            reach,
            port,
            own_ports: self.own_ports.clone(),
        }
    }
}

// === impl Detour ===

impl Detour {
    async fn open(&self) -> Result<Box<dyn Io>, BoxError> {
        let AddressRule {
            reach, own_ports, ..
        } = &self.rule;
        address::check_unresolved(&self.host, self.port, *reach, own_ports)?;
        let unreachable = |source| ProxyError::Unreachable {
            proxy: self.proxy.to_string(),
            source,
        };
        let io = self.door.open().await.map_err(unreachable)?;
        let io = match &self.tls {
            None => io,
            Some(tls) => {
                let (io, _) = tls
                    .handshake(io)
                    .await
                    .map_err(|error| unreachable(error.into()))?;
                io
            }
        };
        if !self.tunnel {
            return Ok(io);
        }
        let target = format!("{}:{}", self.host, self.port);
        Ok(self.proxy.tunnel(io, &target).await?)
    }
}

// === impl Door ===

impl Door {
    fn new(
        url: &Url,
        host: Host,
        rule: AddressRule,
        around: &Surroundings,
    ) -> Result<Self, InvalidDestination> {
        let resolver = around.settings.resolver.clone();
        let mut tcp = HttpConnector::new_with_resolver(GuardedResolver {
            resolver,
            rule: rule.clone(),
        });
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        // A peer that vanished without a word is noticed, idle or with a request under way.
        tcp.set_keepalive(Some(Duration::from_secs(30)));
        tcp.set_keepalive_interval(Some(Duration::from_secs(10)));
        tcp.set_keepalive_retries(Some(3));
        tcp.set_tcp_user_timeout(Some(Duration::from_secs(30)));
        // The URL's spelling is the one that the check understood.
        let origin = url.origin().ascii_serialization();
        Ok(Self {
            uri: origin.parse().map_err(|_| InvalidDestination::Url)?,
            host,
            rule,
            tcp,
        })
    }

    async fn open(&self) -> Result<Box<dyn Io>, BoxError> {
        // The TCP connector dials a literal address without asking its resolver.
        match self.host {
            Host::Ipv4(ip) => self.rule.check((ip, self.rule.port).into())?,
            Host::Ipv6(ip) => self.rule.check((ip, self.rule.port).into())?,
            Host::Domain(_) => {}
        }
        let stream = self.tcp.clone().oneshot(self.uri.clone()).await?;
        Ok(Box::new(stream.into_inner()))
    }
}

// === impl AddressRule ===

impl AddressRule {
    fn check(&self, address: SocketAddr) -> Result<(), Forbidden> {
        address::check(address, self.reach, &self.own_ports)
    }
}

// === impl GuardedResolver ===

impl Service<Name> for GuardedResolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = std::pin::Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let Self { resolver, rule } = self.clone();
        Box::pin(async move {
            let mut refused = None;
            let mut allowed = Vec::new();
            for ip in resolver.resolve(name.as_str()).await? {
                match rule.check(SocketAddr::new(ip, rule.port)) {
                    Ok(()) => allowed.push(SocketAddr::new(ip, 0)),
                    Err(forbidden) => refused = Some(forbidden),
                }
            }
            match refused {
                Some(forbidden) if allowed.is_empty() => Err(io::Error::other(forbidden)),
                _ if allowed.is_empty() => {
                    let message = "the name has no address";
                    Err(io::Error::new(io::ErrorKind::NotFound, message))
                }
                _ => Ok(allowed.into_iter()),
            }
        })
    }
}
