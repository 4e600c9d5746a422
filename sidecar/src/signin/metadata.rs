//! The servers beside a pod that know who it is: instance metadata and the agents of container platforms.
//!
//! They listen where no provider may be, so they are reached by a client of their own: without encryption, without a proxy,
//! at exactly these addresses, and only for a credential that needs them.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, Request, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tower::Service;

use super::endpoint::{Reply, server};
use super::error::SignInError;
use crate::upstream::body::Segments;
use crate::upstream::connector::describe;

/// They are near.
const CONNECT: Duration = Duration::from_secs(2);

/// AWS: instance metadata, ECS, EKS Pod Identity; Google Cloud.
const SERVERS: [IpAddr; 6] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
];

/// Reaches these servers and no others.
#[derive(Clone, Debug)]
pub(crate) struct Metadata {
    client: Client<HttpConnector<Guarded>, Segments>,
}

/// Resolves names to these servers alone.
#[derive(Clone, Debug)]
struct Guarded;

// === impl Metadata ===

impl Metadata {
    pub(crate) fn new() -> Self {
        let mut tcp = HttpConnector::new_with_resolver(Guarded);
        tcp.set_connect_timeout(Some(CONNECT));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_max_idle_per_host(1)
            .build(tcp);
        Self { client }
    }

    /// Asks `uri` with these headers and no body.
    pub(crate) async fn ask(
        &self,
        method: Method,
        uri: &str,
        headers: &[(HeaderName, HeaderValue)],
    ) -> Result<Reply, SignInError> {
        let forbidden = |why| SignInError::Forbidden(uri.to_owned(), why);
        let uri: Uri = uri.parse().map_err(|_| forbidden("it is no URL"))?;
        let server = server(&uri);
        let forbidden = |why| SignInError::Forbidden(server.clone(), why);
        if uri.scheme_str() != Some("http") {
            return Err(forbidden("it must begin with http://"));
        }
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        if host.parse().is_ok_and(|ip| !is_one_of_them(ip)) {
            return Err(forbidden(NONE_OF_THEM));
        }
        let mut request = Request::new(Segments::default());
        *request.method_mut() = method;
        *request.uri_mut() = uri.clone();
        for (name, value) in headers {
            request.headers_mut().insert(name.clone(), value.clone());
        }
        let response = self
            .client
            .request(request)
            .await
            .map_err(|error| SignInError::Unreached(server.clone(), describe(&error)))?;
        Reply::read(server, response).await
    }
}

const NONE_OF_THEM: &str =
    "it is none of the metadata servers of AWS and Google Cloud, nor loopback";

fn is_one_of_them(ip: IpAddr) -> bool {
    ip.is_loopback() || SERVERS.contains(&ip)
}

// === impl Guarded ===

impl Service<Name> for Guarded {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed: Vec<_> = found.filter(|at| is_one_of_them(at.ip())).collect();
            match allowed.is_empty() {
                true => Err(io::Error::other(NONE_OF_THEM)),
                false => Ok(allowed.into_iter()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nothing_else_is_asked() {
        let metadata = Metadata::new();
        for uri in [
            "http://10.0.0.1/latest",
            "http://169.254.0.1/",
            "http://[fe80::1]/",
            "http://[::ffff:8.8.8.8]/",
            "https://169.254.169.254/",
            "not a URL",
        ] {
            let asked = metadata.ask(Method::GET, uri, &[]).await;
            assert!(
                matches!(asked, Err(SignInError::Forbidden(..))),
                "{uri}: {asked:?}"
            );
        }
        for ip in [
            "169.254.169.254",
            "169.254.170.23",
            "127.0.0.1",
            "fd00:ec2::254",
        ] {
            assert!(is_one_of_them(ip.parse().unwrap()), "{ip}");
        }
    }
}
