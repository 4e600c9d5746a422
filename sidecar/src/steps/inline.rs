//! Step *inline*: images and documents that the client gave by their address, and that this provider does not fetch itself,
//! are put into the request, where the pool allows it.
//!
//! The request stays in the client's format, so that what follows is the same as if the client had sent the content. What
//! one attempt has fetched serves the next one under the same rules.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use fkm_llm::{Content, Link, WireFormat, links_to_follow};
use fkm_snapshot::{Dialect, Medium};
use tokio::task::JoinSet;
use tracing::Instrument;
use url::Url;

use super::accept::{BodyBudget, MAX_BODY_BYTES};
use crate::attempt::{AttemptError, Limits, Wait};
use crate::codec::Pair;
use crate::context::Context;
use crate::error::Reason;
use crate::exchange::Exchange;
use crate::inlined::{Inlined, Known, Refusal, what};
use crate::metrics::Metrics;
use crate::runtime::Candidate;
use crate::source::Decoded;
use crate::upstream::fetch::{Allowance, FetchError, Fetched, Fetcher};

/// Of one request at the same time; a host of media seldom likes more.
const AT_ONCE: usize = 4;

/// The request with its media, where this provider wants them here; `None`: as the client sent it.
pub(crate) async fn run(
    exchange: &Exchange,
    candidate: &Candidate,
    pair: &Pair<'_>,
    limits: &Limits,
) -> Result<Option<Arc<Inlined>>, AttemptError> {
    let Pair::Chat(client, dialect) = *pair else {
        return Ok(None);
    };
    let links = links(exchange, candidate, client, dialect);
    let Some(first) = links.first() else {
        return Ok(None);
    };
    let Some(fetcher) = &candidate.offer.provider.media else {
        return Err(AttemptError::from(not_allowed(candidate, first, dialect)));
    };
    let inlined = limits.wait(Wait::FirstContent, followed(exchange, fetcher, &links));
    Ok(Some(inlined.await??))
}

/// The links that have to be followed; none where the model cannot see what is there anyway, which encoding says.
fn links(
    exchange: &Exchange,
    candidate: &Candidate,
    client: &dyn WireFormat,
    dialect: &Dialect,
) -> Vec<Link> {
    let links = links_to_follow(client, &exchange.body, &exchange.scan, dialect);
    let blind = candidate.offer.capabilities.vision == Some(false);
    let translated = client.name() != dialect.format;
    match blind && translated && links.iter().any(|link| link.medium == Medium::Image) {
        true => Vec::new(),
        false => links,
    }
}

async fn followed(
    exchange: &Exchange,
    fetcher: &Arc<Fetcher>,
    links: &[Link],
) -> Result<Arc<Inlined>, AttemptError> {
    let mut all = exchange.media.lock().await;
    let paths = || links.iter().map(|link| &link.path);
    let mut same = all
        .iter()
        .filter(|known| Arc::ptr_eq(&known.fetcher, fetcher) && known.paths.iter().eq(paths()));
    if let Some(known) = same.next() {
        return known.outcome.clone().map_err(AttemptError::from);
    }
    let outcome = inlined(exchange, fetcher, links).await;
    all.push(Known {
        fetcher: fetcher.clone(),
        paths: paths().cloned().collect(),
        outcome: outcome.clone(),
    });
    outcome.map_err(AttemptError::from)
}

async fn inlined(
    exchange: &Exchange,
    fetcher: &Arc<Fetcher>,
    links: &[Link],
) -> Result<Arc<Inlined>, Refusal> {
    let most = usize::try_from(fetcher.rules.max_items).unwrap_or(usize::MAX);
    if let Some(link) = links.get(most) {
        let message = format!(
            "{} images and documents would have to be fetched, and the pool allows {most}; send fewer, or the content itself",
            links.len()
        );
        return Err(Refusal::of(Reason::NotExpressible, link, message));
    }
    let Context {
        bodies, metrics, ..
    } = &*exchange.context;
    let found = fetch_all(fetcher, links, bodies, metrics).await?;
    complete(exchange, links, &found)
}

