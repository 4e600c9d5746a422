//! Which links of a request have to be followed for a provider, and the request with what was found at them.
//!
//! *Guarantees*: what is put in takes the place of the part's address alone; every other byte of the request stays.

use fkm_dialect::{Dialect, MediaUrls};

use crate::format::WireFormat;
use crate::links::{Content, Link};
use crate::registry::format;
use crate::scan::RequestScan;

/// The parts of a request that a provider of this dialect does not fetch itself, in their order. `scan` must be of `body`.
///
/// What a client says in the provider's own format is sent as it is, unless the dialect says that such providers fetch
/// nothing of the kind.
pub fn links_to_follow(
    client: &dyn WireFormat,
    body: &[u8],
    scan: &RequestScan,
    dialect: &Dialect,
) -> Vec<Link> {
    let same = client.name() == dialect.format;
    if (same && dialect.media_urls == MediaUrls::Any) || !names_an_address(body) {
        return Vec::new();
    }
    let Ok(text) = simdutf8::basic::from_utf8(body) else {
        return Vec::new();
    };
    let mut found = client.links(text, scan);
    found.retain(|link| match same {
        true => !dialect.takes_url_of(link.medium),
        false => !format(dialect.format).takes_link(link, dialect),
    });
    found
}

/// The request with what was found at these links, which must be of this `body`.
pub fn inline<'a>(
    body: &[u8],
    contents: impl IntoIterator<Item = (&'a Link, Content<'a>)>,
) -> Vec<u8> {
    let mut contents: Vec<_> = contents.into_iter().collect();
    contents.sort_by_key(|(link, _)| link.span.start);
    let added = contents
        .iter()
        .map(|(_, content)| content.bytes.len() / 3 * 4 + 128);
    let mut out = Vec::with_capacity(body.len() + added.sum::<usize>());
    let mut at = 0;
    for (link, content) in contents {
        out.extend_from_slice(&body[at..link.span.start]);
        (link.write)(&mut out, &content);
        at = link.span.end;
    }
    out.extend_from_slice(&body[at..]);
    out
}

/// Whether any string begins as an address does.
fn names_an_address(body: &[u8]) -> bool {
    let begins = |at: usize| {
        body[at + 1..]
            .get(..4)
            .is_some_and(|four| four.eq_ignore_ascii_case(b"http"))
    };
    memchr::memchr_iter(b'"', body).any(begins)
}
