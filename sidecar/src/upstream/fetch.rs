//! Fetches an image or a document whose address a client gave, under the rules of a pool.
//!
//! *Guarantees*: the host gets the address and nothing else of the client's, nor a key; every address that is dialled has
//! passed the address rule, that of a redirect anew; no more is read than the pool allows, compressed nothing; what comes
//! back is, by its bytes, of a kind that was asked for.
//!
//! *Caveats*: through a proxy of the environment it is the proxy that looks names up, and judges what it finds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fkm_snapshot::{HostPattern, MediaFetch, Medium, Network};
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, LOCATION, USER_AGENT,
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use thiserror::Error;
use url::Url;

use super::body::Segments;
use super::client::{self, HttpClient, OUR_AGENT};
use super::dialer::{Destination, Surroundings};
use crate::policy::sniff;
use crate::steps::accept::{BodyBudget, BodyGuard};

/// Hosts of media like to send on to where they keep them; more often than this is a loop.
const REDIRECTS: usize = 3;

const ACCEPTED_IMAGES: HeaderValue =
    HeaderValue::from_static("image/png, image/jpeg, image/gif, image/webp");
const ACCEPTED_DOCUMENTS: HeaderValue = HeaderValue::from_static("application/pdf, text/plain");

/// Fetches for one pool.
#[derive(Debug)]
pub(crate) struct Fetcher {
    pub(crate) rules: MediaFetch,
    hosts: Vec<HostPattern>,
    around: Surroundings,
}

/// What one request may still fetch.
#[derive(Clone, Debug)]
pub(crate) struct Allowance {
    left: Arc<AtomicU64>,
    /// Counts what is in memory.
    bodies: BodyBudget,
}

/// What was at an address.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) media_type: &'static str,
    pub(crate) bytes: Vec<u8>,
    /// Keeps the bytes counted for as long as they are in memory.
    _guard: BodyGuard,
}

/// Why nothing was fetched. For the client: tells nothing of a network but that an address is not allowed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum FetchError {
    #[error("it is no address of a file, without user and password")]
    NotAnAddress,
    #[error("only https is fetched")]
    PlainHttp,
    #[error("its host is not among those that the pool fetches from")]
    Host,
    #[error("its address is not allowed")]
    Address,
    #[error("its host cannot be reached")]
    Unreachable,
    #[error("its host answered with status {0}")]
    Status(u16),
    #[error("it is redirected more than {REDIRECTS} times")]
    Redirects,
    #[error("its host sent it compressed, which was not asked for")]
    Compressed,
    #[error("it is larger than {0} bytes")]
    TooLarge(u64),
    #[error("with the others of the request it is larger than {0} bytes")]
    TooMuch(u64),
    #[error("it broke off")]
    BrokeOff,
    #[error("it did not come within {0} ms")]
    Timeout(u64),
    #[error("it is no PNG, JPEG, GIF or WebP image")]
    NoImage,
    #[error("it is neither a PDF document nor plain text")]
    NoDocument,
    #[error("the sidecar holds too many large requests at once")]
    Overloaded,
}

// === impl FetchError ===

impl FetchError {
    /// The stable name, for metrics and logs.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::NotAnAddress => "NotAnAddress",
            Self::PlainHttp => "PlainHTTP",
            Self::Host => "HostNotAllowed",
            Self::Address => "AddressNotAllowed",
            Self::Unreachable => "Unreachable",
            Self::Status(_) => "Status",
            Self::Redirects => "TooManyRedirects",
            Self::Compressed => "Compressed",
            Self::TooLarge(_) | Self::TooMuch(_) => "TooLarge",
            Self::BrokeOff => "BrokeOff",
            Self::Timeout(_) => "Timeout",
            Self::NoImage | Self::NoDocument => "WrongType",
            Self::Overloaded => "SidecarOverloaded",
        }
    }
}

// === impl Fetcher ===

impl Fetcher {
    /// `rules` must have been checked: a host that is no pattern would match nothing.
    pub(crate) fn new(rules: MediaFetch, around: Surroundings) -> Self {
        let hosts = rules.hosts.iter();
        Self {
            hosts: hosts
                .filter_map(|host| HostPattern::try_new(host).ok())
                .collect(),
            rules,
            around,
        }
    }

    /// What one request may fetch.
    pub(crate) fn allowance(&self, bodies: &BodyBudget) -> Allowance {
        Allowance {
            left: Arc::new(AtomicU64::new(self.rules.max_total_bytes)),
            bodies: bodies.clone(),
        }
    }

    /// Fetches what is at an address.
    pub(crate) async fn get(
        &self,
        url: &str,
        medium: Medium,
        allowance: &Allowance,
    ) -> Result<Fetched, FetchError> {
        let within = self.rules.timeout;
        let fetching = self.follow(url, medium, allowance);
        let fetched = tokio::time::timeout(within.into(), fetching).await;
        fetched.unwrap_or(Err(FetchError::Timeout(within.0)))
    }