/// Puts what was found into the request.
fn complete(exchange: &Exchange, links: &[Link], found: &Found) -> Result<Arc<Inlined>, Refusal> {
    let mut contents = Vec::with_capacity(links.len());
    for link in links {
        let media = found.get(&(link.url.clone(), link.medium));
        let media = media.ok_or_else(|| Refusal::failed(link, &FetchError::BrokeOff))?;
        let (media_type, bytes) = (media.media_type, &*media.bytes);
        contents.push((link, Content { media_type, bytes }));
    }
    let body = Bytes::from(fkm_llm::inline(&exchange.body, contents));
    let last = links.last().expect("there is one");
    if body.len() > MAX_BODY_BYTES {
        let message = format!(
            "the request is larger than {MAX_BODY_BYTES} bytes with what is at its addresses"
        );
        return Err(Refusal::of(Reason::BodyTooLarge, last, message));
    }
    let mut guard = exchange.context.bodies.guard();
    guard
        .reserve(body.len())
        .map_err(|_| Refusal::failed(last, &FetchError::Overloaded))?;
    let mut scan = fkm_llm::scan(&body)
        .map_err(|error| Refusal::of(Reason::BadRequest, last, error.to_string()))?;
    // The path may have said it.
    scan.stream = exchange.scan.stream;
    Ok(Arc::new(Inlined {
        body,
        scan,
        decoded: Decoded::default(),
        _guard: guard,
    }))
}

/// What was found, by address and by what it was to be.
type Found = BTreeMap<(String, Medium), Fetched>;

/// Fetches each address once, a few at the same time. The first that cannot be had ends it.
async fn fetch_all(
    fetcher: &Arc<Fetcher>,
    links: &[Link],
    bodies: &BodyBudget,
    metrics: &Metrics,
) -> Result<Found, Refusal> {
    let allowance = fetcher.allowance(bodies);
    let mut wanted: BTreeMap<(&str, Medium), &Link> = BTreeMap::new();
    for link in links {
        let key = (link.url.as_str(), link.medium);
        wanted.entry(key).or_insert(link);
    }
    let mut left = wanted.into_values();
    let mut under_way = JoinSet::new();
    let mut found = Found::new();
    loop {
        while under_way.len() < AT_ONCE
            && let Some(link) = left.next()
        {
            let fetching = fetch(fetcher.clone(), link.clone(), allowance.clone());
            under_way.spawn(fetching.in_current_span());
        }
        let Some(ended) = under_way.join_next().await else {
            return Ok(found);
        };
        // A task that died found nothing.
        let Ok((link, outcome)) = ended else {
            continue;
        };
        let bytes = outcome.as_ref().map_or(0, |fetched| fetched.bytes.len());
        let name = outcome.as_ref().err().map_or("Fetched", FetchError::name);
        metrics.media(name, bytes as u64);
        tracing::debug!(
            url = without_query(&link.url),
            outcome = name,
            bytes,
            "media"
        );
        let media = outcome.map_err(|error| Refusal::failed(&link, &error))?;
        found.insert((link.url, link.medium), media);
    }
}

async fn fetch(
    fetcher: Arc<Fetcher>,
    link: Link,
    allowance: Allowance,
) -> (Link, Result<Fetched, FetchError>) {
    let outcome = fetcher.get(&link.url, link.medium, &allowance).await;
    (link, outcome)
}

/// An address as a log may have it: queries carry signatures.
fn without_query(url: &str) -> String {
    let Ok(mut url) = Url::parse(url) else {
        return String::new();
    };
    url.set_query(None);
    url.set_fragment(None);
    let bare = url.set_username("").and_then(|()| url.set_password(None));
    bare.map_or_else(|()| String::new(), |()| url.into())
}

fn not_allowed(candidate: &Candidate, link: &Link, dialect: &Dialect) -> Refusal {
    let provider = &candidate.offer.provider.name;
    let what = what(link);
    let why = match dialect.takes_url_of(link.medium) {
        true => format!(
            "provider {provider} must be told the type of what it fetches, which this address does not show; end its path like .png or .pdf"
        ),
        false => format!("provider {provider} does not fetch {what}s itself"),
    };
    let message = format!(
        "{why}; send the content of the {what} instead of its address, or let the platform team allow spec.media.fetch in the pool"
    );
    Refusal::of(Reason::NotExpressible, link, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_has_no_signature_and_no_password() {
        for (url, shown) in [
            ("https://a.test/x.png?sig=1#f", "https://a.test/x.png"),
            ("https://u:p@a.test:8443/x", "https://a.test:8443/x"),
            ("https://", ""),
        ] {
            assert_eq!(without_query(url), shown);
        }
    }
}
