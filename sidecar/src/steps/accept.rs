//! Step *accept*: who may call, and the body, within bounds.
//!
//! Reads the head and the body. Adds the bytes and their place in the memory budget. On cancel nothing
//! stays behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, HOST, ORIGIN};
use http::{HeaderMap, HeaderValue, Uri};
use http_body::Body as _;
use http_body_util::BodyExt;
use hyper::body::Incoming;

use fkm_snapshot::{AnyFormat, RelayFormat};

use crate::error::{ExchangeError, Reason};
use crate::metrics::Metrics;

/// The largest request body: what Anthropic takes for messages (32 MB), the largest of the providers that we speak to.
pub(crate) const MAX_BODY_BYTES: usize = 32 * 1024 * 1024;

/// The largest request to change pictures: `OpenAI` takes pictures of less than 50 MB each
/// (<https://platform.openai.com/docs/api-reference/images/createEdit>). Sound is at most 25 MB everywhere.
const MAX_PICTURES_BYTES: usize = 64 * 1024 * 1024;

/// All request bodies together; beyond it new ones are turned away, so that memory stays bounded.
const MAX_ALL_BODIES_BYTES: usize = 256 * 1024 * 1024;

/// Reserved for a body before it is there; what is larger grows as it comes.
const RESERVED_BYTES: usize = 1024 * 1024;

/// A whole body may take so long: 32 MiB at 4.5 Mbit/s.
const BODY_WITHIN: Duration = Duration::from_mins(1);

/// A client that sends nothing of its body for so long has gone.
pub(crate) const BODY_IDLE: Duration = Duration::from_secs(10);

/// Counts the bytes of all request bodies in memory.
#[derive(Clone, Debug)]
pub(crate) struct BodyBudget {
    used: Arc<AtomicUsize>,
    metrics: Metrics,
}

/// The share of one body; given back when dropped.
#[derive(Debug)]
pub(crate) struct BodyGuard {
    budget: BodyBudget,

    bytes: usize,
}

/// A page in a browser on this machine must not call on the pod's behalf (DNS rebinding, cross-site requests).
pub(crate) fn check_site(uri: &Uri, headers: &HeaderMap) -> Result<(), ExchangeError> {
    let refuse = |header: &str, value: &str| {
        let message =
            format!("{header} {value:?} is not this pod; call 127.0.0.1, [::1] or localhost");
        Err(ExchangeError::new(Reason::ForeignSite, message))
    };
    if let Some(authority) = uri.authority()
        && !is_loopback_host(authority.host())
    {
        return refuse("host", authority.host());
    }
    match headers.get(HOST).map(HeaderValue::to_str) {
        None if uri.authority().is_some() => {}
        Some(Ok(host)) if is_loopback_host(without_port(host)) => {}
        Some(host) => return refuse("host", host.unwrap_or("(not text)")),
        None => return refuse("host", ""),
    }
    match headers.get(ORIGIN).map(HeaderValue::to_str) {
        None => Ok(()),
        Some(Ok(origin))
            if origin
                .split_once("://")
                .is_some_and(|(_, host)| is_loopback_host(without_port(host))) =>
        {
            Ok(())
        }
        Some(origin) => refuse("origin", origin.unwrap_or("(not text)")),
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => name,
        _ => host,
    }
}

fn is_loopback_host(host: &str) -> bool {
    let ip = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<std::net::IpAddr>();
    host.eq_ignore_ascii_case("localhost") || ip.is_ok_and(|ip| ip.is_loopback())
}

/// The largest body of a request in this format.
pub(crate) fn most_bytes(format: AnyFormat) -> usize {
    match format {
        AnyFormat::Relayed(RelayFormat::ImageEdits) => MAX_PICTURES_BYTES,
        _ => MAX_BODY_BYTES,
    }
}

/// Reads the body, whole, of at most `most` bytes.
pub(crate) async fn body(
    budget: &BodyBudget,
    most: usize,
    headers: &HeaderMap,
    mut incoming: Incoming,
) -> Result<(Bytes, BodyGuard), ExchangeError> {
    if let Some(encoding) = headers
        .get(CONTENT_ENCODING)
        .filter(|value| *value != "identity")
    {
        let message = format!("content-encoding {encoding:?} is not taken; send the body as it is");
        return Err(ExchangeError::new(Reason::BadRequest, message));
    }
    let announced = announced(headers, &incoming, most)?;
    let mut guard = budget.guard();
    let reading = async {
        let mut first = Bytes::new();
        let mut joined = BytesMut::new();
        let mut taken = 0;
        while let Some(piece) = next_piece(&mut incoming).await? {
            taken += piece.len();
            guard.grow_to(taken, most)?;
            if first.is_empty() && joined.is_empty() {
                first = piece;
                continue;
            }
            if joined.is_empty() {
                // All at once where that is little; a larger body has to come first.
                joined.reserve(announced.min(RESERVED_BYTES).max(first.len() + piece.len()));
                joined.extend_from_slice(&first);
                first = Bytes::new();
            }
            joined.extend_from_slice(&piece);
        }
        Ok(if joined.is_empty() {
            first
        } else {
            joined.freeze()
        })
    };
    let body = tokio::time::timeout(BODY_WITHIN, reading)
        .await
        .map_err(|_| {
            ExchangeError::new(
                Reason::BodyIncomplete,
                "the request body took too long to come",
            )
        })??;
    Ok((body, guard))
}