    async fn follow(
        &self,
        url: &str,
        medium: Medium,
        allowance: &Allowance,
    ) -> Result<Fetched, FetchError> {
        let mut url = Url::parse(url).map_err(|_| FetchError::NotAnAddress)?;
        for _ in 0..=REDIRECTS {
            let response = self.ask(&url, medium).await?;
            match response.status() {
                StatusCode::OK => return self.take(response, medium, allowance).await,
                StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::SEE_OTHER
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT => url = next(&url, response.headers())?,
                other => return Err(FetchError::Status(other.as_u16())),
            }
        }
        Err(FetchError::Redirects)
    }

    /// Asks for what is at an address that the rules allow.
    async fn ask(&self, url: &Url, medium: Medium) -> Result<Response<Incoming>, FetchError> {
        self.check(url)?;
        let to = Destination {
            base_url: url.as_str(),
            reach: self.rules.addresses,
            network: &Network::default(),
        };
        let client = HttpClient::for_one(to, self.rules.timeout.into(), &self.around)
            .map_err(|_| FetchError::NotAnAddress)?;
        let mut asked = url.clone();
        asked.set_fragment(None);
        let uri: http::Uri = asked
            .as_str()
            .parse()
            .map_err(|_| FetchError::NotAnAddress)?;
        let request = || {
            let mut request = Request::new(Segments::default());
            *request.method_mut() = Method::GET;
            *request.uri_mut() = uri.clone();
            let headers = request.headers_mut();
            let accepted = match medium {
                Medium::Image => ACCEPTED_IMAGES,
                Medium::Document => ACCEPTED_DOCUMENTS,
            };
            headers.insert(ACCEPT, accepted);
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
            headers.insert(USER_AGENT, OUR_AGENT);
            request
        };
        client::send(&client, request).await.map_err(|error| {
            tracing::debug!(
                host = url.host_str(),
                why = error.message,
                "media not fetched"
            );
            match error.is_forbidden {
                true => FetchError::Address,
                false => FetchError::Unreachable,
            }
        })
    }

    /// What can be said of an address before its name is looked up.
    fn check(&self, url: &Url) -> Result<(), FetchError> {
        let usual = match url.scheme() {
            "https" => 443,
            "http" if self.rules.plain_http => 80,
            "http" => return Err(FetchError::PlainHttp),
            _ => return Err(FetchError::NotAnAddress),
        };
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err(FetchError::NotAnAddress);
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(FetchError::NotAnAddress);
        }
        let mut hosts = self.hosts.iter();
        match hosts.any(|pattern| pattern.matches(host, port, usual)) {
            true => Ok(()),
            false => Err(FetchError::Host),
        }
    }

    async fn take(
        &self,
        response: Response<Incoming>,
        medium: Medium,
        allowance: &Allowance,
    ) -> Result<Fetched, FetchError> {
        let (head, mut body) = response.into_parts();
        let encoding = head.headers.get(CONTENT_ENCODING);
        if encoding.is_some_and(|encoding| encoding != "identity") {
            return Err(FetchError::Compressed);
        }
        let announced = announced(&head.headers);
        if announced.is_some_and(|bytes| bytes > self.rules.max_bytes) {
            return Err(FetchError::TooLarge(self.rules.max_bytes));
        }
        let mut bytes = Vec::new();
        let mut guard = allowance.bodies.guard();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| FetchError::BrokeOff)?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            self.grow(bytes.len() + data.len(), data.len(), &mut guard, allowance)?;
            bytes.extend_from_slice(&data);
        }
        let media_type = sniff::media_type(medium, &bytes).ok_or(match medium {
            Medium::Image => FetchError::NoImage,
            Medium::Document => FetchError::NoDocument,
        })?;
        Ok(Fetched {
            media_type,
            bytes,
            _guard: guard,
        })
    }

    /// Whether `more` bytes may come, to a sum of `to` of this one.
    fn grow(
        &self,
        to: usize,
        more: usize,
        guard: &mut BodyGuard,
        allowance: &Allowance,
    ) -> Result<(), FetchError> {
        if to as u64 > self.rules.max_bytes {
            return Err(FetchError::TooLarge(self.rules.max_bytes));
        }
        let take = |left: u64| left.checked_sub(more as u64);
        let taken = allowance
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        if taken.is_err() {
            return Err(FetchError::TooMuch(self.rules.max_total_bytes));
        }
        guard.reserve(to).map_err(|_| FetchError::Overloaded)
    }
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Where a redirect leads.
fn next(from: &Url, headers: &HeaderMap) -> Result<Url, FetchError> {
    let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
    let next = location.and_then(|location| from.join(location).ok());
    next.ok_or(FetchError::NotAnAddress)
}
