//! An HTTP proxy on the way to a provider, and the tunnel through it.

use std::fmt;
use std::pin::pin;
use std::task::Poll;

use bytes::Bytes;
use fkm_snapshot::{Addresses, ProxyServer};
use http::header::{HOST, PROXY_AUTHORIZATION};
use http::{HeaderValue, Method, Request, StatusCode, Uri};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::client::proxy::matcher::Intercept;
use hyper_util::rt::TokioIo;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::ExposeSecret;
use thiserror::Error;

use super::material::BasicCredentials;
use super::stream::Io;
use crate::network::intercept;

/// A proxy. Prints as its URL, without credentials.
#[derive(Clone, Debug)]
pub(crate) struct Proxy {
    pub(crate) uri: Uri,
    /// Marked sensitive.
    pub(crate) authorization: Option<HeaderValue>,
    /// Where it may be.
    pub(crate) reach: Addresses,
}

/// Why there is no connection through a proxy. Names the proxy, never its credentials.
#[derive(Debug, Error)]
pub(crate) enum ProxyError {
    #[error("proxy {proxy} cannot be reached")]
    Unreachable {
        proxy: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("proxy {proxy} wants credentials (status 407); give it some")]
    Unknown { proxy: String },
    #[error("proxy {proxy} does not take its credentials (status 407)")]
    Denied { proxy: String },
    #[error("proxy {proxy} did not connect to {target}: status {status}")]
    Refused {
        proxy: String,
        target: String,
        status: StatusCode,
    },
    #[error("proxy {proxy} did not answer CONNECT as a proxy does")]
    Broken {
        proxy: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

// === impl Proxy ===

impl Proxy {
    /// The one that a pool names; `None`: its URL is not that of an HTTP proxy.
    pub(crate) fn of_pool(
        server: &ProxyServer,
        credentials: Option<&BasicCredentials>,
        reach: Addresses,
    ) -> Option<Self> {
        let escaped = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let url = match (credentials, server.url.split_once("://")) {
            (Some(credentials), Some((scheme, rest))) => format!(
                "{scheme}://{}:{}@{rest}",
                escaped(credentials.username.expose_secret()),
                escaped(credentials.password.expose_secret())
            ),
            _ => server.url.clone(),
        };
        Some(Self::new(&intercept(&url)?, reach))
    }

    /// The one that the environment names. Whoever writes that may also mean one inside the pod.
    pub(crate) fn of_environment(found: &Intercept) -> Self {
        Self::new(found, Addresses::Local)
    }

    fn new(found: &Intercept, reach: Addresses) -> Self {
        Self {
            uri: found.uri().clone(),
            authorization: found.basic_auth().cloned(),
            reach,
        }
    }

    /// That it answered 407.
    pub(crate) fn denied(&self) -> ProxyError {
        let proxy = self.to_string();
        match self.authorization {
            Some(_) => ProxyError::Denied { proxy },
            None => ProxyError::Unknown { proxy },
        }
    }

    /// Opens a tunnel to `target` (`host:port`) over a connection to the proxy.
    pub(crate) async fn tunnel(
        &self,
        io: Box<dyn Io>,
        target: &str,
    ) -> Result<Box<dyn Io>, ProxyError> {
        let broken = |error: hyper::Error| ProxyError::Broken {
            proxy: self.to_string(),
            source: error.into(),
        };
        let handshake = http1::handshake::<_, Empty<Bytes>>(TokioIo::new(io));
        let (mut sender, mut connection) = handshake.await.map_err(broken)?;
        let mut sent = pin!(sender.send_request(self.connect_request(target)));
        let mut ended = false;
        // The connection does the work of the request; it ends where the tunnel begins.
        let answer = std::future::poll_fn(|cx| {
            ended = ended || connection.poll_without_shutdown(cx).is_ready();
            sent.as_mut().poll(cx)
        });
        let status = answer.await.map_err(broken)?.status();
        if status == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
            return Err(self.denied());
        }
        if !status.is_success() {
            return Err(ProxyError::Refused {
                proxy: self.to_string(),
                target: target.to_owned(),
                status,
            });
        }
        std::future::poll_fn(|cx| match ended {
            true => Poll::Ready(Ok(())),
            false => connection.poll_without_shutdown(cx),
        })
        .await
        .map_err(broken)?;
        let parts = connection.into_parts();
        if parts.read_buf.is_empty() {
            return Ok(parts.io.into_inner());
        }
        Err(ProxyError::Broken {
            proxy: self.to_string(),
            source: "it sent bytes before anything was asked through the tunnel".into(),
        })
    }

    fn connect_request(&self, target: &str) -> Request<Empty<Bytes>> {
        let mut request = Request::new(Empty::new());
        *request.method_mut() = Method::CONNECT;
        *request.uri_mut() = target.parse().expect("host and port of a URL");
        let host = HeaderValue::try_from(target).expect("host and port of a URL");
        request.headers_mut().insert(HOST, host);
        if let Some(authorization) = &self.authorization {
            let headers = request.headers_mut();
            headers.insert(PROXY_AUTHORIZATION, authorization.clone());
        }
        request
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.uri.to_string().trim_end_matches('/'))
    }
}