/// The length that the head announces, 0 where it announces none; refused before anything is read when it is too large.
fn announced(
    headers: &HeaderMap,
    incoming: &Incoming,
    most: usize,
) -> Result<usize, ExchangeError> {
    let announced = incoming
        .size_hint()
        .exact()
        .filter(|_| headers.contains_key(CONTENT_LENGTH));
    let announced = announced.map_or(0, |bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
    if announced > most {
        return Err(too_large(most));
    }
    Ok(announced)
}

fn too_large(most: usize) -> ExchangeError {
    let message = format!("the request body is larger than {most} bytes");
    ExchangeError::new(Reason::BodyTooLarge, message)
}

async fn next_piece(incoming: &mut Incoming) -> Result<Option<Bytes>, ExchangeError> {
    loop {
        let broken = |message: &str| ExchangeError::new(Reason::BodyIncomplete, message);
        let frame = tokio::time::timeout(BODY_IDLE, incoming.frame())
            .await
            .map_err(|_| broken("the request body stopped coming"))?;
        match frame
            .transpose()
            .map_err(|_| broken("the request body broke off"))?
        {
            None => return Ok(None),
            Some(frame) => {
                if let Some(data) = frame.into_data().ok().filter(|data| !data.is_empty()) {
                    return Ok(Some(data));
                }
            }
        }
    }
}

// === impl BodyBudget ===

impl BodyBudget {
    pub(crate) fn new(metrics: Metrics) -> Self {
        let used = Arc::default();
        Self { used, metrics }
    }

    /// For one body, of which nothing is there yet.
    pub(crate) fn guard(&self) -> BodyGuard {
        BodyGuard {
            budget: self.clone(),
            bytes: 0,
        }
    }
}

// === impl BodyGuard ===

impl BodyGuard {
    /// Takes what is missing to `bytes`, of at most `most`, or refuses.
    fn grow_to(&mut self, bytes: usize, most: usize) -> Result<(), ExchangeError> {
        if bytes > most {
            return Err(too_large(most));
        }
        self.reserve(bytes)
    }

    /// The same whatever a body may have.
    pub(crate) fn reserve(&mut self, bytes: usize) -> Result<(), ExchangeError> {
        let more = bytes.saturating_sub(self.bytes);
        let before = self.budget.used.fetch_add(more, Ordering::Relaxed);
        if before + more > MAX_ALL_BODIES_BYTES {
            self.budget.used.fetch_sub(more, Ordering::Relaxed);
            let message = "the sidecar holds too many large requests at once; try again";
            let mut error = ExchangeError::new(Reason::Overloaded, message);
            error.retry_after = Some(Duration::from_secs(1));
            return Err(error);
        }
        self.bytes += more;
        let metrics = &self.budget.metrics;
        metrics
            .body_bytes
            .inc_by(i64::try_from(more).unwrap_or_default());
        Ok(())
    }
}

impl Drop for BodyGuard {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
        let metrics = &self.budget.metrics;
        metrics
            .body_bytes
            .dec_by(i64::try_from(self.bytes).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(host: &str, origin: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, origin.parse().unwrap());
        }
        check_site(&Uri::from_static("/v1/models"), &headers).is_ok()
    }

    #[test]
    fn only_loopback_names_are_this_pod() {
        for host in [
            "127.0.0.1:4000",
            "localhost",
            "LOCALHOST:4000",
            "[::1]:4000",
            "[::1]",
            "127.0.0.1",
        ] {
            assert!(site(host, None), "{host}");
        }
        for host in [
            "evil.example:4000",
            "127.0.0.1.evil.example",
            "10.0.0.1:4000",
            "",
            "localhost.evil:1",
        ] {
            assert!(!site(host, None), "{host}");
        }
        assert!(site("localhost:4000", Some("http://localhost:3000")));
        for origin in [
            "https://evil.example",
            "null",
            "file://",
            "http://localhost.evil",
        ] {
            assert!(!site("localhost:4000", Some(origin)), "{origin}");
        }
    }

    #[test]
    fn absolute_form_is_checked_too() {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, "localhost".parse().unwrap());
        let uri = Uri::from_static("http://evil.example/v1/models");
        assert!(check_site(&uri, &headers).is_err());
    }
}
