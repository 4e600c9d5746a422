//! What is found in bodies that go on as they are: links, and ids of what providers keep.

use bytes::Bytes;
use fkm_llm::kept::{marked, named};
use fkm_llm::{Content, Dialect, Format, Ids, MediaUrls, format, inline, links_to_follow};

use crate::target::dialect;

const MARK: &str = "_fkm_0123456789abcdef";

/// What was found at an address is put into its place, and what comes out is a body again, with no link there.
pub(crate) fn links(client: Format, data: &[u8]) {
    let Ok(found) = fkm_llm::scan(data) else {
        return;
    };
    let fetches_nothing = Dialect {
        media_urls: MediaUrls::Never,
        ..dialect(Format::BedrockConverse)
    };
    let links = links_to_follow(format(client), data, &found, &fetches_nothing);
    for (media_type, bytes) in [
        ("image/png", b"\x89PNG".as_slice()),
        ("application/pdf", b"%PDF-1"),
        ("text/plain", b"\"\\\n"),
    ] {
        let content = Content { media_type, bytes };
        let out = inline(data, links.iter().rev().map(|link| (link, content)));
        let most = data.len() + links.len() * 256;
        assert!(out.len() <= most, "{client}: bounded");
        let again = fkm_llm::scan(&out);
        assert_eq!(again.map(|scan| scan.stream), Ok(found.stream), "{client}");
        if links.is_empty() {
            assert_eq!(out, data, "{client}: as it came");
        }
    }
}

/// Marks are all that is added to an answer, and what takes them out again finds the same bytes.
pub(crate) fn ids(data: &[u8]) {
    let body = Bytes::copy_from_slice(data);
    if count(data) > 0 {
        named(data, "_fkm_", |mark| mark == MARK);
        return;
    }
    for ids in [Ids::RESPONSE, Ids::ITEMS, Ids::FILE, Ids::BATCH] {
        let marked = marked(&body, ids, MARK);
        let added = marked.len() - body.len();
        assert_eq!(added, count(&marked) * MARK.len(), "marks alone");
        assert_eq!(without(&marked), data, "nothing else changes");
        let is_json = fkm_llm::scan(data).is_ok();
        assert!(!is_json || fkm_llm::scan(&marked).is_ok(), "still a body");
        let found = named(&marked, "_fkm_", |mark| mark == MARK);
        assert!(found.len() <= count(&marked), "each once");
        for one in found {
            assert!(marked[one.id].ends_with(MARK.as_bytes()), "a marked id");
        }
    }
}

fn count(body: &[u8]) -> usize {
    let windows = body.windows(MARK.len());
    windows.filter(|one| *one == MARK.as_bytes()).count()
}

fn without(mut body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let Some((first, rest)) = body.split_first() {
        match body.strip_prefix(MARK.as_bytes()) {
            Some(after) => body = after,
            None => {
                out.push(*first);
                body = rest;
            }
        }
    }
    out
}
