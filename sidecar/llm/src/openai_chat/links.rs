//! Parts at an address: `image_url`, and `document_url` of Mistral's.

use fkm_dialect::Medium;

use crate::json::Path;
use crate::links::{Link, each_part, find, is_of_type};
use crate::scan::{Member, RequestScan, members};

pub(super) fn links(text: &str, scan: &RequestScan) -> Vec<Link> {
    let mut found = Vec::new();
    each_part(text, scan, |part, path| {
        found.extend(link(text, part, path));
    });
    found
}

fn link(text: &str, part: &[Member], path: &Path<'_>) -> Option<Link> {
    let kinds = [
        ("image_url", Medium::Image),
        ("document_url", Medium::Document),
    ];
    let mut kinds = kinds.into_iter();
    let (name, medium) = kinds.find(|(name, _)| is_of_type(text, part, name))?;
    let held = find(text, part, name)?;
    // `"image_url": "…"`, or `"image_url": {"url": "…"}`.
    let inner = members(text, &held.value);
    let url = find(text, &inner, "url").unwrap_or(held);
    Link::at(text, medium, &url.value, &path.member(name))
}
